{#
A query of the windows that fct_drift_metrics has judged, and as what; no row when there is no such table or it is about to be built anew.

The table is looked up by name: what it is made of cannot ref() it.
#}
{% macro judged_windows() -%}
    {%- set table = adapter.get_relation(database=target.database, schema=target.schema, identifier='fct_drift_metrics') if execute -%}
    {%- set names = adapter.get_columns_in_relation(table) | map(attribute='name') | list if table else [] -%}
    {%- if 'comparison_state' not in names or flags.FULL_REFRESH or flags.EMPTY %}
    select
        cast(null as varchar) as model_name,
        cast(null as varchar) as model_version,
        cast(null as varchar) as window_grain,
        cast(null as timestamp) as window_start_at,
        cast(null as varchar) as comparison_state,
        cast(null as bigint) as fold_id
    where false
    {%- else %}
    select
        model_name,
        model_version,
        window_grain,
        window_start_at,
        any_value(comparison_state) as comparison_state,
        max(fold_id) as fold_id
    from {{ table }}
    group by model_name, model_version, window_grain, window_start_at
    {%- endif %}
{%- endmacro %}

{#
A condition of the stored rows of a judged window that give way to new ones: all of them, or where only labels are new those of labels.

The table is named as it is: a config() does not take a ref().
#}
{% macro is_judged_again() -%}
    (
        drift_kind = 'label'
        or (model_name, model_version, window_grain, window_start_at) not in (
            select (model_name, model_version, window_grain, window_start_at)
            from {{ target.schema }}.int_comparisons
            where is_label_only
        )
    )
{%- endmacro %}
