{#
The rows of several checks as one query, each with the end of its window.

Parameters
    checks   names of CTEs with model_name, model_version, window_grain ('build' for what is true at the time of a build), window_start_at,
             check_name, subject_name, check_value, event_count, note
Returns
    those columns and window_end_at (the start, for a build)
#}
{% macro measured_checks(checks) -%}
    select
        model_name,
        model_version,
        window_grain,
        window_start_at,
        case window_grain
            {%- for grain in ['day', 'week', 'month'] %}
            when '{{ grain }}' then {{ driftnet.window_end('window_start_at', grain, window_timezone()) }}
            {%- endfor %}
            else window_start_at
        end as window_end_at,
        check_name,
        subject_name,
        check_value,
        event_count,
        note
    from (
        {%- for check in checks %}
        select * from {{ check }}
        {{ "union all" if not loop.last }}
        {%- endfor %}
    ) as measured
{%- endmacro %}
