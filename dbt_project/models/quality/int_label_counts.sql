{# One row per model with a landed label: what became of each of them. #}
{{ config(materialized='table') }}
with labels as (
    select * from {{ ref('int_labels') }}
),

event_labels as (
    select * from {{ ref('int_event_labels') }}
),

predictions as (
    select * from {{ ref('int_predictions') }}
),

landed as (
    select
        coalesce(model_name, '*') as model_name,
        count(*) as landed_count,
        count(*) filter (where is_dead) as dead_count,
        max(labelled_at) filter (where not is_dead) as newest_labelled_at
    from labels
    group by 1
),

newest_predictions as (
    select
        model_name,
        max(occurred_at) as newest_occurred_at
    from predictions
    where event_status in ('counted', 'held')
    group by 1
),

-- by the time of the events, not by a clock: what is known by then does not depend on when it is asked
newest as (
    select
        landed.model_name,
        landed.landed_count,
        landed.dead_count,
        greatest(landed.newest_labelled_at, newest_predictions.newest_occurred_at) as newest_at
    from landed
    left join newest_predictions on landed.model_name = newest_predictions.model_name
),

unapplied as (
    select
        event_labels.model_name,
        event_labels.event_id,
        event_labels.labelled_at
    from event_labels
    where not event_labels.is_applied
),

-- a held prediction is there: its label waits for as long as it is held
held as (
    select
        unapplied.model_name,
        unapplied.event_id
    from unapplied
    semi join predictions
        on
            predictions.event_status = 'held'
            and unapplied.model_name = predictions.model_name
            and unapplied.event_id = predictions.event_id
),

waits as (
    select
        unapplied.model_name,
        count(*) filter (
            where held.event_id is not null
            or unapplied.labelled_at + interval {{ var('label_wait_days') }} day >= newest.newest_at
        ) as waiting_count,
        count(*) as unapplied_count
    from unapplied
    inner join newest on unapplied.model_name = newest.model_name
    left join held
        on unapplied.model_name = held.model_name and unapplied.event_id = held.event_id
    group by 1
),

events as (
    select
        model_name,
        count(*) filter (where is_applied) as applied_count,
        cast(sum(label_count) - count(*) as bigint) as superseded_count,
        cast(sum(contradicting_count) as bigint) as contradicted_count
    from event_labels
    group by 1
),

counted as (
    select
        newest.model_name,
        newest.landed_count,
        coalesce(events.applied_count, 0) as applied_count,
        coalesce(events.superseded_count, 0) as superseded_count,
        coalesce(waits.waiting_count, 0) as waiting_count,
        coalesce(waits.unapplied_count - waits.waiting_count, 0) as orphaned_count,
        newest.dead_count,
        coalesce(events.contradicted_count, 0) as contradicted_count,
        newest.newest_at
    from newest
    left join events on newest.model_name = events.model_name
    left join waits on newest.model_name = waits.model_name
)

select * from counted
