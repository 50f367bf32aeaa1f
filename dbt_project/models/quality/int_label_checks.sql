{# One row per model and fate of its labels, as fct_pipeline_checks takes them. #}
{{ config(materialized='table') }}
with label_counts as (
    select * from {{ ref('int_label_counts') }}
),

{% set notes = {
    'landed': 'Labels that landed: applied, superseded, waiting, orphaned and dead ones together',
    'applied': 'Labels that hold for a counted prediction',
    'superseded': 'Labels that gave way to a newer one of the same event, repeated ones among them',
    'contradicted': 'Superseded labels that say the contrary of the one that holds',
    'waiting': 'Labels whose prediction has not been counted yet',
    'orphaned': 'Labels that have waited longer than label_wait_days for their prediction: the event is unknown here',
    'dead': 'Messages of the labels topic that are no labels',
} %}
checks as (
    {%- for name, note in notes.items() %}
    select
        model_name,
        'labels_{{ name }}' as check_name,
        cast({{ name }}_count as double) as check_value,
        '{{ note }}' as note
    from label_counts
    {{ "union all" if not loop.last }}
    {%- endfor %}
    union all
    select
        model_name,
        'orphaned_label_share' as check_name,
        orphaned_count / cast(landed_count as double) as check_value,
        'Share of the landed labels that are orphaned' as note
    from label_counts
),

judged as (
    select
        model_name,
        '*' as model_version,
        'build' as window_grain,
        cast(null as timestamp) as window_start_at,
        cast(null as timestamp) as window_end_at,
        check_name,
        '{{ var("labels_topic") }}' as subject_name,
        check_value,
        case when check_name = 'orphaned_label_share' then cast({{ var('orphaned_label_share_limit') }} as double) end as warn_bound,
        cast(null as double) as fail_bound,
        case when check_name = 'orphaned_label_share' and check_value > {{ var('orphaned_label_share_limit') }} then 1 else 0 end as severity,
        note,
        cast('{{ run_started_at.strftime("%Y-%m-%d %H:%M:%S") }}' as timestamp) as computed_at
    from checks
)

select * from judged
