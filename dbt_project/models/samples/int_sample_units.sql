{# One row per reference, window length, feature and metric: how far windows of the reference are from the rest of it, in units of chance. #}
{{ config(materialized='table') }}
with distances as (
    select * from {{ ref('int_reference_distances') }}
),

learnt as (
    select
        model_name,
        model_version,
        window_grain,
        drift_kind,
        feature_name,
        metric_name,
        count(*) as window_count,
        avg(value_in_units) as mean_unit,
        stddev_samp(value_in_units) as std_unit
    from distances
    where value_in_units is not null
    group by 1, 2, 3, 4, 5, 6
)

select * from learnt
