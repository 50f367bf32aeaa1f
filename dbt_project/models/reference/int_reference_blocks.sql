{# One row per feature of a reference and length of block: how much the rows of a block resemble each other. #}
{{ config(materialized='table') }}
{% set key = ['model_name', 'model_version', 'drift_kind', 'feature_name'] %}
{% set grains = ['day', 'week', 'month'] %}
with histograms as (
    select * from {{ ref('int_reference_histograms') }}
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
    {{ driftnet.block_correlation(grain ~ '_counts', key, 'block_start_at') }}
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
        end as rho
    from {{ grain }}_blocks
    {{ "union all" if not loop.last }}
    {%- endfor %}
)

select * from blocks
