{# One row per version, window grain, segment and metric: what the windows of its reference lead to expect. #}
{{ config(materialized='table') }}
{% set metrics = quality_metric_names() %}
with reference_quality as (
    select * from {{ ref('int_reference_quality') }}
),

metrics as (
    {%- for metric in metrics %}
    select
        model_name,
        model_version,
        window_grain,
        segment_name,
        segment_value,
        '{{ metric }}' as metric_name,
        {{ metric }}_value as metric_value
    from reference_quality
    where
        window_grain != 'reference'
        and row_count >= case when segment_name = 'all' then {{ var('window_minimum_count') }} else {{ var('segment_minimum_count') }} end
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

expectations as (
    select
        model_name,
        model_version,
        window_grain,
        segment_name,
        segment_value,
        metric_name,
        count(metric_value) as window_count,
        avg(metric_value) as mean_value,
        stddev_pop(metric_value) as std_value
    from metrics
    group by 1, 2, 3, 4, 5, 6
)

select * from expectations
