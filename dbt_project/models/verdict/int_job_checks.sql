{# One row per job of the scheduler and time at which it failed for good, or was well again: in the columns of fct_pipeline_checks. #}
{{ config(materialized='table') }}
with happenings as (
    select * from {{ ref('int_happenings') }}
    where room = 'ops' and kind in ('job_failed', 'job_recovered')
),

bounds as (
    select * from {{ ref('pipeline_bounds') }}
    where check_name = 'failed_jobs'
),

checks as (
    select
        '*' as model_name,
        '*' as model_version,
        'run' as window_grain,
        happenings.happened_at as window_start_at,
        happenings.happened_at as window_end_at,
        bounds.check_name,
        happenings.subject_name,
        cast(happenings.kind = 'job_failed' as double) as check_value,
        cast(bounds.warn_limit as double) as warn_bound,
        cast(bounds.fail_limit as double) as fail_bound,
        case when happenings.kind = 'job_failed' then 2 else 0 end as severity,
        happenings.summary as note,
        cast('{{ run_started_at.strftime("%Y-%m-%d %H:%M:%S") }}' as timestamp) as computed_at
    from happenings
    cross join bounds
)

select * from checks
