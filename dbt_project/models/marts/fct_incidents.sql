{# One row per incident: windows in a row in which one feature of a model is out of bounds, at the gate's grain. #}
{% set identity = ['model_name', 'drift_kind', 'feature_name'] %}
{% set facts = ['model_version', 'metric_name', 'metric_value', 'expected_value', 'warn_bound', 'fail_bound', 'q_value', 'is_low_bad', 'severity'] %}
{% set badness = "(severity, coalesce(case when is_low_bad then -metric_value else metric_value end, 0))" %}
with decisions as (
    select * from {{ ref('int_decisions') }}
    where window_grain = '{{ var("gate_grain") }}'
),

-- versions and metrics that judge the same window: the worst of them speaks
windows as (
    select
        {% for column in identity %}{{ column }},
        {% endfor -%}
        window_grain,
        window_start_at,
        max(window_end_at) as window_end_at,
        {% for column in facts if column != 'severity' -%}
        arg_max_null(
            {{ column }}, ({{ badness }}, model_version, metric_name)
        ) as {{ column }},
        {% endfor -%}
        max(severity) as severity,
        min(first_happening_id) as first_happening_id,
        bool_and(is_muted) as is_muted
    from decisions
    group by all
),

placed as (
    select
        {% for column in identity + ['window_grain', 'window_start_at', 'window_end_at'] + facts %}{{ column }},
        {% endfor -%}
        first_happening_id,
        is_muted,
        row_number() over (partition by {{ identity | join(', ') }} order by window_start_at) as place,
        row_number() over (partition by {{ identity | join(', ') }}, severity > 0 order by window_start_at) as place_of_kind
    from windows
),

-- windows that were not judged have no row: they neither lengthen an island nor break it
islands as (
    select
        {% for column in identity + ['window_grain'] %}{{ column }},
        {% endfor -%}
        min(place) as first_place,
        max(place) as last_place,
        count(*) as window_count,
        {% for column in facts -%}
        arg_max_null({{ column }}, place) as {{ column }},
        {% endfor -%}
        max(severity) as worst_severity,
        arg_max(metric_value, {{ badness }}) as worst_value,
        arg_max(window_start_at, {{ badness }}) as worst_window_start_at,
        arg_min(severity, place) as first_severity,
        min(case when severity > 1 then window_end_at end) as failed_at,
        arg_min(first_happening_id, place) as first_happening_id,
        arg_max(is_muted, place) as is_muted,
        min(window_start_at) as opened_window_start_at,
        min(window_end_at) as opened_at,
        max(window_start_at) as last_window_start_at,
        max(window_end_at) as last_window_end_at
    from placed
    where severity > 0
    group by {{ identity | join(', ') }}, window_grain, place - place_of_kind
),

ended as (
    select
        {% for column in identity + ['window_grain', 'first_place', 'last_place', 'window_count'] + facts %}islands.{{ column }},
        {% endfor -%}
        islands.worst_severity,
        islands.worst_value,
        islands.worst_window_start_at,
        case when islands.first_severity = 1 then islands.failed_at end as worsened_at,
        islands.first_happening_id,
        islands.is_muted,
        islands.opened_window_start_at,
        islands.opened_at,
        islands.last_window_start_at,
        islands.last_window_end_at,
        next_windows.window_end_at as resolved_at,
        {{ identity_of_incident('islands') }} as incident_id
    from islands
    left join placed as next_windows
        on
            {% for column in identity %}islands.{{ column }} = next_windows.{{ column }}
            and {% endfor -%}
            islands.last_place + 1 = next_windows.place
),

followed as (
    select
        {% for column in identity + ['window_grain', 'window_count'] + facts %}{{ column }},
        {% endfor -%}
        worst_severity,
        worst_value,
        worst_window_start_at,
        worsened_at,
        first_happening_id,
        is_muted,
        opened_window_start_at,
        opened_at,
        last_window_start_at,
        last_window_end_at,
        resolved_at,
        incident_id,
        case
            when
                first_place - lag(last_place) over (partition by {{ identity | join(', ') }} order by first_place) - 1
                <= {{ var('reopen_windows') }}
                then lag(incident_id) over (partition by {{ identity | join(', ') }} order by first_place)
        end as previous_incident_id
    from ended
),

incidents as (
    select
        incident_id,
        previous_incident_id,
        model_name,
        model_version,
        window_grain,
        drift_kind,
        feature_name,
        metric_name,
        case
            when resolved_at is not null then 'resolved'
            when window_count > 1 then 'ongoing'
            when previous_incident_id is not null then 'reopened'
            else 'opened'
        end as status,
        metric_value,
        expected_value,
        warn_bound,
        fail_bound,
        q_value,
        is_low_bad,
        severity,
        worst_severity,
        worst_value,
        window_count,
        first_happening_id,
        resolved_at is null as is_open,
        is_muted,
        opened_window_start_at,
        last_window_start_at,
        last_window_end_at,
        worst_window_start_at,
        opened_at,
        worsened_at,
        resolved_at,
        greatest(opened_at, worsened_at, resolved_at) + interval {{ var('alert_horizon_days') }} day as alert_until_at
    from followed
)

select * from incidents
