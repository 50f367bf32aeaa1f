{# One row per row of a reference, with its raw values. #}
{{ config(on_schema_change='append_new_columns') }}
{% set features = registered_features() %}
with reference_rows as (
    select * from {{ ref('stg_reference_raw_values') }}
    {{ where_version_is_new() }}
),

raw_rows as (
    select
        reference_rows.model_name,
        reference_rows.model_version,
        reference_rows.window_start_at,
        {{ sample_hash('reference_rows.event_id') }} as sample_hash,
        reference_rows.score as prediction_score,
        {{ raw_values('reference_rows', features) }}
        reference_rows.embedding
    from reference_rows
)

select * from raw_rows
