{# One row per landed happening of another room, copies of one that landed before included: what has been read. #}
{{ config(materialized='incremental', incremental_strategy='append') }}
with landed as (
    select * from {{ ref('stg_happenings') }}
),

{% if is_incremental() -%}
known as (
    select
        happening_id,
        count(*) as copy_count
    from {{ this }}
    group by happening_id
),

{% endif -%}
numbered as (
    select
        landed.happening_id,
        landed.file_name,
        landed.room,
        landed.kind,
        landed.model_name,
        landed.model_version,
        landed.subject_name,
        landed.summary,
        landed.detail,
        landed.source_position,
        landed.severity,
        -- 1 is the happening, what follows are copies of it
        {% if is_incremental() %}coalesce(known.copy_count, 0) + {% endif -%}
        row_number() over (partition by landed.happening_id order by landed.file_name) as copy_number,
        landed.happened_at
    from landed
    {%- if is_incremental() %}
    left join known on landed.happening_id = known.happening_id
    {%- endif %}
)

select * from numbered
