{# One row per fold and chain of landed files: up to where a build was allowed to see. #}
{{ config(full_refresh=false, incremental_strategy='append') }}
-- depends_on: {{ ref('int_configuration') }}
-- depends_on: {{ ref('int_bin_specs') }}
{% set files = unfolded_files() %}
with landed_files as (
    {{ landed_file_spans(files) }}
),

folded as (
    {%- if is_incremental() %}
    select
        topic,
        source_id,
        partition_id,
        max(upto_offset) as upto_offset,
        (select max(fold_id) from {{ this }}) as fold_id
    from {{ this }}
    group by topic, source_id, partition_id
    {%- else %}
    select
        cast(null as varchar) as topic,
        cast(null as varchar) as source_id,
        cast(null as integer) as partition_id,
        cast(null as bigint) as upto_offset,
        cast(null as bigint) as fold_id
    where false
    {%- endif %}
),

newest as (
    select coalesce(max(fold_id), 0) as fold_id from folded
),

-- a file is linked when it begins where the one before ends; the first begins where the last fold ended
linked as (
    select
        landed_files.topic,
        landed_files.source_id,
        landed_files.partition_id,
        landed_files.position,
        landed_files.next_offset,
        greatest(landed_files.position, coalesce(folded.upto_offset, 0)) = coalesce(
            lag(landed_files.next_offset) over (
                partition by landed_files.topic, landed_files.source_id, landed_files.partition_id
                order by landed_files.position asc
            ),
            folded.upto_offset,
            0
        ) as is_linked,
        coalesce(folded.upto_offset, 0) as after_offset
    from landed_files
    left join folded
        on
            landed_files.topic = folded.topic
            and landed_files.source_id = folded.source_id
            and landed_files.partition_id = folded.partition_id
),

-- the walk stops at the first missing link
walked as (
    select
        topic,
        source_id,
        partition_id,
        next_offset,
        after_offset,
        bool_and(is_linked) over (
            partition by topic, source_id, partition_id
            order by position asc
        ) as is_reached
    from linked
),

folds as (
    select
        newest.fold_id + 1 as fold_id,
        walked.topic,
        walked.source_id,
        walked.partition_id,
        walked.after_offset,
        max(walked.next_offset) as upto_offset,
        cast('{{ run_started_at.strftime("%Y-%m-%d %H:%M:%S") }}' as timestamp) as folded_at,
        '{{ invocation_id }}' as invocation_id
    from walked
    cross join newest
    where walked.is_reached
    group by newest.fold_id, walked.topic, walked.source_id, walked.partition_id, walked.after_offset
    {%- if has_waiting_events() %}
    union all
    -- held events are counted by this fold, though nothing new may have landed
    select
        newest.fold_id + 1 as fold_id,
        '' as topic,
        'references' as source_id,
        0 as partition_id,
        0 as after_offset,
        0 as upto_offset,
        cast('{{ run_started_at.strftime("%Y-%m-%d %H:%M:%S") }}' as timestamp) as folded_at,
        '{{ invocation_id }}' as invocation_id
    from newest
    {%- endif %}
)

select * from folds
