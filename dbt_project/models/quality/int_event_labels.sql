{# One row per labelled event of a model: the label that holds, whether a counted prediction has it, and the fold by which this came about. #}
{{ config(
    incremental_strategy='delete+insert',
    unique_key='model_name, event_id',
) }}
with labels as (
    select * from {{ ref('int_labels') }}
    where not is_dead
),

predictions as (
    select * from {{ ref('int_predictions') }}
    where event_status = 'counted'
),

{% if is_incremental() %}
folded as (
    select coalesce(max(fold_id), 0) as fold_id from {{ this }}
),

-- events with a new label, or an old label that waited for its prediction
touched as (
    select
        model_name,
        event_id
    from labels
    where fold_id > (select fold_id from folded)
    union
    select
        predictions.model_name,
        predictions.event_id
    from predictions
    semi join labels
        on predictions.model_name = labels.model_name and predictions.event_id = labels.event_id
    where predictions.counted_fold_id > (select fold_id from folded)
),
{% endif %}

event_labels as (
    select
        labels.model_name,
        labels.event_id,
        labels.fold_id,
        labels.labelled_at,
        labels.is_actual_positive,
        labels.label_source
    from labels
    {%- if is_incremental() %}
    semi join touched
        on labels.model_name = touched.model_name and labels.event_id = touched.event_id
    {%- endif %}
),

-- the newest labelled_at holds, at the same instant the one that says positive: the order of arrival has no say
holding as (
    select
        model_name,
        event_id,
        max(labelled_at) as labelled_at,
        arg_max(is_actual_positive, (labelled_at, is_actual_positive)) as is_actual_positive,
        arg_max(coalesce(label_source, ''), (labelled_at, is_actual_positive, coalesce(label_source, ''))) as label_source,
        count(*) as label_count,
        max(fold_id) as label_fold_id
    from event_labels
    group by 1, 2
),

-- what holds now may have been said before: known since then
known as (
    select
        holding.model_name,
        holding.event_id,
        min(event_labels.labelled_at) filter (where event_labels.is_actual_positive = holding.is_actual_positive) as first_labelled_at,
        count(*) filter (where event_labels.is_actual_positive != holding.is_actual_positive) as contradicting_count
    from holding
    inner join event_labels
        on holding.model_name = event_labels.model_name and holding.event_id = event_labels.event_id
    group by 1, 2
),

predicted as (
    select
        predictions.model_name,
        predictions.event_id,
        max(predictions.counted_fold_id) as counted_fold_id
    from predictions
    semi join holding
        on predictions.model_name = holding.model_name and predictions.event_id = holding.event_id
    group by 1, 2
),

joined as (
    select
        holding.model_name,
        holding.event_id,
        nullif(holding.label_source, '') as label_source,
        holding.is_actual_positive,
        predicted.event_id is not null as is_applied,
        holding.label_count,
        known.contradicting_count,
        holding.labelled_at,
        known.first_labelled_at,
        greatest(holding.label_fold_id, coalesce(predicted.counted_fold_id, 0)) as fold_id
    from holding
    inner join known
        on holding.model_name = known.model_name and holding.event_id = known.event_id
    left join predicted
        on holding.model_name = predicted.model_name and holding.event_id = predicted.event_id
)

select * from joined
