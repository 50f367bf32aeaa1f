{# One row per registered model version. #}
with models as (
    select * from {{ ref('stg_models') }}
),

features as (
    select
        model_name,
        model_version,
        count(*) as feature_count
    from {{ ref('stg_features') }}
    group by model_name, model_version
),

described as (
    select
        models.model_name,
        models.model_version,
        models.kind,
        {{ window_timezone('models.model_name') or "'UTC'" }} as window_timezone,
        models.threshold,
        models.embedding_dimension,
        coalesce(features.feature_count, 0) as feature_count,
        models.reference_row_count as reference_count,
        models.is_champion,
        models.created_at,
        models.reference_from,
        models.reference_until
    from models
    left join features
        on models.model_name = features.model_name and models.model_version = features.model_version
)

select * from described
