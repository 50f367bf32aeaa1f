{# One row per window, reference kind, segment, feature and bin: what the bin adds to each distance. #}
{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='model_name, model_version, window_grain, window_start_at',
    incremental_predicates=[is_judged_again()],
    on_schema_change='append_new_columns',
) }}
with comparisons as (
    select * from {{ ref('int_comparisons') }}
),

bins as (
    select * from {{ ref('int_compared_bins') }}
),

keys as (
    select * from {{ ref('int_histogram_keys') }}
),

dim_bins as (
    select * from {{ ref('dim_bins') }}
    where segment_name = 'all'
),

attributed_bins as (
    select
        bins.comparison_number,
        bins.histogram_number,
        bins.bin_index,
        bins.reference_count,
        bins.current_count
    from bins
    inner join comparisons on bins.comparison_number = comparisons.comparison_number
    where
        comparisons.reference_kind in ('{{ var("attributed_reference_kinds") | join("', '") }}')
        or comparisons.window_grain = '{{ var("gate_grain") }}'
),

parts as (
    {{ driftnet.bin_parts(
        'attributed_bins',
        by=['comparison_number', 'histogram_number'],
        carry=['bin_index'],
        smoothing=var('smoothing')
    ) }}
),

described as (
    select
        comparisons.model_name,
        comparisons.model_version,
        comparisons.window_grain,
        comparisons.window_start_at,
        comparisons.reference_kind,
        keys.segment_name,
        keys.segment_value,
        keys.drift_kind,
        keys.feature_name,
        parts.bin_index,
        dim_bins.bin_label,
        dim_bins.bin_kind,
        keys.bin_spec_id,
        comparisons.is_complete,
        case when keys.drift_kind = 'label' then comparisons.fold_id else comparisons.counted_fold_id end as fold_id,
        parts.reference_count,
        parts.current_count,
        parts.reference_share,
        parts.current_share,
        parts.psi_part,
        parts.js_part,
        parts.chi_square_part
    from parts
    inner join comparisons on parts.comparison_number = comparisons.comparison_number
    inner join keys on parts.histogram_number = keys.histogram_number
    inner join dim_bins
        on
            keys.model_name = dim_bins.model_name
            and keys.model_version = dim_bins.model_version
            and keys.drift_kind = dim_bins.drift_kind
            and keys.feature_name = dim_bins.feature_name
            and parts.bin_index = dim_bins.bin_index
)

select * from described
