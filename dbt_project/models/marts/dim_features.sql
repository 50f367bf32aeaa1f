{# One row per feature of a model version, the score and the decision among them. #}
with bin_specs as (
    select * from {{ ref('int_bin_specs') }}
),

features as (
    select * from {{ ref('stg_features') }}
),

blocks as (
    select * from {{ ref('int_reference_blocks') }}
    where block_grain = 'day' and segment_name = 'all'
),

scales as (
    select * from {{ ref('int_sample_scales') }}
),

described as (
    select
        bin_specs.model_name,
        bin_specs.model_version,
        bin_specs.drift_kind,
        bin_specs.feature_name,
        bin_specs.feature_kind,
        case
            when bin_specs.drift_kind = 'covariate' then features.unit
            when bin_specs.feature_name = 'score' then 'probability'
            when bin_specs.drift_kind = 'label' then 'true when the event was positive'
            else 'true when the event is judged positive'
        end as unit,
        case
            when bin_specs.drift_kind = 'covariate' then features.description
            when bin_specs.feature_name = 'score' then 'What the model gave, 0 to 1.'
            when bin_specs.drift_kind = 'label' then 'What was true, of events whose label is known.'
            else 'What the model decided at its threshold.'
        end as description,
        bin_specs.bin_spec_id,
        blocks.row_count as reference_count,
        blocks.rho,
        blocks.block_count,
        blocks.rho is not null as has_design_effect,
        case when bin_specs.feature_kind = 'numeric' then scales.wasserstein_scale end as wasserstein_scale
    from bin_specs
    left join features
        on
            bin_specs.drift_kind = 'covariate'
            and bin_specs.model_name = features.model_name
            and bin_specs.model_version = features.model_version
            and bin_specs.feature_name = lower(features.feature_name)
    left join blocks
        on
            bin_specs.model_name = blocks.model_name
            and bin_specs.model_version = blocks.model_version
            and bin_specs.drift_kind = blocks.drift_kind
            and bin_specs.feature_name = blocks.feature_name
    left join scales
        on
            bin_specs.model_name = scales.model_name
            and bin_specs.model_version = scales.model_version
            and bin_specs.drift_kind = scales.drift_kind
            and bin_specs.feature_name = scales.feature_name
)

select * from described
