{# One row per window and segment: how good the predictions must be if scores still mean what they meant in the reference. #}
{{ config(
    incremental_strategy='delete+insert',
    unique_key='model_name, model_version, window_grain, window_start_at',
    pre_hook='{{ begin_batches(newly_counted_windows()) }}',
    post_hook='{{ finish_batches() }}',
) }}
{% set key = quality_key() %}
{% set segments = segment_code_columns() %}
with windows as materialized (
    {{ newly_counted_windows() }}
),

predictions as (
    select * from {{ ref('int_predictions') }}
    where event_status = 'counted' and {{ near_batch('window_start_at', 'month') }}
),

breakpoints as (
    select * from {{ ref('int_calibration_points') }}
),

days as materialized (
    {{ days_of_windows('predictions', 'windows') }}
),

events as (
    select
        predictions.model_name,
        predictions.model_version,
        predictions.window_start_at,
        predictions.score,
        predictions.is_predicted_positive,
        predictions.counted_fold_id as fold_id
        {%- for segment in segments %},
        predictions.{{ segment }}
        {%- endfor %}
    from predictions
    semi join days
        on
            predictions.model_name = days.model_name
            and predictions.model_version = days.model_version
            and predictions.window_start_at = days.window_start_at
),

calibrated as (
    {{ driftnet.calibrated(
        'events',
        'breakpoints',
        by=['model_name', 'model_version'],
        columns=['model_name', 'model_version', 'window_start_at', 'score', 'is_predicted_positive', 'fold_id'] + segments
    ) }}
),

quality_rows as (
    {{ quality_rows('calibrated', 'windows') }}
),

quality as (
    {{ project_quality('quality_rows', key) }}
),

folds as (
    select
        {{ key | join(',\n        ') }},
        max(fold_id) as fold_id
    from quality_rows
    group by all
),

estimated as (
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
        folds.fold_id
    from quality
    inner join folds
        on
            {%- for column in key %}
            {{ "and " if not loop.first }}quality.{{ column }} = folds.{{ column }}
            {%- endfor %}
)

select * from estimated
