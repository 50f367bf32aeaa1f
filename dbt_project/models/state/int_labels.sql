{# One row per landed position of the labels topic. #}
{{ config(incremental_strategy='append') }}
with landed as (
    select * from {{ ref('stg_labels') }}
),

folds as (
    select * from {{ ref('int_folds') }}
    where topic = '{{ var("labels_topic") }}'
),

labels as (
    select
        folds.fold_id,
        landed.source_id,
        landed.partition_id,
        landed.position,
        landed.event_id,
        landed.model_name,
        landed.label_source,
        landed.is_actual_positive,
        landed.is_dead,
        landed.labelled_at,
        landed.landed_at
    from landed
    inner join folds
        on
            landed.source_id = folds.source_id
            and landed.partition_id = folds.partition_id
            and landed.position >= folds.after_offset
            and landed.position < folds.upto_offset
    {%- if is_incremental() %}
    where folds.fold_id > (select coalesce(max(fold_id), 0) from {{ this }})
    {%- endif %}
)

select * from labels
