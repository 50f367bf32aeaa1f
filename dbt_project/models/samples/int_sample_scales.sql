{# One row per number of a reference (feature or score): its mean, unit and the scale of its Wasserstein distances. #}
{% set features = registered_features() %}
{% set keep = ['model_name', 'model_version'] %}
with reference_rows as (
    select * from {{ ref('int_reference_features') }}
    {{ where_version_is_new() }}
),

long as (
    {{ driftnet.unpivot('reference_rows', keep, number_columns(features), 'column_name', 'number_value') }}
),

measured as (
    select
        model_name,
        model_version,
        column_name,
        wasserstein_scale(list(number_value)) as answer
    from long
    group by 1, 2, 3
),

scales as (
    select
        model_name,
        model_version,
        split_part(column_name, '_', 1) as drift_kind,
        substr(column_name, strpos(column_name, '_') + 1) as feature_name,
        struct_extract(answer, 'row_count') as value_count,
        struct_extract(answer, 'mean') as reference_mean,
        struct_extract(answer, 'std') as reference_std,
        struct_extract(answer, 'wasserstein_scale') as wasserstein_scale
    from measured
    where answer is not null
)

select * from scales
