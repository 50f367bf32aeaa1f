{# One row per day, histogram and bin of the cube that this build compares, by the numbers of int_histogram_keys. #}
with days as (
    select * from {{ ref('int_compared_days') }}
),

histograms as (
    select * from {{ ref('int_histograms') }}
),

keys as (
    select * from {{ ref('int_histogram_keys') }}
),

compared_days as (
    select
        model_name,
        model_version,
        day_start_at,
        bool_and(is_label_only) as is_label_only
    from days
    group by 1, 2, 3
),

counts as (
    select
        keys.histogram_number,
        keys.segment_name = 'all' as is_whole,
        keys.drift_kind = 'label' as is_label,
        keys.model_name,
        keys.model_version,
        histograms.window_start_at as day_start_at,
        histograms.bin_index,
        histograms.event_count
    from histograms
    inner join compared_days
        on
            histograms.model_name = compared_days.model_name
            and histograms.model_version = compared_days.model_version
            and histograms.window_start_at = compared_days.day_start_at
            and (histograms.drift_kind = 'label' or not compared_days.is_label_only)
    inner join keys
        on
            histograms.model_name = keys.model_name
            and histograms.model_version = keys.model_version
            and histograms.segment_name = keys.segment_name
            and histograms.segment_value = keys.segment_value
            and histograms.drift_kind = keys.drift_kind
            and histograms.feature_name = keys.feature_name
)

select * from counts
