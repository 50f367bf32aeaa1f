{# One row per window, segment, metric and basis: how good the predictions were, or must be expected to be, with limits and bounds. #}
{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='model_name, model_version, window_grain, window_start_at',
    on_schema_change='append_new_columns',
) }}
{% set key = quality_key() %}
{% set names = quality_metric_names() %}
with windows as (
    select
        windows.model_name,
        windows.model_version,
        windows.window_grain,
        windows.window_start_at,
        windows.window_end_at,
        windows.is_complete,
        windows.fold_id
    from {{ ref('int_windows') }} as windows
    {%- if is_incremental() %}
    anti join {{ this }} as judged
        on
            windows.model_name = judged.model_name
            and windows.model_version = judged.model_version
            and windows.window_grain = judged.window_grain
            and windows.window_start_at = judged.window_start_at
            and windows.fold_id = judged.fold_id
            and windows.is_complete = judged.is_complete
    {%- endif %}
),

histograms as (
    select * from {{ ref('int_histograms') }}
    where drift_kind = 'prediction' and feature_name = 'decision'
),

realised as (
    select * from {{ ref('int_realised_quality') }}
),

estimated as (
    select * from {{ ref('int_estimated_quality') }}
),

calibrations as (
    select * from {{ ref('int_calibrations') }}
),

errors as (
    select * from {{ ref('int_estimate_errors') }}
),

bounds as (
    select * from {{ ref('int_quality_bounds') }}
),

metrics as (
    select * from {{ ref('quality_metrics') }}
),

{% for grain in ['day', 'week', 'month'] -%}
{{ grain }}_counts as (
    select
        model_name,
        model_version,
        '{{ grain }}' as window_grain,
        {{ driftnet.window_start('window_start_at', grain, window_timezone()) }} as start_at,
        segment_name,
        segment_value,
        cast(sum(event_count) as bigint) as event_count,
        cast(sum(labelled_count) as bigint) as labelled_count,
        cast(sum(positive_count) as bigint) as positive_count
    from histograms
    group by all
),

{% endfor -%}
counts as (
    select * from day_counts
    union all
    select * from week_counts
    union all
    select * from month_counts
),

-- a segment without a label has nothing to be told; the whole says so
window_counts as (
    select
        windows.model_name,
        windows.model_version,
        windows.window_grain,
        windows.window_start_at,
        windows.window_end_at,
        windows.is_complete,
        windows.fold_id,
        counts.segment_name,
        counts.segment_value,
        counts.event_count,
        counts.labelled_count,
        counts.positive_count,
        counts.labelled_count / cast(counts.event_count as double) as label_coverage
    from windows
    inner join counts
        on
            windows.model_name = counts.model_name
            and windows.model_version = counts.model_version
            and windows.window_grain = counts.window_grain
            and windows.window_start_at = counts.start_at
),

realised_metrics as (
    select
        {%- for column in key %}
        window_counts.{{ column }},
        {%- endfor %}
        metrics.metric_name,
        'realised' as basis,
        case metrics.metric_name
            {%- for metric in names %}
            when '{{ metric }}' then realised.{{ metric }}_value
            {%- endfor %}
        end as metric_value,
        {%- for side, sign in [('lower', -1), ('upper', 1)] %}
        case metrics.metric_name
            when 'accuracy'
                then {{ driftnet.wilson_limit('realised.accuracy_value * realised.row_count', 'realised.row_count', sign) }}
            when 'precision'
                then {{ driftnet.wilson_limit('realised.true_positive_sum', 'realised.predicted_positive_count', sign) }}
            when 'recall'
                then {{ driftnet.wilson_limit('realised.true_positive_sum', 'realised.positive_sum', sign) }}
            when 'roc_auc'
                then least(1.0, greatest(0.0, realised.roc_auc_value + {{ sign }} * {{ normal_quantile() }} * sqrt(
                    realised.positive_placement_variance / nullif(realised.positive_sum, 0)
                    + realised.negative_placement_variance / nullif(realised.row_count - realised.positive_sum, 0)
                )))
            {%- for metric in names if metric not in ['accuracy', 'precision', 'recall', 'roc_auc'] %}
            when '{{ metric }}' then realised.{{ metric }}_{{ side }}
            {%- endfor %}
        end as {{ side }}_limit,
        {%- endfor %}
        case
            when window_counts.labelled_count = 0 then 'no label is known yet'
            when metrics.metric_name in ('roc_auc', 'pr_auc') and realised.positive_sum in (0, realised.row_count)
                then 'all labels are of one class'
            when metrics.metric_name = 'precision' and realised.predicted_positive_count = 0 then 'no labelled event was judged positive'
            when metrics.metric_name = 'recall' and realised.positive_sum = 0 then 'no label is positive'
            when metrics.metric_name = 'f1' and realised.predicted_positive_count + realised.positive_sum = 0
                then 'no label is positive and no labelled event was judged so'
            when window_counts.label_coverage < {{ var('coverage_minimum') }} then 'too few labels are known yet: shown, not judged'
        end as note
    from window_counts
    cross join metrics
    left join realised
        on
            {%- for column in key %}
            {{ "and " if not loop.first }}window_counts.{{ column }} = realised.{{ column }}
            {%- endfor %}
    where window_counts.labelled_count > 0 or window_counts.segment_name = 'all'
),

estimated_metrics as (
    select
        {%- for column in key %}
        estimated.{{ column }},
        {%- endfor %}
        metrics.metric_name,
        'estimated' as basis,
        case metrics.metric_name
            {%- for metric in names %}
            when '{{ metric }}' then estimated.{{ metric }}_value
            {%- endfor %}
        end as metric_value,
        errors.unit_error / sqrt(estimated.row_count) as standard_error,
        metrics.upper_limit as greatest_value,
        case
            when calibrations.error_after >= calibrations.error_before
                then 'assumes that scores are probabilities, as they are in the reference'
            else 'assumes that a score means what it meant in the reference'
        end as note
    from estimated
    cross join metrics
    left join errors
        on
            estimated.model_name = errors.model_name
            and estimated.model_version = errors.model_version
            and metrics.metric_name = errors.metric_name
    left join calibrations
        on estimated.model_name = calibrations.model_name and estimated.model_version = calibrations.model_version
),

all_metrics as (
    select
        {{ key | join(',\n        ') }},
        metric_name,
        basis,
        metric_value,
        lower_limit,
        upper_limit,
        cast(null as double) as standard_error,
        note
    from realised_metrics
    union all
    select
        {{ key | join(',\n        ') }},
        metric_name,
        basis,
        metric_value,
        greatest(0.0, metric_value - {{ normal_quantile() }} * standard_error) as lower_limit,
        least(greatest_value, metric_value + {{ normal_quantile() }} * standard_error) as upper_limit,
        standard_error,
        note
    from estimated_metrics
),

bounded as (
    select
        {%- for column in key %}
        window_counts.{{ column }},
        {%- endfor %}
        window_counts.window_end_at,
        window_counts.is_complete,
        all_metrics.metric_name,
        all_metrics.basis,
        all_metrics.metric_value,
        all_metrics.lower_limit,
        all_metrics.upper_limit,
        all_metrics.standard_error,
        bounds.warn_bound,
        bounds.fail_bound,
        metrics.is_higher_better,
        window_counts.event_count,
        window_counts.labelled_count,
        window_counts.positive_count,
        window_counts.label_coverage,
        all_metrics.basis = 'estimated' or window_counts.label_coverage >= {{ var('coverage_minimum') }} as is_mature,
        -- chance alone explains a value whose limits reach what the reference leads to expect
        coalesce(bounds.mean_value < all_metrics.lower_limit or bounds.mean_value > all_metrics.upper_limit, true) as is_significant,
        case when all_metrics.basis = 'estimated' then window_counts.event_count else window_counts.labelled_count end
        >= case when window_counts.segment_name = 'all' then {{ var('window_minimum_count') }} else {{ var('segment_minimum_count') }} end as is_enough,
        case when metrics.is_higher_better then 1 else -1 end as direction,
        all_metrics.note,
        window_counts.fold_id
    from all_metrics
    inner join window_counts
        on
            {%- for column in key %}
            {{ "and " if not loop.first }}all_metrics.{{ column }} = window_counts.{{ column }}
            {%- endfor %}
    inner join metrics on all_metrics.metric_name = metrics.metric_name
    left join bounds
        on
            all_metrics.model_name = bounds.model_name
            and all_metrics.model_version = bounds.model_version
            and all_metrics.window_grain = bounds.window_grain
            and all_metrics.segment_name = bounds.segment_name
            and all_metrics.segment_value = bounds.segment_value
            and all_metrics.metric_name = bounds.metric_name
            and all_metrics.basis = bounds.basis
),

judged as (
    select
        model_name,
        model_version,
        window_grain,
        window_start_at,
        window_end_at,
        is_complete,
        segment_name,
        segment_value,
        metric_name,
        basis,
        metric_value,
        lower_limit,
        upper_limit,
        standard_error,
        warn_bound,
        fail_bound,
        is_higher_better,
        event_count,
        labelled_count,
        positive_count,
        label_coverage,
        is_mature,
        coalesce(is_complete and is_mature and is_enough and is_significant and metric_value * direction < warn_bound * direction, false) as is_breach,
        case
            when not (is_complete and is_mature and is_enough and is_significant) then 0
            when metric_value * direction < fail_bound * direction then 2
            when metric_value * direction < warn_bound * direction then 1
            else 0
        end as severity,
        note,
        fold_id,
        '{{ invocation_id }}' as invocation_id,
        cast('{{ run_started_at.strftime("%Y-%m-%d %H:%M:%S") }}' as timestamp) as computed_at
    from bounded
)

select * from judged
