{#
The instant at which the window that holds an event begins.

Parameters
    at         a timestamp in UTC
    grain      'hour', 'day', 'week' (ISO: from Monday 00:00) or 'month'
    timezone   an expression that gives the zone in whose clock windows begin, or none for UTC
Returns
    a timestamp in UTC
Errors
    a zone that the engine does not know
Source
    ISO 8601 for weeks; the IANA time zone database
#}
{% macro window_start(at, grain, timezone=none) -%}
    {%- if timezone is none -%}
    date_trunc('{{ grain }}', {{ at }})
    {%- else -%}
    {{ driftnet.utc_time("date_trunc('" ~ grain ~ "', " ~ driftnet.local_time(at, timezone) ~ ")", timezone) }}
    {%- endif -%}
{%- endmacro %}

{#
The instant at which a window ends: the beginning of the next.

Parameters
    start      a timestamp in UTC at which a window begins
    grain      'hour', 'day', 'week' or 'month'
    timezone   an expression that gives the zone in whose clock windows begin, or none for UTC
Returns
    a timestamp in UTC
Errors
    a zone that the engine does not know
Source
    the IANA time zone database: a day has 23, 24 or 25 hours
#}
{% macro window_end(start, grain, timezone=none) -%}
    {%- if timezone is none -%}
    {{ start }} + interval 1 {{ grain }}
    {%- else -%}
    {{ driftnet.utc_time(driftnet.local_time(start, timezone) ~ " + interval 1 " ~ grain, timezone) }}
    {%- endif -%}
{%- endmacro %}

{#
A UTC timestamp as the clock of a zone shows it.

Parameters
    at         a timestamp in UTC
    timezone   an expression that gives the zone (IANA name)
Returns
    a timestamp without a zone
Errors
    a zone that the engine does not know
Source
    the IANA time zone database
#}
{% macro local_time(at, timezone) -%}
    {{ return(adapter.dispatch('local_time', 'driftnet')(at, timezone)) }}
{%- endmacro %}

{# In DuckDB timezone() turns a naive timestamp into an instant, and an instant into a naive timestamp. #}
{% macro default__local_time(at, timezone) -%}
    timezone({{ timezone }}, timezone('UTC', {{ at }}))
{%- endmacro %}

{#
A timestamp of a zone's clock in UTC.

Parameters
    at         a timestamp without a zone
    timezone   an expression that gives the zone (IANA name)
Returns
    a timestamp in UTC; of an hour that a clock shows twice one of the two
Errors
    a zone that the engine does not know
Source
    the IANA time zone database
#}
{% macro utc_time(at, timezone) -%}
    {{ return(adapter.dispatch('utc_time', 'driftnet')(at, timezone)) }}
{%- endmacro %}

{% macro default__utc_time(at, timezone) -%}
    timezone('UTC', timezone({{ timezone }}, {{ at }}))
{%- endmacro %}
