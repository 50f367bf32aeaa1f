{# One row per day and space of vectors: sums of the Fourier features of its sampled rows, from which MMD of any two stretches follows. #}
{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='model_name, model_version, window_start_at',
    on_schema_change='append_new_columns',
    pre_hook='{{ begin_batches(changed_days()) }}',
    post_hook=['{{ finish_batches() }}', '{{ create_vector_drift_between() }}'],
) }}
{% set features = registered_features() %}
with days as (
    {{ changed_days() }}
    where {{ in_batch('days.window_start_at') }}
),

samples as (
    select * from {{ ref('int_samples') }}
    where {{ in_batch('window_start_at') }}
),

bases as (
    {{ measured_bases(['frequencies'], features) }}
    where fitted.frequencies is not null
),

raw_rows as (
    select
        samples.model_name,
        samples.model_version,
        samples.window_start_at,
        samples.sample_hash,
        samples.fold_id,
        samples.embedding,
        {{ covariate_list('samples', features) }} as raw_row
    from samples
    semi join days
        on
            samples.model_name = days.model_name
            and samples.model_version = days.model_version
            and samples.window_start_at = days.window_start_at
),

vectors as (
    select
        raw_rows.model_name,
        raw_rows.model_version,
        raw_rows.window_start_at,
        raw_rows.fold_id,
        bases.drift_kind,
        bases.feature_name,
        bases.basis_id,
        list(
            {{ basis_vector('raw_rows') }}
            order by raw_rows.sample_hash
        ) as vectors
    from raw_rows
    inner join bases
        on raw_rows.model_name = bases.model_name and raw_rows.model_version = bases.model_version
    group by 1, 2, 3, 4, 5, 6, 7
),

summed as (
    select
        vectors.model_name,
        vectors.model_version,
        vectors.window_start_at,
        vectors.drift_kind,
        vectors.feature_name,
        vectors.basis_id,
        vectors.fold_id,
        fourier_sums(vectors.vectors, bases.frequencies) as answer
    from vectors
    inner join bases
        on
            vectors.model_name = bases.model_name
            and vectors.model_version = bases.model_version
            and vectors.basis_id = bases.basis_id
),

sums as (
    select
        model_name,
        model_version,
        window_start_at,
        drift_kind,
        feature_name,
        struct_extract(answer, 'row_count') as row_count,
        struct_extract(answer, 'sums') as feature_sums,
        basis_id,
        fold_id
    from summed
    where answer is not null
)

select * from sums
