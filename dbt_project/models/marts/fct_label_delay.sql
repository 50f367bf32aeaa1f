{# One row per model version, class and age: the share of the labels that come in time of which are known by that age. #}
with label_delays as (
    select * from {{ ref('int_label_delays') }}
),

classes as (
    select
        model_name,
        model_version,
        is_actual_positive,
        as_of,
        count(*) as delay_count
    from label_delays
    group by 1, 2, 3, 4
),

ages as (
    select
        classes.model_name,
        classes.model_version,
        classes.is_actual_positive,
        classes.as_of,
        classes.delay_count,
        hours.age_hours
    from classes
    cross join (
        values (1.0e0), (3.0e0), (6.0e0), (12.0e0), (24.0e0), (48.0e0), (72.0e0), (120.0e0), (168.0e0), (240.0e0), (336.0e0), (504.0e0), (720.0e0)
    ) as hours (age_hours)
),

delays as (
    select
        ages.model_name,
        ages.model_version,
        ages.is_actual_positive,
        ages.age_hours,
        max(case when label_delays.delay <= ages.age_hours * 3600 then label_delays.known_share else 0.0 end) as known_share,
        ages.delay_count,
        ages.as_of
    from ages
    inner join label_delays
        on
            ages.model_name = label_delays.model_name
            and ages.model_version = label_delays.model_version
            and ages.is_actual_positive = label_delays.is_actual_positive
    group by all
)

select * from delays
