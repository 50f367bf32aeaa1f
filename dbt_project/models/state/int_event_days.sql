{# One row per day of a model version: how many of its landed events count, repeat or wait, and its first and last. #}
{{ config(
    incremental_strategy='delete+insert',
    unique_key='model_name, model_version, window_start_at',
) }}
with predictions as (
    select * from {{ ref('int_predictions') }}
    where event_status != 'dead'
),

{% if is_incremental() %}
folded as (
    select coalesce(max(fold_id), 0) as fold_id from {{ this }}
),

-- days with a new event, or with one that waited and counts now
touched as (
    select distinct
        model_name,
        model_version,
        window_start_at
    from predictions
    where greatest(fold_id, counted_fold_id) > (select fold_id from folded)
),
{% endif %}

days as (
    select
        predictions.model_name,
        predictions.model_version,
        predictions.window_start_at,
        count(*) as landed_count,
        count(*) filter (where predictions.event_status = 'duplicate') as duplicate_count,
        count(*) filter (where predictions.event_status = 'held') as held_count,
        min(predictions.occurred_at) filter (where predictions.event_status != 'duplicate') as first_event_at,
        max(predictions.occurred_at) filter (where predictions.event_status != 'duplicate') as last_event_at,
        arg_max(predictions.landed_at, predictions.occurred_at) filter (where predictions.event_status != 'duplicate') as last_landed_at,
        max(greatest(predictions.fold_id, predictions.counted_fold_id)) as fold_id
    from predictions
    {%- if is_incremental() %}
    semi join touched
        on
            predictions.model_name = touched.model_name
            and predictions.model_version = touched.model_version
            and predictions.window_start_at = touched.window_start_at
    {%- endif %}
    group by 1, 2, 3
)

select * from days
