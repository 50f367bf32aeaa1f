{# One row per row of a reference: its day and the bin of each of its features. #}
{{ config(on_schema_change='append_new_columns') }}
{% set features = registered_features() %}
with reference_rows as (
    select * from {{ ref('stg_reference_rows') }}
    {{ where_version_is_new() }}
),

codes as (
    {{ bin_codes(
        'reference_rows',
        ['model_name', 'model_version', 'event_id', 'channel', 'cluster', 'score', 'is_actual_positive', 'occurred_at', 'window_start_at'],
        features
    ) }}
)

select * from codes
