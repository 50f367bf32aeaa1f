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

counts as (
    select
        keys.histogram_number,
        keys.segment_name = 'all' as is_whole,
        keys.model_name,
        keys.model_version,
        histograms.window_start_at as day_start_at,
        histograms.bin_index,
        histograms.event_count
    from histograms
    inner join keys
        on
            histograms.model_name = keys.model_name
            and histograms.model_version = keys.model_version
            and histograms.segment_name = keys.segment_name
            and histograms.segment_value = keys.segment_value
            and histograms.drift_kind = keys.drift_kind
            and histograms.feature_name = keys.feature_name
    where
        (histograms.model_name, histograms.model_version, histograms.window_start_at)
        in (select (model_name, model_version, day_start_at) from days)
)

select * from counts
