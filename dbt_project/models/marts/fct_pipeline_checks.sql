{# One row per window (or build, or run of a job), check and subject: how the feed itself is doing. #}
with feed_checks as (
    select * from {{ ref('int_feed_checks') }}
),

feature_checks as (
    select * from {{ ref('int_feature_checks') }}
),

bounds as (
    select * from {{ ref('pipeline_bounds') }}
),

label_checks as (
    select * from {{ ref('int_label_checks') }}
),

job_checks as (
    select * from {{ ref('int_job_checks') }}
),

measured as (
    select * from feed_checks
    union all
    select * from feature_checks
),

judged as (
    select
        measured.model_name,
        measured.model_version,
        measured.window_grain,
        measured.window_start_at,
        measured.window_end_at,
        measured.check_name,
        measured.subject_name,
        measured.check_value,
        measured.event_count,
        bounds.is_low_bad,
        bounds.warn_limit as warn_bound,
        bounds.fail_limit as fail_bound,
        case
            when bounds.is_low_bad and measured.check_value < bounds.fail_limit then 2
            when bounds.is_low_bad and measured.check_value < bounds.warn_limit then 1
            when not bounds.is_low_bad and measured.check_value > bounds.fail_limit then 2
            when not bounds.is_low_bad and measured.check_value > bounds.warn_limit then 1
            else 0
        end as severity,
        measured.note,
        cast('{{ run_started_at.strftime("%Y-%m-%d %H:%M:%S") }}' as timestamp) as computed_at
    from measured
    inner join bounds on measured.check_name = bounds.check_name
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
    from job_checks
)

select * from checks
