{# One row per window (or build), check and subject: how the feed itself is doing. #}
with pipeline_values as (
    select * from {{ ref('int_pipeline_values') }}
),

bounds as (
    select * from {{ ref('pipeline_bounds') }}
),

label_checks as (
    select * from {{ ref('int_label_checks') }}
),

judged as (
    select
        pipeline_values.model_name,
        pipeline_values.model_version,
        pipeline_values.window_grain,
        pipeline_values.window_start_at,
        pipeline_values.window_end_at,
        pipeline_values.check_name,
        pipeline_values.subject_name,
        pipeline_values.check_value,
        pipeline_values.event_count,
        bounds.is_low_bad,
        bounds.warn_limit as warn_bound,
        bounds.fail_limit as fail_bound,
        case
            when bounds.is_low_bad and pipeline_values.check_value < bounds.fail_limit then 2
            when bounds.is_low_bad and pipeline_values.check_value < bounds.warn_limit then 1
            when not bounds.is_low_bad and pipeline_values.check_value > bounds.fail_limit then 2
            when not bounds.is_low_bad and pipeline_values.check_value > bounds.warn_limit then 1
            else 0
        end as severity,
        pipeline_values.note,
        cast('{{ run_started_at.strftime("%Y-%m-%d %H:%M:%S") }}' as timestamp) as computed_at
    from pipeline_values
    inner join bounds on pipeline_values.check_name = bounds.check_name
),

checks as (
    select * from judged
    union all
    select
        model_name,
        model_version,
        window_grain,
        window_start_at,
        window_end_at,
        check_name,
        subject_name,
        check_value,
        cast(null as bigint) as event_count,
        false as is_low_bad,
        warn_bound,
        fail_bound,
        severity,
        note,
        computed_at
    from label_checks
)

select * from checks
