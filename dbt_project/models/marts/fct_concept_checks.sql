{# One row per window, subject that the watch has ever spoken of, and check: how many alarms (by the vote) or hints fell into it. #}
with windows as (
    select * from {{ ref('int_windows') }}
),

happenings as (
    select * from {{ ref('int_happenings') }}
    where room = 'stream' and kind in ('alarm', 'advice')
),

subjects as (
    select distinct
        model_name,
        model_version,
        subject_name
    from happenings
),

-- an alarm is a vote of detectors and fails; advice is one detector alone and warns
checks as (
    select
        'alarms' as check_name,
        'alarm' as kind,
        cast(null as double) as warn_bound,
        cast(0 as double) as fail_bound
    union all
    select
        'advice' as check_name,
        'advice' as kind,
        cast(0 as double) as warn_bound,
        cast(null as double) as fail_bound
),

counted as (
    select
        windows.model_name,
        windows.model_version,
        windows.window_grain,
        windows.window_start_at,
        windows.window_end_at,
        windows.is_complete,
        checks.check_name,
        subjects.subject_name,
        cast(count(happenings.happening_id) as double) as check_value,
        checks.warn_bound,
        checks.fail_bound,
        min(happenings.happened_at) as first_happened_at,
        min_by(cast(happenings.happening_id as varchar), happenings.happened_at) as first_happening_id,
        coalesce(min_by(happenings.summary, happenings.happened_at), '') as note
    from windows
    inner join subjects
        on
            windows.model_name = subjects.model_name
            and windows.model_version = subjects.model_version
    cross join checks
    left join happenings
        on
            subjects.model_name = happenings.model_name
            and subjects.model_version = happenings.model_version
            and subjects.subject_name = happenings.subject_name
            and checks.kind = happenings.kind
            and windows.window_start_at <= happenings.happened_at
            and windows.window_end_at > happenings.happened_at
    group by all
),

judged as (
    select
        model_name,
        model_version,
        window_grain,
        window_start_at,
        window_end_at,
        is_complete,
        check_name,
        subject_name,
        check_value,
        warn_bound,
        fail_bound,
        case
            when check_value > fail_bound then 2
            when check_value > warn_bound then 1
            else 0
        end as severity,
        first_happened_at,
        first_happening_id,
        note,
        cast('{{ run_started_at.strftime("%Y-%m-%d %H:%M:%S") }}' as timestamp) as computed_at
    from counted
)

select * from judged
