{# One row per day, segment, feature and bin of a model version: the cube at the grain in which it is kept. #}
{{ config(
    incremental_strategy='delete+insert',
    unique_key='model_name, model_version, window_grain, window_start_at',
) }}
{% set codes = code_columns(registered_features()) %}
{% set segments = segment_code_columns() %}
with predictions as (
    select * from {{ ref('int_predictions') }}
    where event_status = 'counted'
),

event_labels as (
    select * from {{ ref('int_event_labels') }}
    where is_applied
),

{% if is_incremental() %}
folded as (
    select coalesce(max(fold_id), 0) as fold_id from {{ this }}
),

new_labels as (
    select
        model_name,
        event_id
    from event_labels
    where fold_id > (select fold_id from folded)
),

-- windows with a new event, or a new label for an old one
touched as (
    select
        model_name,
        model_version,
        window_start_at
    from predictions
    where counted_fold_id > (select fold_id from folded)
    union
    select
        predictions.model_name,
        predictions.model_version,
        predictions.window_start_at
    from predictions
    semi join new_labels
        on predictions.model_name = new_labels.model_name and predictions.event_id = new_labels.event_id
),
{% endif %}

-- touched windows are counted anew, never added to
events as (
    select
        predictions.model_name,
        predictions.model_version,
        predictions.window_start_at,
        predictions.event_id,
        predictions.counted_fold_id,
        cast(round(predictions.score * 1e9) as bigint) as score_units
        {%- for segment in segments %},
        predictions.{{ segment }}
        {%- endfor %}
        {%- for code in codes %},
        predictions.{{ code }}
        {%- endfor %}
    from predictions
    {%- if is_incremental() %}
    semi join touched
        on
            predictions.model_name = touched.model_name
            and predictions.model_version = touched.model_version
            and predictions.window_start_at = touched.window_start_at
    {%- endif %}
),

labelled as (
    select
        events.model_name,
        events.model_version,
        events.window_start_at,
        greatest(events.counted_fold_id, coalesce(event_labels.fold_id, 0)) as fold_id,
        events.counted_fold_id,
        events.score_units,
        case when event_labels.event_id is not null then 1 else 0 end as label_count,
        case when event_labels.is_actual_positive then 1 else 0 end as positive_count,
        -- an event whose label is not known has no code
        cast(case when event_labels.is_actual_positive then 1 when not event_labels.is_actual_positive then 0 end as utinyint) as label_label
        {%- for column in segments + codes %},
        events.{{ column }}
        {%- endfor %}
    from events
    left join event_labels
        on events.model_name = event_labels.model_name and events.event_id = event_labels.event_id
),

window_folds as (
    select
        model_name,
        model_version,
        window_start_at,
        max(fold_id) as fold_id,
        max(counted_fold_id) as counted_fold_id
    from labelled
    group by 1, 2, 3
),

long as (
    {{ driftnet.unpivot(
        'labelled',
        ['model_name', 'model_version', 'window_start_at', 'score_units', 'label_count', 'positive_count'] + segments,
        codes + ['label_label'],
        'column_name',
        'bin_index'
    ) }}
),

-- once for the whole and once for each segment
counted as (
    select
        model_name,
        model_version,
        window_start_at,
        column_name,
        bin_index,
        {%- for segment in segments %}
        {{ segment }},
        grouping({{ segment }}) = 0 as is_by_{{ segment }},
        {%- endfor %}
        count(*) as event_count,
        cast(sum(label_count) as bigint) as labelled_count,
        cast(sum(positive_count) as bigint) as positive_count,
        cast(sum(score_units) as bigint) as score_units
    from long
    -- sqlfluff does not know these sets in its DuckDB dialect
    group by grouping sets (  -- noqa: PRS
        (model_name, model_version, window_start_at, column_name, bin_index)
        {%- for segment in segments %},
        (model_name, model_version, window_start_at, column_name, bin_index, {{ segment }})
        {%- endfor %}
    )
),

named as (
    select
        model_name,
        model_version,
        window_start_at,
        case
            {%- for segment in segments %}
            when is_by_{{ segment }} then '{{ segment | replace("segment_", "", 1) }}'
            {%- endfor %}
            else 'all'
        end as segment_name,
        case
            {%- for segment in segments %}
            when is_by_{{ segment }} then {{ segment }}
            {%- endfor %}
            else 'all'
        end as segment_value,
        split_part(column_name, '_', 1) as drift_kind,
        substr(column_name, strpos(column_name, '_') + 1) as feature_name,
        bin_index,
        event_count,
        labelled_count,
        positive_count,
        score_units
    from counted
),

histograms as (
    select
        named.model_name,
        named.model_version,
        'day' as window_grain,
        named.window_start_at,
        named.segment_name,
        named.segment_value,
        named.drift_kind,
        named.feature_name,
        named.bin_index,
        named.event_count,
        named.labelled_count,
        named.positive_count,
        named.score_units,
        window_folds.fold_id,
        window_folds.counted_fold_id
    from named
    inner join window_folds
        on
            named.model_name = window_folds.model_name
            and named.model_version = window_folds.model_version
            and named.window_start_at = window_folds.window_start_at
    -- a version that lacks a segment has no rows of it
    where named.segment_value is not null
)

select * from histograms
