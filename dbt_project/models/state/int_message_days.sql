{# One row per topic and day of landing: how many messages landed, and how many of them are dead. #}
{{ config(
    incremental_strategy='delete+insert',
    unique_key='topic, landed_on',
) }}
with predictions as (
    select * from {{ ref('int_predictions') }}
),

labels as (
    select * from {{ ref('int_labels') }}
),

messages as (
    select
        fold_id,
        '{{ var("predictions_topic") }}' as topic,
        date_trunc('day', landed_at) as landed_on,
        event_status = 'dead' as is_dead
    from predictions
    union all
    select
        fold_id,
        '{{ var("labels_topic") }}' as topic,
        date_trunc('day', landed_at) as landed_on,
        is_dead
    from labels
),

{% if is_incremental() %}
touched as (
    select distinct
        topic,
        landed_on
    from messages
    where fold_id > (select coalesce(max(fold_id), 0) from {{ this }})
),
{% endif %}

days as (
    select
        messages.topic,
        messages.landed_on,
        count(*) as message_count,
        count(*) filter (where messages.is_dead) as dead_count,
        max(messages.fold_id) as fold_id
    from messages
    {%- if is_incremental() %}
    semi join touched
        on messages.topic = touched.topic and messages.landed_on = touched.landed_on
    {%- endif %}
    group by 1, 2
)

select * from days
