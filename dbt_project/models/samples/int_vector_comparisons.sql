{# One row per window and space of vectors: MMD and distances along the components of its sample from that of the reference. #}
{{ config(
    incremental_strategy='delete+insert',
    unique_key='model_name, model_version, window_grain, window_start_at',
    pre_hook="{{ begin_batches(changed_windows(var('vector_grains'), var('window_minimum_count'))) }}",
    post_hook='{{ finish_batches() }}',
) }}
{% set features = registered_features() %}
{% set numbers = number_columns(features) %}
with windows as (
    {{ changed_windows(var('vector_grains'), var('window_minimum_count')) }}
    and {{ in_batch('windows.window_start_at') }}
),

samples as (
    select * from {{ ref('int_samples') }}
),

reference_rows as (
    select * from {{ ref('int_reference_features') }}
),

bases as (
    {{ measured_bases(['means', 'median_distance', 'components', 'explained_variances'], features) }}
),

reference_samples as (
    {{ reference_sample('reference_rows', var('embedding_sample_size'), ['model_name', 'model_version', 'window_start_at', 'sample_hash', 'embedding'] + numbers) }}
),

reference_raw as (
    select
        reference_samples.model_name,
        reference_samples.model_version,
        reference_samples.sample_hash,
        {{ day_number('reference_samples.window_start_at', 'reference_samples.model_name') }} as day_number,
        reference_samples.embedding,
        {{ covariate_list('reference_samples', features) }} as raw_row
    from reference_samples
),

-- in one order, so that sums are the same to the last digit however events came
reference_vectors as (
    select
        bases.model_name,
        bases.model_version,
        bases.basis_id,
        list(reference_raw.day_number order by reference_raw.sample_hash) as day_numbers,
        list(
            {{ basis_vector('reference_raw') }}
            order by reference_raw.sample_hash
        ) as vectors
    from reference_raw
    inner join bases
        on reference_raw.model_name = bases.model_name and reference_raw.model_version = bases.model_version
    group by 1, 2, 3
),

window_rows as (
    {%- for grain in var('vector_grains') %}
    select
        windows.model_name,
        windows.model_version,
        windows.window_grain,
        windows.window_start_at,
        windows.fold_id,
        samples.sample_hash,
        {{ day_number('samples.window_start_at', 'samples.model_name') }} as day_number,
        samples.embedding,
        {{ covariate_list('samples', features) }} as raw_row,
        row_number() over (
            partition by windows.model_name, windows.model_version, windows.window_start_at
            order by samples.sample_hash asc
        ) as sample_rank
    from windows
    inner join samples
        on
            windows.model_name = samples.model_name
            and windows.model_version = samples.model_version
            and windows.window_start_at = {{ driftnet.window_start('samples.window_start_at', grain, window_timezone('samples.model_name')) }}
            and windows.sample_limit >= samples.sample_hash
    where
        windows.window_grain = '{{ grain }}'
        and {{ near_batch('samples.window_start_at', grain) }}
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

window_vectors as (
    select
        window_rows.model_name,
        window_rows.model_version,
        window_rows.window_grain,
        window_rows.window_start_at,
        window_rows.fold_id,
        bases.drift_kind,
        bases.feature_name,
        bases.basis_id,
        list(window_rows.day_number order by window_rows.sample_hash) as day_numbers,
        list(
            {{ basis_vector('window_rows') }}
            order by window_rows.sample_hash
        ) as vectors
    from window_rows
    inner join bases
        on window_rows.model_name = bases.model_name and window_rows.model_version = bases.model_version
    where window_rows.sample_rank <= {{ var('embedding_sample_size') }}
    group by 1, 2, 3, 4, 5, 6, 7, 8
),

compared as (
    select
        window_vectors.model_name,
        window_vectors.model_version,
        window_vectors.window_grain,
        window_vectors.window_start_at,
        window_vectors.fold_id,
        window_vectors.drift_kind,
        window_vectors.feature_name,
        window_vectors.basis_id,
        mmd_squared(
            reference_vectors.vectors,
            window_vectors.vectors,
            reference_vectors.day_numbers,
            window_vectors.day_numbers,
            bases.median_distance,
            {{ var('permutations') }},
            {{ var('permutation_seed') }}
        ) as mmd,
        case
            when window_vectors.drift_kind = 'embedding'
                then pca_wasserstein(
                    reference_vectors.vectors,
                    window_vectors.vectors,
                    reference_vectors.day_numbers,
                    window_vectors.day_numbers,
                    bases.means,
                    bases.components,
                    bases.explained_variances,
                    {{ var('permutations') }},
                    {{ var('permutation_seed') }}
                )
        end as pca
    from window_vectors
    inner join reference_vectors
        on
            window_vectors.model_name = reference_vectors.model_name
            and window_vectors.model_version = reference_vectors.model_version
            and window_vectors.basis_id = reference_vectors.basis_id
    inner join bases
        on
            window_vectors.model_name = bases.model_name
            and window_vectors.model_version = bases.model_version
            and window_vectors.basis_id = bases.basis_id
),

comparisons as (
    select
        model_name,
        model_version,
        window_grain,
        window_start_at,
        drift_kind,
        feature_name,
        basis_id,
        struct_extract(mmd, 'statistic') as mmd_squared,
        struct_extract(mmd, 'p_value') as mmd_p_value,
        struct_extract(pca, 'statistic') as pca_wasserstein,
        struct_extract(pca, 'p_value') as pca_p_value,
        struct_extract(pca, 'distances') as component_distances,
        struct_extract(pca, 'shifts') as component_shifts,
        struct_extract(pca, 'weights') as component_weights,
        struct_extract(mmd, 'reference_count') as reference_count,
        struct_extract(mmd, 'current_count') as current_count,
        struct_extract(mmd, 'dropped_count') as dropped_count,
        fold_id
    from compared
)

select * from comparisons
