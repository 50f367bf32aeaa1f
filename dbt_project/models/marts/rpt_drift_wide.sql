{# One row per window, reference kind, segment and feature: a column for each metric, for tools that want it wide. #}
-- depends_on: {{ ref('fct_histogram_bins') }}
-- depends_on: {{ ref('dim_features') }}
{{ config(materialized='view', post_hook="{{ create_drift_between() }}") }}
{% set key = [
    'model_name', 'model_version', 'window_grain', 'window_start_at', 'window_end_at', 'is_complete', 'reference_kind', 'segment_name',
    'segment_value', 'drift_kind', 'feature_name'
] %}
{% set names = binned_metrics() + ['ks_statistic', 'wasserstein', 'mmd_squared', 'pca_wasserstein'] %}
with metrics as (
    select * from {{ ref('fct_drift_metrics') }}
),

-- a feature's verdict is that of its deciding row
wide as (
    select
        {{ key | join(',\n        ') }},
        {%- for name in names %}
        max(metric_value) filter (where metric_name = '{{ name }}') as {{ name }},
        {%- endfor %}
        max(expected_value) filter (where is_decision) as expected_value,
        max(min_detectable_value) filter (where is_decision) as min_detectable_value,
        max(warn_bound) filter (where is_decision) as warn_bound,
        max(fail_bound) filter (where is_decision) as fail_bound,
        max(p_value) filter (where is_decision) as p_value,
        max(q_value) filter (where is_decision) as q_value,
        max(design_effect) filter (where is_decision) as design_effect,
        coalesce(max(severity) filter (where is_decision), 0) as severity,
        max(reference_count) as reference_count,
        max(current_count) as current_count
    from metrics
    group by {% for column in key %}{{ column }}{{ ", " if not loop.last }}{% endfor %}
)

select * from wide
