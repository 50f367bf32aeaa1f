{# One row per histogram that can be compared: a feature of a segment of a model version, by a number. #}
{{ config(materialized='table') }}
with dim_bins as (
    select * from {{ ref('dim_bins') }}
),

keys as (
    select
        model_name,
        model_version,
        segment_name,
        segment_value,
        drift_kind,
        feature_name,
        any_value(bin_spec_id) as bin_spec_id,
        cast(sum(reference_count) as bigint) as reference_count
    from dim_bins
    group by 1, 2, 3, 4, 5, 6
),

-- features of one kind in one segment are one family of tests
numbered as (
    select
        cast(
            row_number() over (order by model_name, model_version, segment_name, segment_value, drift_kind, feature_name) as integer
        ) as histogram_number,
        cast(dense_rank() over (order by model_name, model_version, segment_name, segment_value, drift_kind) as integer) as family_number,
        model_name,
        model_version,
        segment_name,
        segment_value,
        drift_kind,
        feature_name,
        bin_spec_id,
        reference_count
    from keys
)

select * from numbered
