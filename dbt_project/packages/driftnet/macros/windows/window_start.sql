{#
The instant at which the window that holds an event begins.

Parameters
    at         a timestamp in UTC
    grain      'hour', 'day', 'week' (ISO: from Monday 00:00) or 'month'
    timezone   an expression that gives the zone in whose clock windows begin, or none for UTC
Returns
    a timestamp in UTC
#}
{% macro window_start(at, grain, timezone=none) -%}
    {%- if timezone is none -%}
    date_trunc('{{ grain }}', {{ at }})
    {%- else -%}
    {{ driftnet.utc_time("date_trunc('" ~ grain ~ "', " ~ driftnet.local_time(at, timezone) ~ ")", timezone) }}
    {%- endif -%}
{%- endmacro %}

{# The instant at which the window that begins at `start` (UTC) ends: the beginning of the next. Parameters as window_start. #}
{% macro window_end(start, grain, timezone=none) -%}
    {%- if timezone is none -%}
    {{ start }} + interval 1 {{ grain }}
    {%- else -%}
    {{ driftnet.utc_time(driftnet.local_time(start, timezone) ~ " + interval 1 " ~ grain, timezone) }}
    {%- endif -%}
{%- endmacro %}

{# A UTC timestamp as the clock of a zone shows it. #}
{% macro local_time(at, timezone) -%}
    {{ return(adapter.dispatch('local_time', 'driftnet')(at, timezone)) }}
{%- endmacro %}

{# In DuckDB timezone() turns a naive timestamp into an instant, and an instant into a naive timestamp. #}
{% macro default__local_time(at, timezone) -%}
    timezone({{ timezone }}, timezone('UTC', {{ at }}))
{%- endmacro %}

{# A timestamp of a zone's clock in UTC. #}
{% macro utc_time(at, timezone) -%}
    {{ return(adapter.dispatch('utc_time', 'driftnet')(at, timezone)) }}
{%- endmacro %}

{% macro default__utc_time(at, timezone) -%}
    timezone('UTC', timezone({{ timezone }}, {{ at }}))
{%- endmacro %}
