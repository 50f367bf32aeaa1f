{# One row per sampled event of a day: of each day the k events of the lowest hash, with their raw values. #}
{{ config(
    incremental_strategy='delete+insert',
    unique_key='model_name, model_version, window_start_at',
    on_schema_change='append_new_columns',
) }}
{% set features = registered_features() %}
{% set values = number_columns(features) + text_columns(features) + ['embedding'] %}
{% set present = adapter.get_columns_in_relation(this) | map(attribute='name') | map('lower') | list if execute and is_incremental() else [] %}
with predictions as (
    select * from {{ ref('int_predictions') }}
    where event_status = 'counted'
),

raw_rows as (
    select * from {{ ref('stg_raw_values') }}
),

models as (
    select * from {{ ref('stg_models') }}
),

new_events as (
    select
        model_name,
        model_version,
        window_start_at,
        event_id,
        source_id,
        partition_id,
        position,
        score,
        counted_fold_id,
        {{ sample_hash('event_id') }} as sample_hash
    from predictions
    {%- if is_incremental() %}
    where counted_fold_id > (select coalesce(max(fold_id), 0) from {{ this }})
    {%- endif %}
),

-- all rows of a touched day take its newest fold, so that a fold of which no event is sampled moves the watermark too
touched as (
    select
        model_name,
        model_version,
        window_start_at,
        max(counted_fold_id) as fold_id
    from new_events
    group by 1, 2, 3
),

{% if is_incremental() %}
known as (
    select
        sampled.model_name,
        sampled.model_version,
        sampled.window_start_at,
        sampled.sample_hash,
        sampled.source_id,
        sampled.partition_id,
        sampled.position,
        {#- a feature of a model that is new since has no column yet #}
        {% for name in values %}{% if name in present %}sampled.{{ name }}{% else %}null as {{ name }}{% endif %}{{ ",\n        " if not loop.last }}{% endfor %}
    from {{ this }} as sampled
    semi join touched
        on
            sampled.model_name = touched.model_name
            and sampled.model_version = touched.model_version
            and sampled.window_start_at = touched.window_start_at
),
{% endif %}

candidates as (
    select
        model_name,
        model_version,
        window_start_at,
        sample_hash,
        source_id,
        partition_id,
        position
    from new_events
    {%- if is_incremental() %}
    union all
    select
        model_name,
        model_version,
        window_start_at,
        sample_hash,
        source_id,
        partition_id,
        position
    from known
    {%- endif %}
),

ranked as (
    select
        candidates.model_name,
        candidates.model_version,
        candidates.window_start_at,
        candidates.source_id,
        candidates.partition_id,
        candidates.position,
        {{ sample_size('models') }} as sample_size,
        row_number() over (
            partition by candidates.model_name, candidates.model_version, candidates.window_start_at
            order by candidates.sample_hash asc, candidates.source_id asc, candidates.partition_id asc, candidates.position asc
        ) as sample_rank
    from candidates
    inner join models
        on candidates.model_name = models.model_name and candidates.model_version = models.model_version
),

chosen as (
    select
        ranked.source_id,
        ranked.partition_id,
        ranked.position,
        touched.fold_id
    from ranked
    inner join touched
        on
            ranked.model_name = touched.model_name
            and ranked.model_version = touched.model_version
            and ranked.window_start_at = touched.window_start_at
    where ranked.sample_rank <= ranked.sample_size
),

read_anew as (
    select
        new_events.model_name,
        new_events.model_version,
        new_events.window_start_at,
        new_events.sample_hash,
        new_events.source_id,
        new_events.partition_id,
        new_events.position,
        new_events.score as prediction_score,
        {{ raw_values('raw_rows', features) }}
        raw_rows.embedding
    from new_events
    inner join raw_rows
        on
            new_events.source_id = raw_rows.source_id
            and new_events.partition_id = raw_rows.partition_id
            and new_events.position = raw_rows.position
),

{% set columns = ['model_name', 'model_version', 'window_start_at', 'sample_hash', 'source_id', 'partition_id', 'position'] + values -%}
all_rows as (
    select
        {{ columns | join(',\n        ') }}
    from read_anew
    {%- if is_incremental() %}
    union all
    select
        {{ columns | join(',\n        ') }}
    from known
    {%- endif %}
),

sampled as (
    select
        {% for name in columns %}all_rows.{{ name }},
        {% endfor -%}
        chosen.fold_id
    from all_rows
    inner join chosen
        on
            all_rows.source_id = chosen.source_id
            and all_rows.partition_id = chosen.partition_id
            and all_rows.position = chosen.position
)

select * from sampled
