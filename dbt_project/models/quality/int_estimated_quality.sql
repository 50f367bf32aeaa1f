{# One row per window and segment: how good the predictions must be if scores still mean what they meant in the reference. #}
{{ config(
    incremental_strategy='delete+insert',
    unique_key='model_name, model_version, window_grain, window_start_at',
) }}
{% set key = quality_key() %}
{% set segments = segment_code_columns() %}
with predictions as (
    select * from {{ ref('int_predictions') }}
    where event_status = 'counted'
),

breakpoints as (
    select * from {{ ref('int_calibration_points') }}
),

{% if is_incremental() %}
touched as (
    select distinct
        model_name,
        model_version,
        window_start_at
    from predictions
    where counted_fold_id > (select coalesce(max(fold_id), 0) from {{ this }})
),

days as (
    select distinct
        model_name,
        model_version,
        window_start_at
    from predictions
),

read_days as (
    {{ days_of_touched_windows('days', 'touched') }}
),
{% endif %}

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
    {%- if is_incremental() %}
    semi join read_days
        on
            predictions.model_name = read_days.model_name
            and predictions.model_version = read_days.model_version
            and predictions.window_start_at = read_days.window_start_at
    {%- endif %}
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
    {{ quality_rows('calibrated', touched='touched' if is_incremental() else none) }}
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
