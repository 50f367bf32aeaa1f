{# One row per day and number (feature or score): count, zeros, extremes, mean and sum of squared deviations of all counted events. #}
{{ config(
    incremental_strategy='delete+insert',
    unique_key='model_name, model_version, window_start_at',
) }}
{% set features = registered_features() %}
{% set key = ['model_name', 'model_version', 'window_start_at'] %}
with predictions as (
    select * from {{ ref('int_predictions') }}
    where event_status = 'counted'
),

raw_rows as (
    select * from {{ ref('stg_raw_values') }}
),

new_events as (
    select
        model_name,
        model_version,
        window_start_at,
        source_id,
        partition_id,
        position,
        score as prediction_score,
        counted_fold_id
    from predictions
    {%- if is_incremental() %}
    where counted_fold_id > (select coalesce(max(fold_id), 0) from {{ this }})
    {%- endif %}
),

touched as (
    select
        model_name,
        model_version,
        window_start_at,
        max(counted_fold_id) as fold_id
    from new_events
    group by 1, 2, 3
),

new_rows as (
    select
        new_events.model_name,
        new_events.model_version,
        new_events.window_start_at,
        {{ raw_values('raw_rows', features) }}
        new_events.prediction_score
    from new_events
    inner join raw_rows
        on
            new_events.source_id = raw_rows.source_id
            and new_events.partition_id = raw_rows.partition_id
            and new_events.position = raw_rows.position
),

new_values as (
    {{ driftnet.unpivot('new_rows', key, number_columns(features), 'column_name', 'number_value') }}
),

parts as (
    select
        {{ key | join(',\n        ') }},
        split_part(column_name, '_', 1) as drift_kind,
        substr(column_name, strpos(column_name, '_') + 1) as feature_name,
        count(*) as value_count,
        count(*) filter (where number_value = 0) as zero_count,
        min(number_value) as minimum,
        max(number_value) as maximum,
        -- beyond, a square is no double any more
        avg(number_value) filter (where abs(number_value) < 1e150) as mean,
        coalesce(
            var_pop(number_value) filter (where abs(number_value) < 1e150)
            * count(*) filter (where abs(number_value) < 1e150),
            0
        ) as squared_deviation_sum
    from new_values
    group by all
    {%- if is_incremental() %}
    union all
    select
        {% for name in key %}known.{{ name }},
        {% endfor -%}
        known.drift_kind,
        known.feature_name,
        known.value_count,
        known.zero_count,
        known.minimum,
        known.maximum,
        known.mean,
        known.squared_deviation_sum
    from {{ this }} as known
    semi join touched
        on
            known.model_name = touched.model_name
            and known.model_version = touched.model_version
            and known.window_start_at = touched.window_start_at
    {%- endif %}
),

merged as (
    {{ driftnet.merged_moments('parts', key + ['drift_kind', 'feature_name']) }}
),

moments as (
    select
        {% for name in key %}merged.{{ name }},
        {% endfor -%}
        merged.drift_kind,
        merged.feature_name,
        merged.value_count,
        merged.zero_count,
        merged.minimum,
        merged.maximum,
        merged.mean,
        merged.squared_deviation_sum,
        touched.fold_id
    from merged
    inner join touched
        on
            merged.model_name = touched.model_name
            and merged.model_version = touched.model_version
            and merged.window_start_at = touched.window_start_at
)

select * from moments
