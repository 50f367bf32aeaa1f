{# One row per window of a model version that may still get labels: what is known, and what is to be expected once all labels are. #}
{% set timezone = window_timezone() %}
with label_delays as (
    select * from {{ ref('int_label_delays') }}
),

predictions as (
    select * from {{ ref('int_predictions') }}
    where event_status = 'counted'
),

event_labels as (
    select * from {{ ref('int_event_labels') }}
    where is_applied
),

windows as (
    select * from {{ ref('int_windows') }}
),

clocks as (
    select
        model_name,
        max(as_of) as as_of
    from label_delays
    group by model_name
),

young as (
    select
        predictions.model_name,
        predictions.model_version,
        predictions.window_start_at,
        predictions.is_predicted_positive,
        event_labels.is_actual_positive,
        least(epoch(clocks.as_of) - epoch(predictions.occurred_at), {{ var('label_delay_days') }} * 86400.0) as age_seconds
    from predictions
    inner join clocks on predictions.model_name = clocks.model_name
    inner join event_labels
        on predictions.model_name = event_labels.model_name and predictions.event_id = event_labels.event_id
    -- a month that holds a young day is counted whole
    where predictions.occurred_at >= clocks.as_of - interval {{ var('label_delay_days') + 31 }} day
),

weighted as (
    select
        young.model_name,
        young.model_version,
        young.window_start_at,
        young.is_predicted_positive,
        young.is_actual_positive,
        1.0 / greatest(coalesce(label_delays.known_share, 0.0), {{ var('known_share_floor') }}) as weight
    from young
    asof left join label_delays
        on
            young.model_name = label_delays.model_name
            and young.model_version = label_delays.model_version
            and young.is_actual_positive = label_delays.is_actual_positive
            and young.age_seconds >= label_delays.delay
),

{% for grain in ['day', 'week', 'month'] -%}
{{ grain }}_sums as (
    select
        model_name,
        model_version,
        '{{ grain }}' as window_grain,
        {{ driftnet.window_start('window_start_at', grain, timezone) }} as start_at,
        count(*) as labelled_count,
        count(*) filter (where is_actual_positive) as positive_count,
        coalesce(sum(weight) filter (where is_actual_positive), 0.0) as weighted_positive_count,
        coalesce(sum(weight) filter (where not is_actual_positive), 0.0) as weighted_negative_count,
        count(*) filter (where is_predicted_positive and is_actual_positive)
        / cast(nullif(count(*) filter (where is_predicted_positive), 0) as double) as known_precision,
        coalesce(sum(weight) filter (where is_predicted_positive and is_actual_positive), 0.0)
        / sum(weight) filter (where is_predicted_positive) as weighted_precision
    from weighted
    group by all
),

{% endfor -%}
sums as (
    select * from day_sums
    union all
    select * from week_sums
    union all
    select * from month_sums
),

maturity as (
    select
        windows.model_name,
        windows.model_version,
        windows.window_grain,
        windows.window_start_at,
        windows.window_end_at,
        windows.event_count,
        sums.labelled_count,
        sums.positive_count,
        sums.weighted_positive_count,
        sums.weighted_negative_count,
        sums.known_precision,
        sums.weighted_precision,
        clocks.as_of
    from windows
    inner join clocks on windows.model_name = clocks.model_name
    inner join sums
        on
            windows.model_name = sums.model_name
            and windows.model_version = sums.model_version
            and windows.window_grain = sums.window_grain
            and windows.window_start_at = sums.start_at
    where windows.window_end_at >= clocks.as_of - interval {{ var('label_delay_days') }} day
)

select * from maturity
