{# One row per breakpoint of a version's calibration: between it and the next a score becomes a probability along a straight line. #}
{{ config(incremental_strategy='append') }}
with calibrations as (
    select * from {{ ref('int_calibrations') }}
    {{ where_version_is_new() }}
),

points as (
    select
        model_name,
        model_version,
        unnest(scores) as score,
        unnest(probabilities) as probability
    from calibrations
),

-- constant below the least score that was learnt from
extended as (
    select * from points
    union all
    select
        model_name,
        model_version,
        0.0e0 as score,
        min(probability) as probability
    from points
    group by model_name, model_version
    having min(score) > 0
),

linked as (
    select
        model_name,
        model_version,
        score,
        probability,
        lead(score) over (partition by model_name, model_version order by score asc) as next_score,
        lead(probability) over (partition by model_name, model_version order by score asc) as next_probability
    from extended
)

select * from linked
