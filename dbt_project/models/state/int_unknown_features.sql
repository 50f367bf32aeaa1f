{# One row per fold, day and feature that a version's events carry but its feature list lacks; and one row with no name per fold. #}
{{ config(incremental_strategy='append') }}
with landed as (
    select * from {{ ref('stg_predictions') }}
    {#- a row of a fold that this table has is of no interest, though the file is read for a held event -#}
),

folds as (
    select * from {{ ref('int_folds') }}
    where topic = '{{ var("predictions_topic") }}'
),

features as (
    select * from {{ ref('stg_features') }}
),

new_events as (
    select
        folds.fold_id,
        coalesce(landed.model_name, '') as model_name,
        landed.model_version,
        landed.window_start_at,
        landed.other_feature_names
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
),

names as (
    select
        fold_id,
        model_name,
        model_version,
        window_start_at,
        unnest(other_feature_names) as feature_name
    from new_events
    where other_feature_names is not null
),

unknown as (
    select
        names.fold_id,
        names.model_name,
        names.model_version,
        names.window_start_at,
        names.feature_name,
        count(*) as event_count
    from names
    anti join features
        on
            names.model_name = features.model_name
            and names.model_version = features.model_version
            and names.feature_name = lower(features.feature_name)
    group by 1, 2, 3, 4, 5
),

-- so that the watermark moves over folds in which all is known
read_folds as (
    select
        fold_id,
        '' as model_name,
        '' as model_version,
        cast(null as timestamp) as window_start_at,
        '' as feature_name,
        count(*) as event_count
    from new_events
    group by fold_id
),

counted as (
    select * from unknown
    union all
    select * from read_folds
)

select * from counted
