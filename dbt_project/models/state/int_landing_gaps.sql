{# One row per fold and chain of landed files: how many parts of the log were gone before they could land. #}
{{ config(incremental_strategy='append') }}
{% set files = unread_files(var('predictions_topic'), 'int_landing_gaps') + unread_files(var('labels_topic'), 'int_landing_gaps') %}
with folds as (
    select * from {{ ref('int_folds') }}
    where topic != ''
),

landed_files as (
    {{ landed_file_spans(files) }}
),

gaps as (
    select
        folds.fold_id,
        folds.topic,
        folds.source_id,
        folds.partition_id,
        count(*) filter (where landed_files.reason not in ('') and landed_files.reason not like 'pruned%') as gap_count,
        max(landed_files.reason) filter (where landed_files.reason not like 'pruned%') as reason,
        max(folds.folded_at) as folded_at
    from landed_files
    inner join folds
        on
            landed_files.topic = folds.topic
            and landed_files.source_id = folds.source_id
            and landed_files.partition_id = folds.partition_id
            and landed_files.position < folds.upto_offset
            and landed_files.next_offset > folds.after_offset
    {%- if is_incremental() %}
    where folds.fold_id > (select coalesce(max(fold_id), 0) from {{ this }})
    {%- endif %}
    group by 1, 2, 3, 4
)

select * from gaps
