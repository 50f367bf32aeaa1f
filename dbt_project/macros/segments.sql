{# The columns by whose values events are told apart: names of features, or of the fields channel and cluster. #}
{% macro segment_columns() %}
    {{ return(var('segment_columns')) }}
{% endmacro %}

{# The names under which bin codes carry the segments of a row. #}
{% macro segment_code_columns() %}
    {% set names = [] %}
    {% for segment in segment_columns() %}{% do names.append('segment_' ~ segment) %}{% endfor %}
    {{ return(names) }}
{% endmacro %}

{# The raw value of a segment in rows that carry the fields of an event and feature_<name>; NULL where no model has it. #}
{% macro segment_source(segment, features, relation) -%}
    {%- if segment in ['channel', 'cluster'] -%}
    {{ relation }}.{{ segment }}
    {%- elif segment in features | map(attribute='name') | map('lower') | list -%}
    cast({{ relation }}.feature_{{ segment }} as varchar)
    {%- else -%}
    cast(null as varchar)
    {%- endif -%}
{%- endmacro %}

{#
The segment of a row: a value that the reference shows often, `other`, or `none` where the row has no value.
NULL where the version's reference knows no such segment.

Parameters
    segment     name of the segment
    features    as registered_features() gives them
    events      the relation (or alias) of the row
    specs       alias of one row per version with has_<segment>
    values      alias of the joined row of int_segment_values, if any
#}
{% macro segment_of(segment, features, events, specs, values) -%}
    case
        when not coalesce({{ specs }}.has_{{ segment }}, false) then null
        when {{ segment_source(segment, features, events) }} is null then 'none'
        else coalesce({{ values }}.segment_value, 'other')
    end
{%- endmacro %}
