{# One row per reference whose version has no bins yet: how its rows are halved for categorical features. #}
{{ config(materialized='view') }}
with reference_rows as (
    select
        model_name,
        model_version,
        is_actual_positive,
        window_start_at
    from {{ ref('stg_reference_rows') }}
),

halves as (
    select
        model_name,
        model_version,
        count(*) as row_count,
        count(is_actual_positive) as labelled_count,
        count(distinct window_start_at) as day_count,
        count(distinct window_start_at) >= {{ var('split_minimum_days') }} as is_split_by_days
    from reference_rows
    group by model_name, model_version
)

select * from halves
