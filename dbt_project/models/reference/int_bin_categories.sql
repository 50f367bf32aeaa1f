{# One row per category that a reference shows on the half that chooses categories, with its bin. #}
with reference_values as (
    select * from {{ ref('int_reference_values') }}
    {{ where_version_is_new() }}
),

features as (
    select * from {{ ref('stg_features') }}
),

halves as (
    select * from {{ ref('int_reference_halves') }}
),

choosing as (
    select
        reference_values.model_name,
        reference_values.model_version,
        reference_values.feature_name,
        reference_values.text_value as category,
        count(*) as row_count
    from reference_values
    inner join features
        on
            reference_values.model_name = features.model_name
            and reference_values.model_version = features.model_version
            and reference_values.feature_name = features.feature_name
            and reference_values.drift_kind = 'covariate'
            and features.feature_kind = 'categorical'
    inner join halves
        on
            reference_values.model_name = halves.model_name
            and reference_values.model_version = halves.model_version
    where
        reference_values.text_value is not null
        and {{ is_choosing_half('halves.is_split_by_days', 'reference_values.window_start_at', 'reference_values.event_id', 'reference_values.model_name') }}
    group by 1, 2, 3, 4
),

ranked as (
    select
        model_name,
        model_version,
        feature_name,
        category,
        row_count,
        row_number() over (
            partition by model_name, model_version, feature_name
            order by row_count desc, category asc
        ) as category_rank
    from choosing
),

categories as (
    select
        model_name,
        model_version,
        feature_name,
        category,
        cast(
            case
                when category_rank <= {{ var('max_categories') }} then category_rank - 1
                else {{ bin_code('other') }}
            end as utinyint
        ) as bin_index,
        row_count as choosing_count
    from ranked
)

select * from categories
