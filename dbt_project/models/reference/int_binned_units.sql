{# One row per feature, metric and length of window of a reference: how far its own windows lie from the rest of it. #}
{% set grains = ['day', 'week', 'month'] %}
{% set feature = ['model_name', 'model_version', 'window_grain', 'drift_kind', 'feature_name'] %}
{% set key = feature + ['window_start_at'] %}
{% set values = binned_metrics() %}
with histograms as (
    select * from {{ ref('int_reference_histograms') }}
    {{ where_version_is_new() }}
),

blocks as (
    select * from {{ ref('int_reference_blocks') }}
    where segment_name = 'all'
),

metric_laws as (
    select * from {{ ref('drift_metrics') }}
),

days as (
    {%- for grain in grains %}
    select
        model_name,
        model_version,
        '{{ grain }}' as window_grain,
        drift_kind,
        feature_name,
        {{ driftnet.window_start('window_start_at', grain, window_timezone()) }} as window_start_at,
        window_start_at as day_start_at,
        bin_index,
        event_count
    from histograms
    where segment_name = 'all'
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

day_sizes as (
    select
        {{ key | join(',\n        ') }},
        day_start_at,
        sum(event_count) as row_count
    from days
    group by {{ key | join(', ') }}, day_start_at
),

window_sizes as (
    select
        {{ key | join(',\n        ') }},
        sum(row_count) as row_count,
        sum(row_count * cast(row_count as double)) as squared_day_sum
    from day_sizes
    group by {{ key | join(', ') }}
    having sum(row_count) >= {{ var('window_minimum_count') }}
),

window_bins as (
    select
        {{ key | join(',\n        ') }},
        bin_index,
        sum(event_count) as event_count
    from days
    group by {{ key | join(', ') }}, bin_index
),

totals as (
    select
        {{ feature | join(',\n        ') }},
        bin_index,
        sum(event_count) as event_count
    from days
    group by {{ feature | join(', ') }}, bin_index
),

-- each window against the reference without it
bins as (
    select
        {% for column in key %}window_sizes.{{ column }},
        {% endfor -%}
        totals.event_count - coalesce(window_bins.event_count, 0) as reference_count,
        coalesce(window_bins.event_count, 0) as current_count
    from window_sizes
    inner join totals
        on
            {% for column in feature %}{{ "and " if not loop.first }}window_sizes.{{ column }} = totals.{{ column }}
            {% endfor %}
    left join window_bins
        on
            {% for column in key %}window_sizes.{{ column }} = window_bins.{{ column }}
            and {% endfor %}totals.bin_index = window_bins.bin_index
),

parts as (
    {{ driftnet.bin_parts('bins', by=key, smoothing=var('smoothing')) }}
),

statistics as (
    {{ driftnet.drift_statistics('parts', by=key) }}
),

varied as (
    select
        {% for column in key %}statistics.{{ column }},
        {% endfor -%}
        {% for value in values %}statistics.{{ value }},
        {% endfor -%}
        1.0 / statistics.reference_count + 1.0 / statistics.current_count as independent_variance,
        max(
            ({{ driftnet.design_effect(
                'blocks.rho',
                "case
                    when blocks.block_grain = 'day' then blocks.squared_size_sum - window_sizes.squared_day_sum
                    else blocks.squared_size_sum - statistics.current_count * cast(statistics.current_count as double)
                end",
                'statistics.reference_count'
            ) }}) / statistics.reference_count
            + ({{ driftnet.design_effect(
                'blocks.rho',
                "case
                    when blocks.block_grain = 'day' then window_sizes.squared_day_sum
                    else statistics.current_count * cast(statistics.current_count as double)
                end",
                'statistics.current_count'
            ) }}) / statistics.current_count
        ) as block_variance
    from statistics
    inner join window_sizes
        on
            {% for column in key %}{{ "and " if not loop.first }}statistics.{{ column }} = window_sizes.{{ column }}
            {% endfor %}
    left join blocks
        on
            statistics.model_name = blocks.model_name
            and statistics.model_version = blocks.model_version
            and statistics.drift_kind = blocks.drift_kind
            and statistics.feature_name = blocks.feature_name
            and blocks.block_grain in ('day', statistics.window_grain)
            and blocks.rho is not null
    where statistics.reference_count > 0
    group by all
),

units as (
    select
        {% for column in feature %}varied.{{ column }},
        {% endfor -%}
        metric_laws.metric_name,
        case metric_laws.metric_name
            {%- for value in values %}
            when '{{ value }}' then varied.{{ value }}
            {%- endfor %}
        end
        / {{ driftnet.effect_unit(
            'coalesce(varied.block_variance, varied.independent_variance)', 'metric_laws.divergence_scale', 'metric_laws.is_root'
        ) }} as value_in_units
    from varied
    inner join metric_laws on metric_laws.metric_name in ('{{ values | join("', '") }}')
),

learnt as (
    select
        {{ feature | join(',\n        ') }},
        metric_name,
        count(*) as window_count,
        avg(value_in_units) as mean_unit,
        stddev_samp(value_in_units) as std_unit
    from units
    group by {{ feature | join(', ') }}, metric_name
)

select * from learnt
