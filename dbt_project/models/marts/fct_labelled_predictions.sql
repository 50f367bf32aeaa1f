{# One row per counted prediction whose label is known, of the last labelled_prediction_days days of its model. #}
{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='model_name, event_id',
    on_schema_change='append_new_columns',
    contract={'enforced': false},
    post_hook="
        delete from {{ this }}
        where
            occurred_at < (
                select max(newest.occurred_at) - interval {{ var('labelled_prediction_days') }} day
                from {{ ref('int_predictions') }} as newest
                where newest.event_status = 'counted' and newest.model_name = {{ this.identifier }}.model_name
            )
    ",
) }}
with event_labels as (
    select * from {{ ref('int_event_labels') }}
    where
        is_applied
        {%- if is_incremental() %}
        and fold_id > (select coalesce(max(fold_id), 0) from {{ this }})
        {%- endif %}
),

predictions as (
    select * from {{ ref('int_predictions') }}
    where event_status = 'counted'
),

labelled as (
    select
        predictions.model_name,
        predictions.model_version,
        predictions.event_id,
        predictions.source_id,
        predictions.partition_id,
        predictions.position,
        predictions.channel,
        predictions.cluster,
        {%- for segment in segment_code_columns() %}
        predictions.{{ segment }},
        {%- endfor %}
        event_labels.label_source,
        predictions.score,
        predictions.is_predicted_positive,
        event_labels.is_actual_positive,
        predictions.occurred_at,
        event_labels.labelled_at,
        -- a label cannot be known before its event, whatever its clock says
        greatest(event_labels.first_labelled_at, predictions.occurred_at) as label_known_at,
        predictions.window_start_at,
        event_labels.fold_id
    from predictions
    inner join event_labels
        on predictions.model_name = event_labels.model_name and predictions.event_id = event_labels.event_id
)

select * from labelled
