{# One row per window, reference kind, segment, feature and bin: what the bin adds to each distance. #}
{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='model_name, model_version, window_grain, window_start_at',
    on_schema_change='append_new_columns',
) }}
{% set key = [
    'model_name', 'model_version', 'window_grain', 'window_start_at', 'reference_kind', 'segment_name', 'segment_value',
    'drift_kind', 'feature_name'
] %}
with windows as (
    {{ windows_to_judge() }}
),

cube as (
    select * from {{ ref('fct_histogram_bins') }}
),

dim_bins as (
    select * from {{ ref('dim_bins') }}
),

current_bins as (
    select
        cube.model_name,
        cube.model_version,
        cube.window_grain,
        cube.window_start_at,
        cube.drift_kind,
        cube.feature_name,
        cube.bin_index,
        cube.event_count
    from cube
    semi join windows
        on
            cube.model_name = windows.model_name
            and cube.model_version = windows.model_version
            and cube.window_grain = windows.window_grain
            and cube.window_start_at = windows.window_start_at
    where cube.segment_name = 'all'
),

-- every bin of the spec, the empty ones too
bins as (
    select
        windows.model_name,
        windows.model_version,
        windows.window_grain,
        windows.window_start_at,
        'training' as reference_kind,
        dim_bins.segment_name,
        dim_bins.segment_value,
        dim_bins.drift_kind,
        dim_bins.feature_name,
        dim_bins.bin_index,
        dim_bins.bin_label,
        dim_bins.bin_kind,
        dim_bins.bin_spec_id,
        windows.is_complete,
        windows.fold_id,
        dim_bins.reference_count,
        coalesce(current_bins.event_count, 0) as current_count
    from windows
    inner join dim_bins
        on windows.model_name = dim_bins.model_name and windows.model_version = dim_bins.model_version
    left join current_bins
        on
            windows.model_name = current_bins.model_name
            and windows.model_version = current_bins.model_version
            and windows.window_grain = current_bins.window_grain
            and windows.window_start_at = current_bins.window_start_at
            and dim_bins.drift_kind = current_bins.drift_kind
            and dim_bins.feature_name = current_bins.feature_name
            and dim_bins.bin_index = current_bins.bin_index
),

parts as (
    {{ driftnet.bin_parts(
        'bins',
        by=key,
        carry=['bin_index', 'bin_label', 'bin_kind', 'bin_spec_id', 'is_complete', 'fold_id'],
        smoothing=var('smoothing')
    ) }}
)

select * from parts
