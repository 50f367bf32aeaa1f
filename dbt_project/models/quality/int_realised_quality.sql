{# One row per window and segment with a label: how good the predictions were by the labels that are known. #}
{{ config(
    incremental_strategy='delete+insert',
    unique_key='model_name, model_version, window_grain, window_start_at',
    pre_hook='{{ begin_batches(newly_labelled_windows()) }}',
    post_hook='{{ finish_batches() }}',
) }}
{% set key = quality_key() %}
{% set segments = segment_code_columns() %}
with windows as materialized (
    {{ newly_labelled_windows() }}
),

predictions as (
    select * from {{ ref('int_predictions') }}
    where event_status = 'counted' and {{ near_batch('window_start_at', 'month') }}
),

event_labels as (
    select * from {{ ref('int_event_labels') }}
    where is_applied
),

days as materialized (
    {{ days_of_windows('predictions', 'windows') }}
),

labelled as (
    select
        predictions.model_name,
        predictions.model_version,
        predictions.window_start_at,
        predictions.score,
        predictions.is_predicted_positive,
        case when event_labels.is_actual_positive then 1.0e0 else 0.0e0 end as positive_weight,
        event_labels.fold_id
        {%- for segment in segments %},
        predictions.{{ segment }}
        {%- endfor %}
    from predictions
    semi join days
        on
            predictions.model_name = days.model_name
            and predictions.model_version = days.model_version
            and predictions.window_start_at = days.window_start_at
    inner join event_labels
        on predictions.model_name = event_labels.model_name and predictions.event_id = event_labels.event_id
),

quality_rows as (
    {{ quality_rows('labelled', 'windows') }}
),

quality as (
    {{ project_quality('quality_rows', key) }}
),

limits as (
    {{ project_limits('quality_rows', key) }}
),

folds as (
    select
        {{ key | join(',\n        ') }},
        max(fold_id) as fold_id
    from quality_rows
    group by all
),

realised as (
    select
        {%- for column in key %}
        quality.{{ column }},
        {%- endfor %}
        quality.row_count,
        quality.positive_sum,
        quality.predicted_positive_count,
        quality.true_positive_sum,
        {%- for metric in quality_metric_names() %}
        quality.{{ metric }}_value,
        {%- endfor %}
        quality.positive_placement_variance,
        quality.negative_placement_variance,
        {%- for metric in quality_metric_names() if metric != 'roc_auc' %}
        struct_extract(limits.limits, '{{ metric }}_lower') as {{ metric }}_lower,
        struct_extract(limits.limits, '{{ metric }}_upper') as {{ metric }}_upper,
        {%- endfor %}
        folds.fold_id
    from quality
    inner join folds
        on
            {%- for column in key %}
            {{ "and " if not loop.first }}quality.{{ column }} = folds.{{ column }}
            {%- endfor %}
    left join limits
        on
            {%- for column in key %}
            {{ "and " if not loop.first }}quality.{{ column }} = limits.{{ column }}
            {%- endfor %}
)

select * from realised
