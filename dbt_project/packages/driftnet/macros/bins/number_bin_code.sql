{#
The bin of a number: ranges first (lower open, upper closed), then the values that have a bin of their own.

    value v: edge_count + 1 + its place among `atoms`      else: how many edges lie below v

Parameters
    value   a number, NULL for none; NaN and infinite values count as NULL
    edges   ascending list of finite edges; with k edges the ranges are 0..k
    atoms   list of the values that have a bin of their own; they get k + 1, k + 2, ...
Returns
    an integer from 0 to 251; 255 for NULL
Errors
    none
Source
    Driftnet
#}
{% macro number_bin_code(value, edges, atoms) -%}
    {{ return(adapter.dispatch('number_bin_code', 'driftnet')(value, edges, atoms)) }}
{%- endmacro %}

{% macro default__number_bin_code(value, edges, atoms) -%}
    case
        when {{ value }} is null or not isfinite({{ value }}) then 255
        when list_contains({{ atoms }}, {{ value }})
            then len({{ edges }}) + list_position({{ atoms }}, {{ value }})
        else len(list_filter({{ edges }}, lambda edge: edge < {{ value }}))
    end
{%- endmacro %}
