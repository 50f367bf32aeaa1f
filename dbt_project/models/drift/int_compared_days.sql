{# One row per side of a comparison and day of traffic on it: those of the window, and those that it is compared with. #}
with comparisons as (
    select * from {{ ref('int_comparisons') }}
),

days as (
    select
        model_name,
        model_version,
        window_start_at,
        {{ local_day('window_start_at', 'model_name') }} as local_day,
        {%- for grain in ['week', 'month'] %}
        {{ driftnet.window_start('window_start_at', grain, window_timezone()) }} as {{ grain }}_start_at{{ "," if not loop.last }}
        {%- endfor %}
    from {{ ref('int_windows') }}
    where window_grain = 'day'
),

-- a window is the same side in all of its comparisons
sides as (
    select
        'current' as side,
        window_number as side_number,
        model_name,
        model_version,
        window_grain,
        true as has_segments,
        false as is_one_weekday,
        is_label_only,
        window_start_at as from_at,
        window_end_at as until_at,
        window_start_at
    from comparisons
    where reference_kind = 'training'
    union all
    select
        'reference' as side,
        reference_number as side_number,
        model_name,
        model_version,
        window_grain,
        reference_kind in ('{{ var("segment_reference_kinds") | join("', '") }}') as has_segments,
        reference_kind = 'seasonal' and window_grain = 'day' as is_one_weekday,
        is_label_only,
        reference_start_at as from_at,
        reference_end_at as until_at,
        window_start_at
    from comparisons
    where reference_number = comparison_number
),

side_days as (
    select
        sides.side,
        sides.side_number,
        sides.has_segments,
        sides.is_label_only,
        days.model_name,
        days.model_version,
        days.window_start_at as day_start_at,
        case sides.window_grain
            when 'week' then days.week_start_at
            when 'month' then days.month_start_at
            else days.window_start_at
        end as block_start_at
    from sides
    inner join days
        on
            sides.model_name = days.model_name
            and sides.model_version = days.model_version
            and sides.from_at <= days.window_start_at
            and sides.until_at > days.window_start_at
    where
        not sides.is_one_weekday
        or date_diff('day', days.local_day, {{ local_day('sides.window_start_at', 'sides.model_name') }}) % 7 = 0
)

select * from side_days
