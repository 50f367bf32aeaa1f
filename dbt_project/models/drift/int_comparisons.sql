{# One row per window and reference kind that this build has to judge (again). #}
with windows as (
    select * from {{ ref('int_windows') }}
),

baselines as (
    select * from {{ ref('stg_baselines') }}
),

judged as (
    {{ judged_windows() }}
),

-- a window with too few events is not judged
enough as (
    select
        model_name,
        model_version,
        window_grain,
        window_start_at,
        window_end_at,
        is_complete,
        fold_id,
        counted_fold_id,
        {{ local_day('window_start_at', 'model_name') }} as local_start
    from windows
    where event_count >= {{ var('window_minimum_count') }}
),

earlier as (
    select
        model_name,
        model_version,
        window_grain,
        window_start_at,
        window_end_at,
        fold_id,
        counted_fold_id,
        {{ local_day('window_start_at', 'model_name') }} as local_start
    from windows
),

previous as (
    select
        enough.model_name,
        enough.model_version,
        enough.window_grain,
        enough.window_start_at,
        'previous' as reference_kind,
        earlier.window_start_at as reference_start_at,
        enough.window_start_at as reference_end_at,
        earlier.fold_id as reference_fold_id,
        earlier.counted_fold_id as reference_counted_fold_id,
        1 as reference_window_count
    from enough
    inner join earlier
        on
            enough.model_name = earlier.model_name
            and enough.model_version = earlier.model_version
            and enough.window_grain = earlier.window_grain
            and enough.window_start_at = earlier.window_end_at
),

-- the same weekdays, or the weeks, of the weeks before
seasonal as (
    select
        enough.model_name,
        enough.model_version,
        enough.window_grain,
        enough.window_start_at,
        'seasonal' as reference_kind,
        min(earlier.window_start_at) as reference_start_at,
        max(earlier.window_end_at) as reference_end_at,
        max(earlier.fold_id) as reference_fold_id,
        max(earlier.counted_fold_id) as reference_counted_fold_id,
        count(*) as reference_window_count
    from enough
    inner join earlier
        on
            enough.model_name = earlier.model_name
            and enough.model_version = earlier.model_version
            and enough.window_grain = earlier.window_grain
            and enough.window_grain in ('day', 'week')
            and date_diff('day', earlier.local_start, enough.local_start) % 7 = 0
            and date_diff('day', earlier.local_start, enough.local_start) between 7 and 7 * {{ var('seasonal_weeks') }}
    group by 1, 2, 3, 4
),

-- a stretch that someone chose; a window that overlaps it is not compared with it
pinned as (
    select
        enough.model_name,
        enough.model_version,
        enough.window_grain,
        enough.window_start_at,
        'pinned' as reference_kind,
        baselines.baseline_from as reference_start_at,
        baselines.baseline_until as reference_end_at,
        max(earlier.fold_id) as reference_fold_id,
        max(earlier.counted_fold_id) as reference_counted_fold_id,
        count(*) as reference_window_count
    from enough
    inner join baselines
        on
            enough.model_name = baselines.model_name
            and (enough.window_end_at <= baselines.baseline_from or enough.window_start_at >= baselines.baseline_until)
    inner join earlier
        on
            enough.model_name = earlier.model_name
            and enough.model_version = earlier.model_version
            and earlier.window_grain = 'day'
            and baselines.baseline_from <= earlier.window_start_at
            and baselines.baseline_until > earlier.window_start_at
    group by 1, 2, 3, 4, baselines.baseline_from, baselines.baseline_until
),

training as (
    select
        model_name,
        model_version,
        window_grain,
        window_start_at,
        'training' as reference_kind,
        cast(null as timestamp) as reference_start_at,
        cast(null as timestamp) as reference_end_at,
        cast(null as bigint) as reference_fold_id,
        cast(null as bigint) as reference_counted_fold_id,
        cast(null as bigint) as reference_window_count
    from enough
),

kinds as (
    select * from training
    union all
    select * from pinned
    union all
    select * from previous
    union all
    select * from seasonal
),

-- what the window is judged as: it is judged again when the events of either side, or the stretch of its references, change
states as (
    select
        kinds.model_name,
        kinds.model_version,
        kinds.window_grain,
        kinds.window_start_at,
        md5(
            concat_ws(
                '|',
                max(enough.counted_fold_id),
                max(case when enough.is_complete then 1 else 0 end),
                string_agg(
                    concat_ws(
                        ' ',
                        kinds.reference_kind,
                        kinds.reference_start_at,
                        kinds.reference_end_at,
                        kinds.reference_counted_fold_id,
                        kinds.reference_window_count
                    ),
                    '|' order by kinds.reference_kind
                )
            )
        ) as comparison_state,
        max(greatest(enough.fold_id, coalesce(kinds.reference_fold_id, 0))) as fold_id
    from kinds
    inner join enough
        on
            kinds.model_name = enough.model_name
            and kinds.model_version = enough.model_version
            and kinds.window_grain = enough.window_grain
            and kinds.window_start_at = enough.window_start_at
    group by 1, 2, 3, 4
),

folded as (
    select coalesce(max(fold_id), 0) as fold_id from judged
),

-- where all else is the same, a newer fold brought labels
changed as (
    select
        states.model_name,
        states.model_version,
        states.window_grain,
        states.window_start_at,
        states.comparison_state,
        judged.comparison_state is not null as is_label_only,
        row_number() over (
            order by states.model_name asc, states.model_version asc, states.window_grain asc, states.window_start_at asc
        ) as window_number
    from states
    left join judged
        on
            states.model_name = judged.model_name
            and states.model_version = judged.model_version
            and states.window_grain = judged.window_grain
            and states.window_start_at = judged.window_start_at
            and states.comparison_state = judged.comparison_state
    where judged.comparison_state is null or states.fold_id > (select fold_id from folded)
),

comparisons as (
    select
        cast(row_number() over (order by changed.window_number asc, kinds.reference_kind asc) as integer) as comparison_number,
        cast(changed.window_number as integer) as window_number,
        kinds.model_name,
        kinds.model_version,
        kinds.window_grain,
        kinds.window_start_at,
        enough.window_end_at,
        enough.is_complete,
        kinds.reference_kind,
        kinds.reference_start_at,
        kinds.reference_end_at,
        changed.is_label_only,
        greatest(enough.fold_id, coalesce(kinds.reference_fold_id, 0)) as fold_id,
        greatest(enough.counted_fold_id, coalesce(kinds.reference_counted_fold_id, 0)) as counted_fold_id,
        changed.comparison_state
    from changed
    inner join kinds
        on
            changed.model_name = kinds.model_name
            and changed.model_version = kinds.model_version
            and changed.window_grain = kinds.window_grain
            and changed.window_start_at = kinds.window_start_at
    inner join enough
        on
            changed.model_name = enough.model_name
            and changed.model_version = enough.model_version
            and changed.window_grain = enough.window_grain
            and changed.window_start_at = enough.window_start_at
),

-- a pinned stretch is the same for all windows of one length of which the same is judged
numbered as (
    select
        comparison_number,
        window_number,
        case reference_kind
            when 'training' then null
            when 'pinned' then min(comparison_number) over (partition by model_name, model_version, window_grain, reference_kind, is_label_only)
            else comparison_number
        end as reference_number,
        model_name,
        model_version,
        window_grain,
        window_start_at,
        window_end_at,
        is_complete,
        reference_kind,
        reference_start_at,
        reference_end_at,
        is_label_only,
        fold_id,
        counted_fold_id,
        comparison_state
    from comparisons
)

select * from numbered
