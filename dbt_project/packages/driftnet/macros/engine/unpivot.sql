{#
Wide columns as rows: a query with one row per row of `relation` and column; NULL cells give no row.

Parameters
    relation   a relation (or CTE)
    keep       names of the columns to repeat
    columns    names of the columns (of one type) to turn into rows, at least one
    name       name of the new column that holds the column's name
    value      name of the new column that holds the cell
Returns
    keep, name, value
Errors
    none
Source
    Driftnet
#}
{% macro unpivot(relation, keep, columns, name, value) -%}
    {{ return(adapter.dispatch('unpivot', 'driftnet')(relation, keep, columns, name, value)) }}
{%- endmacro %}

{% macro default__unpivot(relation, keep, columns, name, value) -%}
    select {{ (keep + [name, value]) | join(', ') }}
    from (select {{ (keep + columns) | join(', ') }} from {{ relation }})
    unpivot ({{ value }} for {{ name }} in ({{ columns | join(', ') }}))
{%- endmacro %}
