{# One row per segment and feature of a reference and length of block: how much the rows of a block resemble each other. #}
{% set key = ['model_name', 'model_version', 'segment_name', 'segment_value', 'drift_kind', 'feature_name'] %}
{% set grains = ['day', 'week', 'month'] %}
with histograms as (
    select * from {{ ref('int_reference_histograms') }}
    {{ where_version_is_new() }}
),

{% for grain in grains %}
{{ grain }}_counts as (
    select
        {{ key | join(',\n        ') }},
        {{ driftnet.window_start('window_start_at', grain, window_timezone()) }} as block_start_at,
        bin_index,
        sum(event_count) as event_count
    from histograms
    group by all
),

{{ grain }}_blocks as (
    {{ driftnet.block_correlation(grain ~ '_counts', key, 'block_start_at', var('block_minimum_rows')) }}
),

{% endfor %}
blocks as (
    {%- for grain in grains %}
    select
        {{ key | join(',\n        ') }},
        '{{ grain }}' as block_grain,
        block_count,
        row_count,
        squared_size_sum,
        case
            when block_count >= {{ var('block_minimum_days') if grain == 'day' else var('block_minimum_windows') }} then rho
        end as whole_rho,
        case
            when large_block_count >= {{ var('block_minimum_days') if grain == 'day' else var('block_minimum_windows') }} then rho
        end as segment_rho
    from {{ grain }}_blocks
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

-- a segment with too few days of enough rows resembles the whole
borrowed as (
    select
        {% for column in key %}blocks.{{ column }},
        {% endfor -%}
        blocks.block_grain,
        blocks.block_count,
        blocks.row_count,
        blocks.squared_size_sum,
        case
            when blocks.segment_name = 'all' then blocks.whole_rho
            when day_blocks.segment_rho is not null and blocks.segment_rho is not null then blocks.segment_rho
            else wholes.whole_rho
        end as rho,
        blocks.segment_name = 'all' or (day_blocks.segment_rho is not null and blocks.segment_rho is not null) as has_own_rho
    from blocks
    left join blocks as day_blocks
        on
            day_blocks.block_grain = 'day'
            {% for column in key %}and blocks.{{ column }} = day_blocks.{{ column }}
            {% endfor %}
    left join blocks as wholes
        on
            wholes.segment_name = 'all'
            and blocks.block_grain = wholes.block_grain
            and blocks.model_name = wholes.model_name
            and blocks.model_version = wholes.model_version
            and blocks.drift_kind = wholes.drift_kind
            and blocks.feature_name = wholes.feature_name
)

select * from borrowed
