{# One row per window of a model version: when it ends, how much it holds, whether it is complete. #}
{{ config(materialized='table') }}
{% set timezone = window_timezone() %}
with histograms as (
    select * from {{ ref('int_histograms') }}
),

event_days as (
    select * from {{ ref('int_event_days') }}
),

-- every event has one decision: its bins count events
days as (
    select
        model_name,
        model_version,
        window_start_at,
        sum(event_count) as event_count,
        sum(labelled_count) as labelled_count,
        max(fold_id) as fold_id,
        max(counted_fold_id) as counted_fold_id
    from histograms
    where segment_name = 'all' and drift_kind = 'prediction' and feature_name = 'decision'
    group by 1, 2, 3
),

newest_events as (
    select
        model_name,
        max(last_event_at) as newest_event_at,
        arg_max(last_landed_at, last_event_at) as newest_landed_at
    from event_days
    group by model_name
),

-- an archive arrives long after it happened: its clock is its newest event; a live feed has the clock of the build
feeds as (
    select
        model_name,
        newest_event_at,
        {% if var('as_of') is none -%}
        case
            when newest_landed_at > newest_event_at + interval {{ var('stale_after_hours') }} hour then newest_event_at
            else cast('{{ run_started_at.strftime("%Y-%m-%d %H:%M:%S") }}' as timestamp)
        end
        {%- else -%}
        cast('{{ var("as_of") }}' as timestamp)
        {%- endif %} as as_of
    from newest_events
),

{% for grain in ['day', 'week', 'month'] %}
{{ grain }}_windows as (
    select
        model_name,
        model_version,
        '{{ grain }}' as window_grain,
        {{ driftnet.window_start('window_start_at', grain, timezone) }} as start_at,
        cast(sum(event_count) as bigint) as event_count,
        cast(sum(labelled_count) as bigint) as labelled_count,
        sum(event_count * cast(event_count as double)) as squared_day_sum,
        max(fold_id) as fold_id,
        max(counted_fold_id) as counted_fold_id
    from days
    group by all
),

{{ grain }}_ends as (
    select
        model_name,
        model_version,
        window_grain,
        start_at as window_start_at,
        {{ driftnet.window_end('start_at', grain, timezone) }} as window_end_at,
        event_count,
        labelled_count,
        squared_day_sum,
        fold_id,
        counted_fold_id
    from {{ grain }}_windows
),

{% endfor %}
windows as (
    select * from day_ends
    union all
    select * from week_ends
    union all
    select * from month_ends
),

completed as (
    select
        windows.model_name,
        windows.model_version,
        windows.window_grain,
        windows.event_count,
        windows.labelled_count,
        windows.squared_day_sum,
        windows.fold_id,
        windows.counted_fold_id,
        -- by event time, or by the clock once the feed is stale
        windows.window_end_at + interval {{ var('allowed_lateness_hours') }} hour <= feeds.newest_event_at
        or (
            feeds.newest_event_at + interval {{ var('stale_after_hours') }} hour <= feeds.as_of
            and windows.window_end_at + interval {{ var('allowed_lateness_hours') }} hour <= feeds.as_of
        ) as is_complete,
        windows.window_start_at,
        windows.window_end_at,
        feeds.newest_event_at,
        feeds.as_of
    from windows
    inner join feeds on windows.model_name = feeds.model_name
)

select * from completed
