{# One row per complete window of a model version, check of the pipeline and subject: the worst that was found in it. #}
{% set found = ['check_name', 'subject_name', 'check_value', 'event_count', 'is_low_bad', 'warn_bound', 'fail_bound', 'severity'] %}
with windows as (
    select * from {{ ref('int_windows') }}
    where is_complete
),

-- what no event tells of (dead letters, gaps, the state of the build) has a time of the clock only; a silence is known once it has lasted
checks as (
    select
        model_name,
        model_version,
        window_grain,
        {% for column in found %}{{ column }},
        {% endfor -%}
        window_grain != 'build' or check_name = 'gaps' as is_lasting,
        window_grain = 'build' or model_name = '*' or check_name = 'silence' as is_by_clock,
        case
            when check_name = 'silence' then window_end_at + to_hours(cast(warn_bound as bigint))
            else coalesce(window_start_at, computed_at)
        end as known_at,
        coalesce(window_start_at, computed_at) as window_start_at,
        window_end_at,
        note
    from {{ ref('fct_pipeline_checks') }}
    -- a job that failed is an incident of its own, of no model's window
    where window_grain != 'run' and (warn_bound is not null or fail_bound is not null)
),

-- a window has its own checks and those of its days; of a day with few events a share says little
by_event as (
    select
        windows.model_name,
        windows.model_version,
        windows.window_grain,
        windows.window_start_at,
        windows.window_end_at,
        {% for column in found %}checks.{{ column }},
        {% endfor -%}
        checks.is_lasting,
        checks.window_grain != windows.window_grain as is_of_part,
        checks.window_start_at as measured_at,
        checks.note
    from windows
    inner join checks
        on
            not checks.is_by_clock
            and windows.model_name = checks.model_name
            and checks.model_version in ('*', windows.model_version)
            and windows.window_start_at <= checks.window_start_at
            and windows.window_end_at >= checks.window_end_at
    where
        windows.window_grain = checks.window_grain
        or (checks.window_grain = 'day' and coalesce(checks.event_count >= {{ var('window_minimum_count') }}, true))
),

calendar as (
    select distinct
        model_name,
        window_grain,
        window_start_at,
        window_end_at + interval {{ var('allowed_lateness_hours') }} hour as complete_at
    from windows
),

firsts as (
    select
        model_name,
        window_grain,
        min(window_start_at) as window_start_at
    from calendar
    group by 1, 2
),

told as (
    select
        firsts.model_name,
        firsts.window_grain,
        firsts.window_start_at as first_start_at,
        checks.model_version,
        {% for column in found %}checks.{{ column }},
        {% endfor -%}
        checks.is_lasting,
        checks.window_grain = 'day' and firsts.window_grain != 'day' as is_of_part,
        checks.known_at,
        checks.window_start_at as measured_at,
        checks.note
    from firsts
    inner join checks on checks.is_by_clock and checks.model_name in ('*', firsts.model_name)
),

-- the newest window that was complete then: it does not move when later windows end
placed as (
    select
        told.model_name,
        told.window_grain,
        told.model_version,
        {% for column in found %}told.{{ column }},
        {% endfor -%}
        told.is_lasting,
        told.is_of_part,
        told.measured_at,
        told.note,
        coalesce(calendar.window_start_at, told.first_start_at) as window_start_at
    from told
    asof left join calendar
        on
            told.model_name = calendar.model_name
            and told.window_grain = calendar.window_grain
            and told.known_at >= calendar.complete_at
),

by_clock as (
    select
        windows.model_name,
        windows.model_version,
        windows.window_grain,
        windows.window_start_at,
        windows.window_end_at,
        {% for column in found %}placed.{{ column }},
        {% endfor -%}
        placed.is_lasting,
        placed.is_of_part,
        placed.measured_at,
        placed.note
    from windows
    inner join placed
        on
            windows.model_name = placed.model_name
            and windows.window_grain = placed.window_grain
            and windows.window_start_at = placed.window_start_at
            and placed.model_version in ('*', windows.model_version)
),

candidates as (
    select * from by_event
    union all
    select * from by_clock
),

ranked as (
    select
        model_name,
        model_version,
        window_grain,
        window_start_at,
        window_end_at,
        {% for column in found %}{{ column }},
        {% endfor -%}
        is_lasting,
        is_of_part,
        measured_at,
        note,
        row_number() over (
            partition by model_name, model_version, window_grain, window_start_at, check_name, subject_name
            order by
                severity desc,
                is_of_part asc,
                case when is_low_bad then -check_value else check_value end desc,
                measured_at asc
        ) as place
    from candidates
),

worst as (
    select
        model_name,
        model_version,
        window_grain,
        window_start_at,
        window_end_at,
        {% for column in found %}{{ column }},
        {% endfor -%}
        is_lasting,
        case when is_of_part then strftime(measured_at, '%Y-%m-%d') || ': ' else '' end || coalesce(note, '') as note,
        measured_at,
        cast('{{ run_started_at.strftime("%Y-%m-%d %H:%M:%S") }}' as timestamp) as computed_at
    from ranked
    where place = 1
)

select * from worst
