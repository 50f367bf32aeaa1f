{# The codes of the bins that are no range, value or named category. #}
{% macro bin_code(bin_kind) %}
    {{ return({'other': 252, 'new': 253, 'unreadable': 254, 'null': 255}[bin_kind]) }}
{% endmacro %}

{# The metrics of binned values, by the names that drift_statistics gives them. #}
{% macro binned_metrics() %}
    {{ return(['psi', 'kl_divergence', 'js_distance', 'hellinger', 'total_variation', 'l_infinity', 'chi_square', 'cramers_v']) }}
{% endmacro %}

{#
Whether a reference row is of the half on which categories are chosen; the other half counts them, so that a category never seen
before has an honest count. Even days choose; a reference of few days is halved by the last digit of md5(event_id).
#}
{% macro is_choosing_half(is_split_by_days, window_start_at, event_id, model_name) -%}
    case
        when {{ is_split_by_days }}
            then date_diff('day', date '1970-01-01', {{ local_day(window_start_at, model_name) }}) % 2 = 0
        else strpos('02468ace', right(md5(lower(cast({{ event_id }} as varchar))), 1)) > 0
    end
{%- endmacro %}

{# The date of a window's start in its model's zone. #}
{% macro local_day(window_start_at, model_name) -%}
    {%- set timezone = window_timezone(model_name) -%}
    cast({{ window_start_at if timezone is none else driftnet.local_time(window_start_at, timezone) }} as date)
{%- endmacro %}

{# A number as people write it: whole numbers without a point, others with 4 significant digits. #}
{% macro number_label(number) -%}
    case
        when {{ number }} = round({{ number }}) and abs({{ number }}) < 1e15 then cast(cast({{ number }} as bigint) as varchar)
        else format('{:.4g}', {{ number }})
    end
{%- endmacro %}

{# Lower open, upper closed, the outer two unbounded. #}
{% macro range_label(lower_bound, upper_bound) -%}
    case
        when {{ lower_bound }} is null and {{ upper_bound }} is null then 'any number'
        when {{ lower_bound }} is null then 'to ' || {{ number_label(upper_bound) }}
        when {{ upper_bound }} is null then 'over ' || {{ number_label(lower_bound) }}
        else 'over ' || {{ number_label(lower_bound) }} || ' to ' || {{ number_label(upper_bound) }}
    end
{%- endmacro %}
