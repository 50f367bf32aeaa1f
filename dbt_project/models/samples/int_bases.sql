{# One row per reference and space of vectors (all numeric features, the embedding): scaling, median distance and components. #}
{{ config(on_schema_change='append_new_columns') }}
{% set features = registered_features() %}
with reference_rows as (
    select * from {{ ref('int_reference_features') }}
    {{ where_version_is_new() }}
),

registered as (
    select * from {{ ref('stg_features') }}
),

scales as (
    select * from {{ ref('int_sample_scales') }}
),

row_counts as (
    select
        model_name,
        model_version,
        count(*) as row_count
    from reference_rows
    group by 1, 2
),

-- a feature that most rows lack would leave no row whole
feature_lists as (
    select
        scales.model_name,
        scales.model_version,
        list(scales.feature_name order by scales.feature_name) as feature_names,
        list(scales.reference_mean order by scales.feature_name) as feature_means,
        list(coalesce(nullif(scales.reference_std, 0.0), 1.0) order by scales.feature_name) as feature_stds,
        {{ covariate_positions('list(scales.feature_name order by scales.feature_name)', features) }} as positions
    from scales
    inner join registered
        on
            scales.model_name = registered.model_name
            and scales.model_version = registered.model_version
            and scales.feature_name = lower(registered.feature_name)
    inner join row_counts
        on scales.model_name = row_counts.model_name and scales.model_version = row_counts.model_version
    where
        scales.drift_kind = 'covariate'
        and registered.feature_kind = 'numeric'
        and scales.value_count * 2 >= row_counts.row_count
    group by 1, 2
),

raw_rows as (
    select
        reference_rows.model_name,
        reference_rows.model_version,
        reference_rows.sample_hash,
        reference_rows.embedding,
        {{ covariate_list('reference_rows', features) }} as raw_row
    from reference_rows
),

vectors as (
    select
        raw_rows.model_name,
        raw_rows.model_version,
        'covariate' as drift_kind,
        'all_features' as feature_name,
        raw_rows.sample_hash,
        hash(raw_rows.sample_hash, raw_rows.raw_row) as row_hash,
        {{ joint_row('raw_rows.raw_row', 'feature_lists') }} as vector
    from raw_rows
    inner join feature_lists
        on raw_rows.model_name = feature_lists.model_name and raw_rows.model_version = feature_lists.model_version
    union all
    select
        model_name,
        model_version,
        'embedding' as drift_kind,
        'embedding' as feature_name,
        sample_hash,
        hash(sample_hash, embedding) as row_hash,
        embedding as vector
    from raw_rows
    where embedding is not null
),

-- the id is of the rows, not of what was fitted to them: the last bits of a sum follow the order of threads
fitted as (
    select
        model_name,
        model_version,
        drift_kind,
        feature_name,
        md5(
            concat_ws(
                '|', model_name, model_version, drift_kind, feature_name, {{ var('pca_components') }}, count(*), bit_xor(row_hash)
            )
        ) as basis_id,
        fit_basis(list(vector order by sample_hash), {{ var('pca_components') }}) as answer
    from vectors
    group by 1, 2, 3, 4
),

described as (
    select
        fitted.model_name,
        fitted.model_version,
        fitted.drift_kind,
        fitted.feature_name,
        fitted.basis_id,
        case when fitted.drift_kind = 'covariate' then feature_lists.feature_names end as feature_names,
        case when fitted.drift_kind = 'covariate' then feature_lists.feature_means end as feature_means,
        case when fitted.drift_kind = 'covariate' then feature_lists.feature_stds end as feature_stds,
        struct_extract(fitted.answer, 'row_count') as row_count,
        struct_extract(fitted.answer, 'means') as means,
        struct_extract(fitted.answer, 'median_distance') as median_distance,
        struct_extract(fitted.answer, 'components') as components,
        struct_extract(fitted.answer, 'explained_variances') as explained_variances
    from fitted
    left join feature_lists
        on fitted.model_name = feature_lists.model_name and fitted.model_version = feature_lists.model_version
    where fitted.answer is not null
),

-- drawn by the rows of the basis, and kept: sums over one set of frequencies fit each other
bases as (
    select
        model_name,
        model_version,
        drift_kind,
        feature_name,
        basis_id,
        feature_names,
        feature_means,
        feature_stds,
        row_count,
        means,
        median_distance,
        components,
        explained_variances,
        struct_extract(
            fourier_frequencies(
                cast(len(means) as integer), {{ var('fourier_features') }}, median_distance, cast('0x' || substr(basis_id, 1, 7) as integer)
            ),
            'frequencies'
        ) as frequencies
    from described
)

select * from bases
