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

{#
Days whose week or month holds a touched day: what has to be read to count these windows anew. A query of model_name, model_version and
window_start_at.

Parameters
    days      a relation (or CTE) with one row per day of a version: model_name, model_version, window_start_at
    touched   a relation (or CTE) of the same columns: the days with something new
#}
{% macro days_of_touched_windows(days, touched) -%}
    {%- for grain in ['week', 'month'] %}
    select
        days.model_name,
        days.model_version,
        days.window_start_at
    from {{ days }} as days
    semi join {{ touched }} as touched
        on
            days.model_name = touched.model_name
            and days.model_version = touched.model_version
            and {{ driftnet.window_start('days.window_start_at', grain, window_timezone('days.model_name')) }}
            = {{ driftnet.window_start('touched.window_start_at', grain, window_timezone('touched.model_name')) }}
    {{ "union" if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#
Rows once per window and segment that holds them: a query of the columns of quality_key(), day_start_at, score, is_predicted_positive,
positive_weight and fold_id.

Parameters
    rows      a relation (or CTE) with model_name, model_version, window_start_at (day), segment_<name>, score, is_predicted_positive,
              positive_weight and fold_id
    touched   a relation (or CTE) of touched days, or none: only windows that hold one
#}
{% macro quality_rows(rows, touched=none) -%}
    {%- for grain in ['day', 'week', 'month'] %}
    {%- for segment in ['all'] + segment_columns() %}
    select
        model_name,
        model_version,
        '{{ grain }}' as window_grain,
        {{ driftnet.window_start('window_start_at', grain, window_timezone()) }} as window_start_at,
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
        {%- if touched is not none %}
        and (model_name, model_version, {{ driftnet.window_start('window_start_at', grain, window_timezone()) }}) in (
            select (model_name, model_version, {{ driftnet.window_start('window_start_at', grain, window_timezone()) }}) from {{ touched }}
        )
        {%- endif %}
    {{ "union all" if not loop.last }}
    {%- endfor %}
    {{ "union all" if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{# Half-width of 95% limits in standard errors. #}
{% macro normal_quantile() %}{{ return('1.959963984540054') }}{% endmacro %}
