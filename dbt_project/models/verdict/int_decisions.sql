{# One row per judged window, suite and subject of a model version: the row that decides there, out of bounds or not. #}
with drift_metrics as (
    select * from {{ ref('fct_drift_metrics') }}
    where
        is_decision
        and is_complete
        and reference_kind = 'training'
        and segment_name = 'all'
),

concept_checks as (
    select * from {{ ref('fct_concept_checks') }}
    where is_complete or severity > 0
),

-- what only the newest build can say (how fresh the feed is) has no history: it makes no incident
pipeline_checks as (
    select * from {{ ref('fct_window_checks') }}
    where is_lasting
),

job_checks as (
    select * from {{ ref('int_job_checks') }}
),

quality_metrics as (
    select * from {{ ref('fct_quality_metrics') }}
    where
        is_complete
        and is_mature
        and segment_name = 'all'
        and metric_value is not null
        and warn_bound is not null
),

mutes as (
    select * from {{ ref('dim_mutes') }}
),

decisions as (
    select
        model_name,
        model_version,
        window_grain,
        drift_kind,
        feature_name,
        metric_name,
        metric_value,
        expected_value,
        warn_bound,
        fail_bound,
        q_value,
        false as is_low_bad,
        severity,
        cast(null as varchar) as first_happening_id,
        window_start_at,
        window_end_at
    from drift_metrics
    union all
    select
        model_name,
        model_version,
        window_grain,
        'concept' as drift_kind,
        subject_name as feature_name,
        check_name as metric_name,
        check_value as metric_value,
        cast(null as double) as expected_value,
        warn_bound,
        fail_bound,
        cast(null as double) as q_value,
        false as is_low_bad,
        severity,
        first_happening_id,
        window_start_at,
        window_end_at
    from concept_checks
    union all
    select
        model_name,
        model_version,
        window_grain,
        'pipeline' as drift_kind,
        case when subject_name = '' then check_name else subject_name end as feature_name,
        check_name as metric_name,
        check_value as metric_value,
        cast(null as double) as expected_value,
        warn_bound,
        fail_bound,
        cast(null as double) as q_value,
        is_low_bad,
        severity,
        cast(null as varchar) as first_happening_id,
        window_start_at,
        window_end_at
    from pipeline_checks
    union all
    -- the run of a job is a window of its own: failures in a row make an incident
    select
        model_name,
        model_version,
        '{{ var("gate_grain") }}' as window_grain,
        'pipeline' as drift_kind,
        subject_name as feature_name,
        check_name as metric_name,
        check_value as metric_value,
        cast(null as double) as expected_value,
        warn_bound,
        fail_bound,
        cast(null as double) as q_value,
        false as is_low_bad,
        severity,
        cast(null as varchar) as first_happening_id,
        window_start_at,
        window_end_at
    from job_checks
    union all
    select
        model_name,
        model_version,
        window_grain,
        'quality' as drift_kind,
        metric_name as feature_name,
        basis as metric_name,
        metric_value,
        cast(null as double) as expected_value,
        warn_bound,
        fail_bound,
        cast(null as double) as q_value,
        is_higher_better as is_low_bad,
        severity,
        cast(null as varchar) as first_happening_id,
        window_start_at,
        window_end_at
    from quality_metrics
),

muted as (
    select
        decisions.model_name,
        decisions.model_version,
        decisions.window_grain,
        decisions.drift_kind,
        decisions.feature_name,
        decisions.metric_name,
        decisions.metric_value,
        decisions.expected_value,
        decisions.warn_bound,
        decisions.fail_bound,
        decisions.q_value,
        decisions.is_low_bad,
        decisions.severity,
        decisions.first_happening_id,
        count(mutes.why) > 0 as is_muted,
        decisions.window_start_at,
        decisions.window_end_at
    from decisions
    left join mutes
        on
            mutes.model_name in ('*', decisions.model_name)
            and mutes.drift_kind in ('*', decisions.drift_kind)
            and mutes.feature_name in ('*', decisions.feature_name)
            and mutes.metric_name in ('*', decisions.metric_name)
            and decisions.window_start_at < mutes.muted_until
    group by all
)

select * from muted
