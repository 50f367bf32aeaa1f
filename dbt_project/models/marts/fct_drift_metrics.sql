{# One row per window, reference kind, segment, feature and metric: the value, its law, its bounds and its severity. #}
{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='model_name, model_version, window_grain, window_start_at',
    on_schema_change='append_new_columns',
) }}
{% set key = [
    'model_name', 'model_version', 'window_grain', 'window_start_at', 'reference_kind', 'segment_name', 'segment_value',
    'drift_kind', 'feature_name', 'bin_spec_id'
] %}
with windows as (
    {{ windows_to_judge() }}
),

drift_bins as (
    select * from {{ ref('fct_drift_bins') }}
),

blocks as (
    select * from {{ ref('int_reference_blocks') }}
),

metric_laws as (
    select * from {{ ref('drift_metrics') }}
),

bounds as (
    select * from {{ ref('drift_bounds') }}
),

judged_bins as (
    select
        {% for column in key %}drift_bins.{{ column }},
        {% endfor -%}
        drift_bins.reference_count,
        drift_bins.current_count,
        drift_bins.psi_part,
        drift_bins.js_part,
        drift_bins.chi_square_part
    from drift_bins
    semi join windows
        on
            drift_bins.model_name = windows.model_name
            and drift_bins.model_version = windows.model_version
            and drift_bins.window_grain = windows.window_grain
            and drift_bins.window_start_at = windows.window_start_at
),

statistics as (
    {{ driftnet.drift_statistics('judged_bins', by=key) }}
),

-- the variance that a share really has: the larger of day blocks and of blocks as long as the window
block_variances as (
    select
        {% for column in key %}statistics.{{ column }},
        {% endfor -%}
        max(
            ({{ driftnet.design_effect('blocks.rho', 'blocks.squared_size_sum', 'blocks.row_count') }}) / statistics.reference_count
            + (
                {{ driftnet.design_effect(
                    'blocks.rho',
                    "case when blocks.block_grain = 'day' then windows.squared_day_sum else windows.event_count * cast(windows.event_count as double) end",
                    'windows.event_count'
                ) }}
            ) / statistics.current_count
        ) as sampling_variance
    from statistics
    inner join windows
        on
            statistics.model_name = windows.model_name
            and statistics.model_version = windows.model_version
            and statistics.window_grain = windows.window_grain
            and statistics.window_start_at = windows.window_start_at
    inner join blocks
        on
            statistics.model_name = blocks.model_name
            and statistics.model_version = blocks.model_version
            and statistics.drift_kind = blocks.drift_kind
            and statistics.feature_name = blocks.feature_name
            and blocks.block_grain in ('day', statistics.window_grain)
    where blocks.rho is not null and statistics.reference_count > 0 and statistics.current_count > 0
    group by all
),

laws as (
    select
        {% for column in key %}statistics.{{ column }},
        {% endfor -%}
        statistics.reference_count,
        statistics.current_count,
        statistics.bin_count,
        statistics.degrees_of_freedom,
        statistics.psi,
        statistics.js_distance,
        statistics.chi_square,
        statistics.pearson_mean,
        statistics.pearson_variance,
        1.0 / nullif(statistics.reference_count, 0) + 1.0 / nullif(statistics.current_count, 0) as independent_variance,
        coalesce(
            block_variances.sampling_variance,
            1.0 / nullif(statistics.reference_count, 0) + 1.0 / nullif(statistics.current_count, 0)
        ) as sampling_variance,
        block_variances.sampling_variance is not null as has_design_effect
    from statistics
    left join block_variances
        on
            {% for column in key %}{{ "and " if not loop.first }}statistics.{{ column }} = block_variances.{{ column }}
            {% endfor %}
),

tests as (
    select
        {{ key | join(',\n        ') }},
        reference_count,
        current_count,
        degrees_of_freedom,
        psi,
        js_distance,
        chi_square,
        sampling_variance,
        sampling_variance / independent_variance as design_effect,
        has_design_effect,
        {{ driftnet.pearson_p_value(
            'chi_square', 'sampling_variance / independent_variance', 'bin_count', 'pearson_mean', 'pearson_variance'
        ) }} as p_value
    from laws
),

corrected as (
    {{ driftnet.benjamini_hochberg(
        'tests',
        family=[
            'model_name', 'model_version', 'window_grain', 'window_start_at', 'reference_kind', 'segment_name', 'segment_value',
            'drift_kind'
        ],
        columns=key + [
            'reference_count', 'current_count', 'degrees_of_freedom', 'psi', 'js_distance', 'chi_square', 'sampling_variance',
            'design_effect', 'has_design_effect', 'p_value'
        ]
    ) }}
),

metrics as (
    select
        {% for column in key %}corrected.{{ column }},
        {% endfor -%}
        corrected.reference_count,
        corrected.current_count,
        corrected.degrees_of_freedom,
        corrected.sampling_variance,
        corrected.design_effect,
        corrected.has_design_effect,
        corrected.p_value,
        corrected.q_value,
        metric_laws.metric_name,
        metric_laws.divergence_scale,
        metric_laws.is_root,
        case metric_laws.metric_name
            when 'psi' then corrected.psi
            when 'js_distance' then corrected.js_distance
            when 'chi_square' then corrected.chi_square
        end as metric_value,
        case
            when metric_laws.metric_name = 'chi_square' then corrected.design_effect * corrected.degrees_of_freedom
            else {{ driftnet.expected_effect(
                'corrected.sampling_variance', 'corrected.degrees_of_freedom', 'metric_laws.divergence_scale', 'metric_laws.is_root'
            ) }}
        end as expected_value,
        {{ driftnet.detectable_effect(
            'corrected.sampling_variance', 'corrected.degrees_of_freedom', 'metric_laws.divergence_scale', 'metric_laws.is_root'
        ) }} as min_detectable_value
    from corrected
    cross join metric_laws
),

-- of the bounds that fit a row the most specific one holds
bounded as (
    select
        {% for column in key %}metrics.{{ column }},
        {% endfor -%}
        metrics.metric_name,
        bounds.warn_limit,
        bounds.fail_limit,
        bounds.bound_kind,
        bounds.is_decision,
        row_number() over (
            partition by {% for column in key %}metrics.{{ column }}, {% endfor %}metrics.metric_name
            order by
                bounds.feature_name = '*' asc,
                bounds.model_name = '*' asc,
                bounds.drift_kind = '*' asc
        ) as precedence
    from metrics
    inner join bounds
        on
            metrics.metric_name = bounds.metric_name
            and bounds.model_name in ('*', metrics.model_name)
            and bounds.drift_kind in ('*', metrics.drift_kind)
            and bounds.feature_name in ('*', metrics.feature_name)
),

judged as (
    select
        {% for column in key %}metrics.{{ column }},
        {% endfor -%}
        windows.window_end_at,
        windows.is_complete,
        windows.fold_id,
        metrics.metric_name,
        metrics.metric_value,
        metrics.expected_value,
        metrics.min_detectable_value,
        metrics.p_value,
        metrics.q_value,
        metrics.design_effect,
        metrics.has_design_effect,
        case
            when bounded.bound_kind = 'fixed'
                then {{ driftnet.warn_bound('bounded.warn_limit', 'metrics.expected_value', 'metrics.is_root') }}
        end as warn_bound,
        case
            when bounded.bound_kind = 'fixed'
                then {{ driftnet.fail_bound(
                    'bounded.fail_limit', 'metrics.sampling_variance', 'metrics.degrees_of_freedom', 'metrics.divergence_scale', 'metrics.is_root'
                ) }}
        end as fail_bound,
        bounded.bound_kind,
        coalesce(bounded.is_decision, false) as is_decision,
        coalesce(metrics.q_value <= {{ var('alpha') }}, false) as is_significant,
        metrics.reference_count,
        metrics.current_count
    from metrics
    inner join windows
        on
            metrics.model_name = windows.model_name
            and metrics.model_version = windows.model_version
            and metrics.window_grain = windows.window_grain
            and metrics.window_start_at = windows.window_start_at
    left join bounded
        on
            bounded.precedence = 1
            and metrics.metric_name = bounded.metric_name
            {% for column in key %}and metrics.{{ column }} = bounded.{{ column }}
            {% endfor %}
),

described as (
    select
        model_name,
        model_version,
        window_grain,
        window_start_at,
        window_end_at,
        is_complete,
        reference_kind,
        segment_name,
        segment_value,
        drift_kind,
        feature_name,
        metric_name,
        metric_value,
        expected_value,
        min_detectable_value,
        p_value,
        q_value,
        design_effect,
        has_design_effect,
        warn_bound,
        fail_bound,
        bound_kind,
        is_decision,
        is_significant,
        coalesce(is_complete and is_significant and metric_value > warn_bound, false) as is_breach,
        case
            when not is_complete or not is_significant then 0
            when metric_value > fail_bound then 2
            when metric_value > warn_bound then 1
            else 0
        end as severity,
        reference_count,
        current_count,
        reference_count < 4 * current_count as reference_is_small,
        bin_spec_id,
        fold_id,
        '{{ invocation_id }}' as invocation_id,
        cast('{{ run_started_at.strftime("%Y-%m-%d %H:%M:%S") }}' as timestamp) as computed_at
    from judged
)

select * from described
