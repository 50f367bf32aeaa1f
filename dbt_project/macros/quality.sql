{# The metrics of quality, in the order of the columns <metric>_value. #}
{% macro quality_metric_names() %}
    {{ return(['accuracy', 'precision', 'recall', 'f1', 'roc_auc', 'pr_auc', 'brier', 'log_loss', 'calibration_error', 'cost']) }}
{% endmacro %}

{# The columns that say which window and segment a row of quality is of. #}
{% macro quality_key() %}
    {{ return(['model_name', 'model_version', 'window_grain', 'window_start_at', 'segment_name', 'segment_value']) }}
{% endmacro %}

{# binary_quality with the costs and bins of this project. #}
{% macro project_quality(rows, by) -%}
    {{ driftnet.binary_quality(rows, by, var('false_positive_cost'), var('false_negative_cost'), var('calibration_bins')) }}
{%- endmacro %}

{# quality_limits with the costs and bins of this project. #}
{% macro project_limits(rows, by) -%}
    {{ driftnet.quality_limits(
        rows, by, 'day_start_at', var('bootstrap_minimum_days'), var('interval_minimum_count'),
        var('false_positive_cost'), var('false_negative_cost'), var('calibration_bins')
    ) }}
{%- endmacro %}

{# The lengths of the windows for which quality is told. #}
{% macro quality_grains() %}
    {{ return(['day', 'week', 'month']) }}
{% endmacro %}

{# The windows of the batch with a new label: as touched_windows. #}
{% macro newly_labelled_windows() -%}
    {%- set new_labels -%}
        left join (
            select
                model_name,
                event_id
            from {{ ref('int_event_labels') }}
            where is_applied and fold_id > {{ newest_fold(this.identifier) }}
        ) as new_labels
            on predictions.model_name = new_labels.model_name and predictions.event_id = new_labels.event_id
    {%- endset -%}
    {{ touched_windows('bool_or(new_labels.event_id is not null)', new_labels) }}
{%- endmacro %}

{# The windows of the batch with a new event, of the versions that have a calibration: as touched_windows. #}
{% macro newly_counted_windows() -%}
    {%- set calibrated -%}
        semi join {{ ref('int_calibration_points') }} as breakpoints
            on predictions.model_name = breakpoints.model_name and predictions.model_version = breakpoints.model_version
    {%- endset -%}
    {{ touched_windows('max(predictions.counted_fold_id) > ' ~ newest_fold(this.identifier), calibrated) }}
{%- endmacro %}

{#
The windows of the batch that hold a touched day: a query of model_name, model_version, window_grain, window_start_at and row_count.

Parameters
    is_touched   whether a day is touched: an aggregate over its rows of `predictions` (int_predictions)
    joined       a join onto predictions
#}
{% macro touched_windows(is_touched, joined) -%}
    select
        model_name,
        model_version,
        window_grain,
        start_at as window_start_at,
        sum(row_count) as row_count
    from (
        select
            days.model_name,
            days.model_version,
            grains.window_grain,
            {{ start_at_grain('days.window_start_at', 'days.model_name', 'grains.window_grain', quality_grains()) }} as start_at,
            days.row_count,
            days.is_touched
        from (
            select
                predictions.model_name,
                predictions.model_version,
                predictions.window_start_at,
                count(*) as row_count,
                {{ is_touched }} as is_touched
            from {{ ref('int_predictions') }} as predictions
            {{ joined }}
            where predictions.event_status = 'counted' and {{ near_batch('predictions.window_start_at', 'month') }}
            group by 1, 2, 3
        ) as days
        cross join (select unnest({{ quality_grains() }}) as window_grain) as grains
    ) as held
    where {{ in_batch('start_at') }}
    group by 1, 2, 3, 4
    having bool_or(is_touched)
{%- endmacro %}

{#
The days of windows: what has to be read to tell of them. A query of model_name, model_version and window_start_at.

Parameters
    rows      a relation (or CTE) with model_name, model_version and window_start_at (day)
    windows   a relation (or CTE) as touched_windows
#}
{% macro days_of_windows(rows, windows) -%}
    select
        days.model_name,
        days.model_version,
        days.window_start_at
    from (select distinct model_name, model_version, window_start_at from {{ rows }}) as days
    semi join {{ windows }} as windows
        on
            days.model_name = windows.model_name
            and days.model_version = windows.model_version
            and windows.window_start_at
            = {{ start_at_grain('days.window_start_at', 'days.model_name', 'windows.window_grain', quality_grains()) }}
{%- endmacro %}

{#
Rows once per window and segment that holds them: a query of the columns of quality_key(), day_start_at, score, is_predicted_positive,
positive_weight and fold_id.

Parameters
    rows      a relation (or CTE) with model_name, model_version, window_start_at (day), segment_<name>, score, is_predicted_positive,
              positive_weight and fold_id
    windows   a relation (or CTE) as touched_windows, or none: these only
#}
{% macro quality_rows(rows, windows=none) -%}
    {%- for grain in quality_grains() %}
    {%- for segment in ['all'] + segment_columns() %}
    {%- set start_at = driftnet.window_start('window_start_at', grain, window_timezone()) %}
    select
        model_name,
        model_version,
        '{{ grain }}' as window_grain,
        {{ start_at }} as window_start_at,
        '{{ segment }}' as segment_name,
        {{ "'all'" if segment == 'all' else 'segment_' ~ segment }} as segment_value,
        window_start_at as day_start_at,
        score,
        is_predicted_positive,
        positive_weight,
        fold_id
    from {{ rows }}
    where
        {{ 'true' if segment == 'all' else 'segment_' ~ segment ~ ' is not null' }}
        {%- if windows is not none %}
        and (model_name, model_version, {{ start_at }}) in (
            select (model_name, model_version, window_start_at) from {{ windows }}
            where window_grain = '{{ grain }}'
        )
        {%- endif %}
    {{ "union all" if not loop.last }}
    {%- endfor %}
    {{ "union all" if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{# Half-width of 95% limits in standard errors. #}
{% macro normal_quantile() %}{{ return('1.959963984540054') }}{% endmacro %}
