{# The files of happenings that int_landed_happenings has not read yet: landing/<room>/<run id>.parquet of the rooms that tell any. #}
{% macro unread_happenings() %}
    {% if not execute or flags.EMPTY %}{{ return([]) }}{% endif %}
    {% set files = [] %}
    {% for room in var('happening_rooms') %}
        {% do files.extend(existing_files(var('driftnet_home') ~ '/landing/' ~ room ~ '/*.parquet')) %}
    {% endfor %}
    {% set table = adapter.get_relation(database=target.database, schema=target.schema, identifier='int_landed_happenings') %}
    {% if not files or table is none or flags.FULL_REFRESH %}{{ return(files) }}{% endif %}
    {% set known = run_query("select distinct file_name from " ~ table).columns[0].values() | list %}
    {% set unread = [] %}
    {% for file in files if file.split('/')[-2:] | join('/') not in known %}{% do unread.append(file) %}{% endfor %}
    {{ return(unread) }}
{% endmacro %}

{#
An id of 128 bits made from columns: the same for the same values.

Parameters
    columns   list of SQL expressions; NULL counts as empty
#}
{% macro identity(columns) -%}
    cast(md5(concat_ws(chr(31){% for column in columns %}, coalesce(cast({{ column }} as varchar), ''){% endfor %})) as uuid)
{%- endmacro %}

{# The id of an incident: its model, suite and feature, and the window in which it began. #}
{% macro identity_of_incident(table) -%}
    md5(concat_ws(
        chr(31), {{ table }}.model_name, {{ table }}.drift_kind, {{ table }}.feature_name, {{ table }}.window_grain,
        cast({{ table }}.opened_window_start_at as varchar)
    ))
{%- endmacro %}
