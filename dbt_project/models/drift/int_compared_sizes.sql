{# One row per side of a comparison and histogram: how many rows, and how they are spread over days and longer blocks. #}
with days as (
    select * from {{ ref('int_compared_days') }}
),

counts as (
    select * from {{ ref('int_compared_counts') }}
),

day_sizes as (
    select
        model_name,
        model_version,
        day_start_at,
        histogram_number,
        is_whole,
        is_label,
        sum(event_count) as row_count
    from counts
    group by 1, 2, 3, 4, 5, 6
),

block_sizes as (
    select
        days.side,
        days.side_number,
        day_sizes.histogram_number,
        day_sizes.is_whole,
        days.block_start_at,
        sum(day_sizes.row_count) as row_count,
        sum(day_sizes.row_count * cast(day_sizes.row_count as double)) as squared_day_sum
    from days
    inner join day_sizes
        on
            days.day_start_at = day_sizes.day_start_at
            and days.model_name = day_sizes.model_name
            and days.model_version = day_sizes.model_version
            and (days.has_segments or day_sizes.is_whole)
            and (day_sizes.is_label or not days.is_label_only)
    group by 1, 2, 3, 4, 5
),

sizes as (
    select
        side,
        side_number,
        histogram_number,
        is_whole,
        cast(sum(row_count) as bigint) as row_count,
        sum(squared_day_sum) as squared_day_sum,
        sum(row_count * cast(row_count as double)) as squared_block_sum
    from block_sizes
    group by 1, 2, 3, 4
)

select * from sizes
