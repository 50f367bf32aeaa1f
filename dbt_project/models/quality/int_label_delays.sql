{# One row per delay after which a label of a class became known: the share of the labels of label_delay_days that are known by then. #}
{{ config(materialized='table') }}
with event_labels as (
    select * from {{ ref('int_event_labels') }}
    where is_applied
),

predictions as (
    select * from {{ ref('int_predictions') }}
    where event_status = 'counted'
),

windows as (
    select * from {{ ref('int_windows') }}
),

known as (
    select
        predictions.model_name,
        predictions.model_version,
        event_labels.is_actual_positive,
        predictions.occurred_at,
        greatest(event_labels.first_labelled_at, predictions.occurred_at) as label_known_at
    from predictions
    inner join event_labels
        on predictions.model_name = event_labels.model_name and predictions.event_id = event_labels.event_id
),

newest_labels as (
    select
        model_name,
        max(label_known_at) as newest_label_at
    from known
    group by model_name
),

-- what could be known is known up to here
clocks as (
    select
        windows.model_name,
        greatest(max(windows.as_of), max(newest_labels.newest_label_at)) as as_of
    from windows
    inner join newest_labels on windows.model_name = newest_labels.model_name
    group by windows.model_name
),

delays as (
    select
        known.model_name,
        known.model_version,
        known.is_actual_positive,
        clocks.as_of,
        epoch(known.label_known_at) - epoch(known.occurred_at) as delay_seconds,
        least(epoch(clocks.as_of) - epoch(known.occurred_at), {{ var('label_delay_days') }} * 86400.0) as room_seconds
    from known
    inner join clocks on known.model_name = clocks.model_name
    where
        known.label_known_at <= known.occurred_at + interval {{ var('label_delay_days') }} day
        and known.occurred_at >= clocks.as_of - interval {{ var('label_delay_history_days') }} day
),

shares as (
    {{ driftnet.reverse_product_limit(
        'delays', ['model_name', 'model_version', 'is_actual_positive', 'as_of'], 'delay_seconds', 'room_seconds'
    ) }}
)

select * from shares
