{# One row per comparison, histogram and bin: the counts on both sides. #}
with comparisons as (
    select * from {{ ref('int_comparisons') }}
),

days as (
    select * from {{ ref('int_compared_days') }}
),

counts as (
    select * from {{ ref('int_compared_counts') }}
),

sizes as (
    select * from {{ ref('int_compared_sizes') }}
),

keys as (
    select * from {{ ref('int_histogram_keys') }}
),

dim_bins as (
    select * from {{ ref('dim_bins') }}
),

side_bins as (
    select
        days.side,
        days.side_number,
        counts.histogram_number,
        counts.bin_index,
        cast(sum(counts.event_count) as bigint) as event_count
    from days
    inner join counts
        on
            days.day_start_at = counts.day_start_at
            and days.model_name = counts.model_name
            and days.model_version = counts.model_version
            and (days.has_segments or counts.is_whole)
            and (counts.is_label or not days.is_label_only)
    group by 1, 2, 3, 4
),

spec_bins as (
    select
        keys.histogram_number,
        keys.segment_name = 'all' as is_whole,
        dim_bins.bin_index,
        dim_bins.reference_count
    from dim_bins
    inner join keys
        on
            dim_bins.model_name = keys.model_name
            and dim_bins.model_version = keys.model_version
            and dim_bins.segment_name = keys.segment_name
            and dim_bins.segment_value = keys.segment_value
            and dim_bins.drift_kind = keys.drift_kind
            and dim_bins.feature_name = keys.feature_name
),

-- what is judged: enough rows in the window, and any in what it is compared with
judged as (
    select
        comparisons.comparison_number,
        comparisons.window_number,
        comparisons.reference_number,
        current_sizes.histogram_number
    from comparisons
    inner join sizes as current_sizes
        on
            current_sizes.side = 'current'
            and comparisons.window_number = current_sizes.side_number
            and current_sizes.row_count
            >= case when current_sizes.is_whole then {{ var('window_minimum_count') }} else {{ var('segment_minimum_count') }} end
    inner join keys on current_sizes.histogram_number = keys.histogram_number
    left join sizes as reference_sizes
        on
            reference_sizes.side = 'reference'
            and comparisons.reference_number = reference_sizes.side_number
            and current_sizes.histogram_number = reference_sizes.histogram_number
    where
        case when comparisons.reference_kind = 'training' then keys.reference_count else reference_sizes.row_count end > 0
        and (current_sizes.is_whole or comparisons.reference_kind in ('{{ var("segment_reference_kinds") | join("', '") }}'))
),

-- every bin of the spec, the empty ones too; of a segment only those that hold a row of either side
bins as (
    select
        judged.comparison_number,
        judged.histogram_number,
        spec_bins.bin_index,
        case when judged.reference_number is null then spec_bins.reference_count else coalesce(reference_bins.event_count, 0) end as reference_count,
        coalesce(current_bins.event_count, 0) as current_count
    from judged
    inner join spec_bins on judged.histogram_number = spec_bins.histogram_number
    left join side_bins as current_bins
        on
            current_bins.side = 'current'
            and judged.window_number = current_bins.side_number
            and spec_bins.histogram_number = current_bins.histogram_number
            and spec_bins.bin_index = current_bins.bin_index
    left join side_bins as reference_bins
        on
            reference_bins.side = 'reference'
            and judged.reference_number = reference_bins.side_number
            and spec_bins.histogram_number = reference_bins.histogram_number
            and spec_bins.bin_index = reference_bins.bin_index
    where
        spec_bins.is_whole
        or coalesce(current_bins.event_count, 0) > 0
        or case when judged.reference_number is null then spec_bins.reference_count else coalesce(reference_bins.event_count, 0) end > 0
)

select * from bins
