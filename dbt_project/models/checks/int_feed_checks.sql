{# One row per window (or build) and check of the feed: is it fresh, does enough come, is anything gone. #}
{% set timezone = window_timezone() %}
with windows as (
    select * from {{ ref('int_windows') }}
),

event_days as (
    select * from {{ ref('int_event_days') }}
),

message_days as (
    select * from {{ ref('int_message_days') }}
),

channels as (
    select * from {{ ref('fct_histogram_bins') }}
    where segment_name = 'channel' and segment_value not in ('other', 'none') and drift_kind = 'prediction' and feature_name = 'decision'
),

gaps as (
    select * from {{ ref('int_landing_gaps') }}
    where gap_count > 0
),

model_feeds as (
    select
        model_name,
        max(newest_event_at) as newest_event_at,
        max(as_of) as as_of
    from windows
    group by 1
),

freshness as (
    select
        model_name,
        '*' as model_version,
        'build' as window_grain,
        as_of as window_start_at,
        'freshness' as check_name,
        '' as subject_name,
        greatest(0, date_diff('second', newest_event_at, as_of) / 3600.0) as check_value,
        cast(null as bigint) as event_count,
        'The newest event is of ' || strftime(newest_event_at, '%Y-%m-%d %H:%M') || ' UTC' as note
    from model_feeds
),

model_days as (
    select
        model_name,
        window_start_at,
        min(first_event_at) as first_event_at,
        max(last_event_at) as last_event_at
    from event_days
    where first_event_at is not null
    group by 1, 2
),

-- a fact of the day on which it began, whenever one asks; freshness is what the build sees
silences as (
    select
        model_days.model_name,
        model_days.window_start_at,
        model_days.last_event_at,
        lead(model_days.first_event_at, 1, model_feeds.as_of) over (
            partition by model_days.model_name
            order by model_days.window_start_at
        ) as next_event_at
    from model_days
    inner join model_feeds on model_days.model_name = model_feeds.model_name
),

silence as (
    select
        model_name,
        '*' as model_version,
        'day' as window_grain,
        window_start_at,
        'silence' as check_name,
        '' as subject_name,
        greatest(0, date_diff('second', last_event_at, next_event_at) / 3600.0) as check_value,
        cast(null as bigint) as event_count,
        'No event from ' || strftime(last_event_at, '%Y-%m-%d %H:%M') || ' to '
        || strftime(next_event_at, '%Y-%m-%d %H:%M') || ' UTC' as note
    from silences
),

-- every window from the first to the newest, also those in which nothing came
{% for grain in ['day', 'week', 'month'] %}
{{ grain }}_calendar as (
    select
        model_name,
        model_version,
        '{{ grain }}' as window_grain,
        unnest(generate_series(min(window_start_at), max(window_start_at), interval 1 {{ grain }})) as window_start_at
    from windows
    where window_grain = '{{ grain }}'
    group by 1, 2
),

{% endfor %}
-- a step across a change of the clock is an hour off: to the day is near enough
calendar as (
    select * from day_calendar
    union all
    select * from week_calendar
    union all
    select * from month_calendar
),

-- the whole ('') and each channel
counted as (
    select
        model_name,
        model_version,
        window_grain,
        window_start_at,
        '' as subject_name,
        event_count
    from windows
    union all
    select
        model_name,
        model_version,
        window_grain,
        window_start_at,
        segment_value as subject_name,
        cast(sum(event_count) as bigint) as event_count
    from channels
    group by 1, 2, 3, 4, 5
),

subjects as (
    select distinct
        model_name,
        model_version,
        subject_name
    from counted
),

dated as (
    select
        calendar.model_name,
        calendar.model_version,
        calendar.window_grain,
        coalesce(windows.window_start_at, calendar.window_start_at) as window_start_at,
        windows.is_complete,
        model_feeds.newest_event_at
    from calendar
    inner join model_feeds on calendar.model_name = model_feeds.model_name
    left join windows
        on
            calendar.model_name = windows.model_name
            and calendar.model_version = windows.model_version
            and calendar.window_grain = windows.window_grain
            and abs(date_diff('hour', calendar.window_start_at, windows.window_start_at)) <= 2
),

-- a day is compared with the same weekday of the weeks before it: feeds rest on Sundays
volumes as (
    select
        dated.model_name,
        dated.model_version,
        dated.window_grain,
        dated.window_start_at,
        dated.is_complete,
        dated.newest_event_at,
        subjects.subject_name,
        coalesce(counted.event_count, 0) as event_count,
        median(coalesce(counted.event_count, 0)) over (
            partition by
                dated.model_name,
                dated.model_version,
                dated.window_grain,
                subjects.subject_name,
                case when dated.window_grain = 'day' then isodow({{ local_day('dated.window_start_at', 'dated.model_name') }}) end
            order by dated.window_start_at
            rows between 8 preceding and 1 preceding
        ) as usual_count
    from dated
    inner join subjects
        on dated.model_name = subjects.model_name and dated.model_version = subjects.model_version
    left join counted
        on
            dated.model_name = counted.model_name
            and dated.model_version = counted.model_version
            and dated.window_grain = counted.window_grain
            and dated.window_start_at = counted.window_start_at
            and subjects.subject_name = counted.subject_name
),

volume as (
    select
        model_name,
        model_version,
        window_grain,
        window_start_at,
        case when subject_name = '' then 'volume' else 'channel_volume' end as check_name,
        subject_name,
        event_count / usual_count as check_value,
        cast(usual_count as bigint) as event_count,
        event_count || ' events, usually ' || cast(usual_count as bigint) as note
    from volumes
    where
        usual_count > 0
        and (subject_name = '' or usual_count >= {{ var('segment_minimum_count') }})
        and coalesce(
            is_complete,
            case window_grain
                {%- for grain in ['day', 'week', 'month'] %}
                when '{{ grain }}' then {{ driftnet.window_end('window_start_at', grain, timezone) }}
                {%- endfor %}
            end + interval {{ var('allowed_lateness_hours') }} hour <= newest_event_at
        )
),

incomplete as (
    select
        model_name,
        model_version,
        window_grain,
        window_start_at,
        'incomplete_windows' as check_name,
        '' as subject_name,
        1.0 as check_value,
        cast(null as bigint) as event_count,
        'Closed by the clock of the build: the feed is stale' as note
    from windows
    where is_complete and window_end_at + interval {{ var('allowed_lateness_hours') }} hour > newest_event_at
),

dead_letters as (
    select
        '*' as model_name,
        '*' as model_version,
        'day' as window_grain,
        landed_on as window_start_at,
        'dead_letters' as check_name,
        topic as subject_name,
        dead_count / cast(message_count as double) as check_value,
        message_count as event_count,
        dead_count || ' of ' || message_count || ' landed messages' as note
    from message_days
),

duplicates as (
    select
        model_name,
        model_version,
        'day' as window_grain,
        window_start_at,
        'duplicates' as check_name,
        '' as subject_name,
        duplicate_count / cast(landed_count as double) as check_value,
        landed_count as event_count,
        duplicate_count || ' of ' || landed_count || ' landed events' as note
    from event_days
),

held as (
    select
        model_name,
        model_version,
        'day' as window_grain,
        window_start_at,
        'held_events' as check_name,
        '' as subject_name,
        cast(held_count as double) as check_value,
        cast(null as bigint) as event_count,
        'This version has no reference: give it one with `driftnet import --reference`' as note
    from event_days
    where held_count > 0
),

gap_checks as (
    select
        '*' as model_name,
        '*' as model_version,
        'build' as window_grain,
        folded_at as window_start_at,
        'gaps' as check_name,
        topic || '/' || source_id || '/' || partition_id as subject_name,
        cast(gap_count as double) as check_value,
        cast(null as bigint) as event_count,
        reason as note
    from gaps
),

measured as (
    {{ measured_checks(['freshness', 'silence', 'volume', 'incomplete', 'dead_letters', 'duplicates', 'held', 'gap_checks']) }}
)

select * from measured
