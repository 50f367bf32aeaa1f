{# One row per model: how fresh its events are, as of the build. #}
with windows as (
    select * from {{ ref('int_windows') }}
),

feeds as (
    select
        model_name,
        max(newest_event_at) + interval {{ var('stale_after_hours') }} hour <= max(as_of) as is_stale,
        max(newest_event_at) as newest_event_at,
        max(as_of) as as_of
    from windows
    group by model_name
)

select * from feeds
