{# One row per window, segment, feature and metric that samples give: the value, its law and its p-value. #}
{{ config(materialized='table') }}
{% set segment_key = ['model_name', 'model_version', 'window_grain', 'window_start_at', 'segment_name', 'segment_value'] %}
with numbers as (
    select * from {{ ref('int_number_comparisons') }}
),

vectors as (
    select * from {{ ref('int_vector_comparisons') }}
),

scales as (
    select * from {{ ref('int_sample_scales') }}
),

blocks as (
    select * from {{ ref('int_reference_blocks') }}
),

bin_specs as (
    select * from {{ ref('int_bin_specs') }}
),

-- the rows of the reference's sample are spread over its blocks as all of its rows are
block_variances as (
    select
        {% for name in segment_key %}numbers.{{ name }},
        {% endfor -%}
        numbers.drift_kind,
        numbers.feature_name,
        max(
            ({{ driftnet.design_effect(
                'blocks.rho', 'blocks.squared_size_sum * least(1.0, numbers.reference_count / cast(blocks.row_count as double))', 'blocks.row_count'
            ) }}) / numbers.reference_count
            + ({{ driftnet.design_effect(
                'blocks.rho',
                "case when blocks.block_grain = 'day' then numbers.squared_day_sum else numbers.row_count * cast(numbers.row_count as double) end",
                'numbers.row_count'
            ) }}) / numbers.current_count
        ) as sampling_variance
    from numbers
    inner join blocks
        on
            numbers.model_name = blocks.model_name
            and numbers.model_version = blocks.model_version
            and numbers.segment_name = blocks.segment_name
            and numbers.segment_value = blocks.segment_value
            and numbers.drift_kind = blocks.drift_kind
            and numbers.feature_name = blocks.feature_name
            and blocks.block_grain in ('day', numbers.window_grain)
    where blocks.rho is not null
    group by all
),

number_laws as (
    select
        {% for name in segment_key %}numbers.{{ name }},
        {% endfor -%}
        numbers.drift_kind,
        numbers.feature_name,
        bin_specs.bin_spec_id,
        numbers.ks_statistic,
        numbers.wasserstein_distance / nullif(scales.reference_std, 0) as wasserstein,
        scales.wasserstein_scale,
        1.0 / numbers.reference_count + 1.0 / numbers.current_count as independent_variance,
        coalesce(block_variances.sampling_variance, 1.0 / numbers.reference_count + 1.0 / numbers.current_count) as sampling_variance,
        block_variances.sampling_variance is not null as has_design_effect,
        numbers.reference_count,
        numbers.current_count,
        numbers.fold_id
    from numbers
    inner join scales
        on
            numbers.model_name = scales.model_name
            and numbers.model_version = scales.model_version
            and numbers.drift_kind = scales.drift_kind
            and numbers.feature_name = scales.feature_name
    -- the score, and features that are numbers: a boolean has no order worth a distance
    inner join bin_specs
        on
            numbers.model_name = bin_specs.model_name
            and numbers.model_version = bin_specs.model_version
            and numbers.drift_kind = bin_specs.drift_kind
            and numbers.feature_name = bin_specs.feature_name
            and bin_specs.feature_kind = 'numeric'
    left join block_variances
        on
            {% for name in segment_key + ['drift_kind', 'feature_name'] %}{{ "and " if not loop.first }}numbers.{{ name }} = block_variances.{{ name }}
            {% endfor %}
    where numbers.ks_statistic is not null
),

{% set key = segment_key + ['drift_kind', 'feature_name', 'bin_spec_id'] -%}
{% set facts = ['sampling_variance', 'design_effect', 'has_design_effect', 'reference_count', 'current_count', 'fold_id'] -%}
ks_rows as (
    select
        {{ key | join(',\n        ') }},
        'ks_statistic' as metric_name,
        ks_statistic as metric_value,
        0.8687 * sqrt(sampling_variance) as expected_value,
        2.0 * sqrt(sampling_variance) as min_detectable_value,
        kolmogorov_sf(ks_statistic / sqrt(sampling_variance)) as p_value,
        sampling_variance / independent_variance as design_effect,
        sampling_variance,
        has_design_effect,
        reference_count,
        current_count,
        fold_id
    from number_laws
),

wasserstein_rows as (
    select
        {{ key | join(',\n        ') }},
        'wasserstein' as metric_name,
        wasserstein as metric_value,
        -- the scale is that of the whole
        case when segment_name = 'all' then sqrt(2 * sampling_variance / pi()) * wasserstein_scale end as expected_value,
        cast(null as double) as min_detectable_value,
        cast(null as double) as p_value,
        sampling_variance / independent_variance as design_effect,
        sampling_variance,
        has_design_effect,
        reference_count,
        current_count,
        fold_id
    from number_laws
    where wasserstein is not null
),

vector_rows as (
    select
        {% for name in segment_key %}vectors.{{ name }},
        {% endfor -%}
        vectors.drift_kind,
        vectors.feature_name,
        vectors.basis_id as bin_spec_id,
        vector_metrics.metric_name,
        case vector_metrics.metric_name when 'mmd_squared' then vectors.mmd_squared else vectors.pca_wasserstein end as metric_value,
        case when vector_metrics.metric_name = 'mmd_squared' then 0.0 end as expected_value,
        cast(null as double) as min_detectable_value,
        case vector_metrics.metric_name when 'mmd_squared' then vectors.mmd_p_value else vectors.pca_p_value end as p_value,
        cast(null as double) as design_effect,
        1.0 / vectors.reference_count + 1.0 / vectors.current_count as sampling_variance,
        false as has_design_effect,
        vectors.reference_count,
        vectors.current_count,
        vectors.fold_id
    from vectors
    cross join (values ('mmd_squared'), ('pca_wasserstein')) as vector_metrics (metric_name)
    where vectors.mmd_squared is not null and (vector_metrics.metric_name = 'mmd_squared' or vectors.pca_wasserstein is not null)
),

{% set columns = key + ['metric_name', 'metric_value', 'expected_value', 'min_detectable_value', 'p_value'] + facts -%}
metrics as (
    {%- for rows in ['ks_rows', 'wasserstein_rows', 'vector_rows'] %}
    select
        {{ columns | join(',\n        ') }}
    from {{ rows }}
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

described as (
    select
        metrics.model_name,
        metrics.model_version,
        metrics.window_grain,
        metrics.window_start_at,
        'training' as reference_kind,
        metrics.segment_name,
        metrics.segment_value,
        metrics.drift_kind,
        metrics.feature_name,
        metrics.bin_spec_id,
        metrics.metric_name,
        metrics.metric_value,
        metrics.expected_value,
        metrics.min_detectable_value,
        metrics.p_value,
        cast(null as double) as q_value,
        metrics.design_effect,
        metrics.has_design_effect,
        metrics.sampling_variance,
        cast(null as integer) as degrees_of_freedom,
        metrics.reference_count,
        metrics.current_count,
        metrics.fold_id
    from metrics
)

select * from described
