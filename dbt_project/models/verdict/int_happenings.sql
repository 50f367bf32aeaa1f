{# One row per happening that another room has told: alarms, verdicts, retrain runs, promotions. Each once. #}
{{ config(materialized='view') }}
with landed as (
    select * from {{ ref('int_landed_happenings') }}
),

happenings as (
    select * from landed
    where copy_number = 1
)

select * from happenings
