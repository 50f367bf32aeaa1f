{# One row per window, reference kind, segment, feature and metric: the value, its law, its bounds and its severity. #}
-- a window that is judged here is not judged again: its bins come first, or a build that ends between would never write them
-- depends_on: {{ ref('fct_drift_bins') }}
{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='model_name, model_version, window_grain, window_start_at',
    incremental_predicates=[is_judged_again()],
    on_schema_change='append_new_columns',
) }}
{% set key = [
    'model_name', 'model_version', 'window_grain', 'window_start_at', 'reference_kind', 'segment_name', 'segment_value',
    'drift_kind', 'feature_name'
] %}
{% set facts = [
    'bin_spec_id', 'metric_name', 'metric_value', 'expected_value', 'min_detectable_value', 'p_value', 'q_value', 'design_effect',
    'has_design_effect', 'sampling_variance', 'degrees_of_freedom', 'reference_count', 'current_count', 'fold_id'
] %}
{% set units = ['model_name', 'model_version', 'window_grain', 'drift_kind', 'feature_name', 'metric_name', 'window_count', 'mean_unit', 'std_unit'] %}
with windows as (
    select * from {{ ref('int_windows') }}
),

comparisons as (
    select * from {{ ref('int_comparisons') }}
),

-- read twice: to keep a million rows of it costs more than to read them again
metrics as not materialized (
    select
        {{ (key + facts) | join(',\n        ') }}
    from {{ ref('int_binned_metrics') }}
    union all
    select
        {{ (key + facts) | join(',\n        ') }}
    from {{ ref('int_sample_metrics') }}
),

learnt_units as (
    select
        {{ units | join(',\n        ') }}
    from {{ ref('int_binned_units') }}
    union all
    select
        {{ units | join(',\n        ') }}
    from {{ ref('int_sample_units') }}
),

metric_laws as (
    select * from {{ ref('drift_metrics') }}
),

bounds as (
    select * from {{ ref('drift_bounds') }}
),

-- of the bounds that fit a feature's metric the most specific one holds
measured as (
    select distinct
        model_name,
        drift_kind,
        feature_name,
        metric_name
    from metrics
),

fitting as (
    select
        measured.model_name,
        measured.drift_kind,
        measured.feature_name,
        measured.metric_name,
        bounds.warn_limit,
        bounds.fail_limit,
        bounds.bound_kind,
        bounds.is_decision,
        row_number() over (
            partition by measured.model_name, measured.drift_kind, measured.feature_name, measured.metric_name
            order by
                bounds.feature_name = '*' asc,
                bounds.model_name = '*' asc,
                bounds.drift_kind = '*' asc
        ) as precedence
    from measured
    inner join bounds
        on
            measured.metric_name = bounds.metric_name
            and bounds.model_name in ('*', measured.model_name)
            and bounds.drift_kind in ('*', measured.drift_kind)
            and bounds.feature_name in ('*', measured.feature_name)
),

bounded as (
    select
        {% for column in key + facts %}metrics.{{ column }},
        {% endfor -%}
        comparisons.window_end_at,
        comparisons.is_complete,
        -- labels of a window of which too few are known are shown and not judged
        comparisons.is_complete
        and (metrics.drift_kind != 'label' or windows.labelled_count >= {{ var('coverage_minimum') }} * windows.event_count) as is_judged,
        comparisons.comparison_state,
        fitting.bound_kind,
        coalesce(fitting.is_decision, false) as is_decision,
        case
            when fitting.bound_kind = 'fixed'
                then {{ driftnet.warn_bound('fitting.warn_limit', 'metrics.expected_value', 'metric_laws.is_root') }}
            when fitting.bound_kind = 'learnt'
                then
                    {{ driftnet.effect_unit('metrics.sampling_variance', 'metric_laws.divergence_scale', 'metric_laws.is_root') }}
                    * (learnt_units.mean_unit + 3 * learnt_units.std_unit)
        end as warn_bound,
        case
            when fitting.bound_kind = 'fixed' and metric_laws.divergence_scale is not null
                then {{ driftnet.fail_bound(
                    'fitting.fail_limit', 'metrics.sampling_variance', 'metrics.degrees_of_freedom', 'metric_laws.divergence_scale', 'metric_laws.is_root'
                ) }}
            when fitting.bound_kind = 'fixed'
                then fitting.fail_limit + metric_laws.fail_margin * sqrt(metrics.sampling_variance)
            when fitting.bound_kind = 'learnt'
                then
                    {{ driftnet.effect_unit('metrics.sampling_variance', 'metric_laws.divergence_scale', 'metric_laws.is_root') }}
                    * (learnt_units.mean_unit + 6 * learnt_units.std_unit)
        end as fail_bound
    from metrics
    inner join comparisons
        on
            metrics.model_name = comparisons.model_name
            and metrics.model_version = comparisons.model_version
            and metrics.window_grain = comparisons.window_grain
            and metrics.window_start_at = comparisons.window_start_at
            and metrics.reference_kind = comparisons.reference_kind
            and (metrics.drift_kind = 'label' or not comparisons.is_label_only)
    inner join windows
        on
            metrics.model_name = windows.model_name
            and metrics.model_version = windows.model_version
            and metrics.window_grain = windows.window_grain
            and metrics.window_start_at = windows.window_start_at
    inner join metric_laws on metrics.metric_name = metric_laws.metric_name
    left join fitting
        on
            fitting.precedence = 1
            and metrics.model_name = fitting.model_name
            and metrics.drift_kind = fitting.drift_kind
            and metrics.feature_name = fitting.feature_name
            and metrics.metric_name = fitting.metric_name
    left join learnt_units
        on
            metrics.reference_kind = 'training'
            and learnt_units.window_count >= {{ var('learnt_minimum_windows') }}
            and metrics.model_name = learnt_units.model_name
            and metrics.model_version = learnt_units.model_version
            and metrics.window_grain = learnt_units.window_grain
            and metrics.drift_kind = learnt_units.drift_kind
            and metrics.feature_name = learnt_units.feature_name
            and metrics.metric_name = learnt_units.metric_name
),

-- q where the metric is of a family, else p; where there is no p at all the bound alone speaks
tested as (
    select
        {{ (key + facts) | join(',\n        ') }},
        window_end_at,
        is_complete,
        is_judged,
        comparison_state,
        bound_kind,
        is_decision,
        warn_bound,
        fail_bound,
        coalesce(coalesce(q_value, p_value) <= {{ var('alpha') }}, false) as is_significant,
        coalesce(metric_value > warn_bound, false)
        -- bounds that could not be learnt leave the word to p
        or coalesce(bound_kind = 'learnt' and warn_bound is null and p_value is not null, false) as is_over_warn,
        coalesce(metric_value > fail_bound, false) as is_over_fail
    from bounded
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
        is_judged and is_over_warn and (is_significant or p_value is null) as is_breach,
        case
            when not is_judged or not (is_significant or p_value is null) then 0
            when is_over_fail then 2
            when is_over_warn then 1
            else 0
        end as severity,
        reference_count,
        current_count,
        reference_count < 4 * current_count as reference_is_small,
        bin_spec_id,
        fold_id,
        comparison_state,
        '{{ invocation_id }}' as invocation_id,
        cast('{{ run_started_at.strftime("%Y-%m-%d %H:%M:%S") }}' as timestamp) as computed_at
    from tested
)

select * from described
