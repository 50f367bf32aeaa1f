{# One row per window, segment and space of vectors: MMD and distances along components of its sample, in the space of the whole. #}
{{ config(
    incremental_strategy='delete+insert',
    unique_key='model_name, model_version, window_grain, window_start_at',
    pre_hook="{{ begin_batches(changed_windows(var('vector_grains'), var('window_minimum_count'))) }}",
    post_hook='{{ finish_batches() }}',
) }}
{% set features = registered_features() %}
{% set numbers = number_columns(features) %}
{% set window = ['model_name', 'model_version', 'window_grain', 'window_start_at'] %}
{% set segment = ['segment_name', 'segment_value'] %}
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

{% set vector = ['sample_hash', 'day_number', 'embedding', 'raw_row'] -%}
reference_parts as (
    {{ reference_parts('reference_raw', ['model_name', 'model_version'] + vector) }}
),

-- in one order, so that sums are the same to the last digit however events came
reference_vectors as (
    select
        reference_parts.segment_name,
        reference_parts.segment_value,
        bases.model_name,
        bases.model_version,
        bases.basis_id,
        list(reference_parts.day_number order by reference_parts.sample_hash) as day_numbers,
        list(
            {{ basis_vector('reference_parts') }}
            order by reference_parts.sample_hash
        ) as vectors
    from reference_parts
    inner join bases
        on reference_parts.model_name = bases.model_name and reference_parts.model_version = bases.model_version
    group by 1, 2, 3, 4, 5
    having reference_parts.segment_name = 'all' or count(*) >= {{ var('segment_minimum_count') }}
),

{% set position = ['source_id', 'partition_id', 'position'] -%}
window_rows as (
    {{ rows_of_windows('windows', 'samples', var('vector_grains'), position + ['sample_hash', 'embedding'] + numbers) }}
),

window_raw as (
    select
        {{ (window + ['fold_id'] + position) | join(',\n        ') }},
        sample_hash,
        {{ day_number('day_start_at', 'model_name') }} as day_number,
        embedding,
        {{ covariate_list('window_rows', features) }} as raw_row,
        row_number() over (partition by model_name, model_version, window_grain, window_start_at order by sample_hash asc) as sample_rank
    from window_rows
),

compared_rows as (
    select * from window_raw
    where sample_rank <= {{ var('embedding_sample_size') }}
),

window_parts as (
    {{ window_parts('compared_rows', window + ['fold_id'] + vector) }}
),

window_vectors as (
    select
        {% for name in window + segment %}window_parts.{{ name }},
        {% endfor -%}
        window_parts.fold_id,
        bases.drift_kind,
        bases.feature_name,
        bases.basis_id,
        list(window_parts.day_number order by window_parts.sample_hash) as day_numbers,
        list(
            {{ basis_vector('window_parts') }}
            order by window_parts.sample_hash
        ) as vectors
    from window_parts
    inner join bases
        on window_parts.model_name = bases.model_name and window_parts.model_version = bases.model_version
    group by {% for name in window + segment %}window_parts.{{ name }}, {% endfor %}window_parts.fold_id, bases.drift_kind, bases.feature_name, bases.basis_id
    having window_parts.segment_name = 'all' or count(*) >= {{ var('segment_minimum_count') }}
),

compared as (
    select
        {% for name in window + segment %}window_vectors.{{ name }},
        {% endfor -%}
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
            {% for name in ['model_name', 'model_version'] + segment + ['basis_id'] %}{{ "and " if not loop.first }}window_vectors.{{ name }} = reference_vectors.{{ name }}
            {% endfor %}
    inner join bases
        on
            window_vectors.model_name = bases.model_name
            and window_vectors.model_version = bases.model_version
            and window_vectors.basis_id = bases.basis_id
),

comparisons as (
    select
        {{ (window + segment) | join(',\n        ') }},
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
