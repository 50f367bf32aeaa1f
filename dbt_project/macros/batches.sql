{#
Windows described in batches, a statement each: the lists of rows that functions take then need the memory of one batch, whatever the
history. (Branches of one statement would not do: the engine keeps the lists of all of them until it ends.)

A model calls begin_batches in its pre-hook, in_batch in its query and finish_batches in its post-hook; all in one transaction. The
bounds of a batch are variables of the connection, so that the same query runs once for each. A watermark of the model's own rows is a
number in that query (newest_fold): the first batch that is laid in would move it under the rest.
#}

{# Whether a window is of the batch that is being described; of any where no batch was begun. #}
{% macro in_batch(window_start_at) -%}
    {{ window_start_at }} between
    coalesce(getvariable('{{ this.identifier }}_begin'), timestamp '-infinity')
    and coalesce(getvariable('{{ this.identifier }}_end'), timestamp 'infinity')
{%- endmacro %}

{# Whether a day may be of a window of the batch: what spares reading the history. A day more, for zones. #}
{% macro near_batch(day_start_at, grain) -%}
    {{ day_start_at }} between
    coalesce(getvariable('{{ this.identifier }}_begin'), timestamp '-infinity')
    and coalesce(cast(getvariable('{{ this.identifier }}_end') as timestamp) + interval '1 {{ grain }} 1 day', timestamp 'infinity')
{%- endmacro %}

{#
Cut windows into batches of about var('batch_rows') rows, in order of time, and take the first.

Parameters
    windows   a query of window_start_at and row_count: what is to be described
#}
{% macro begin_batches(windows) %}
    {%- if not execute -%}{{ return('') }}{%- endif -%}
    {%- do run_query(
        "set variable " ~ this.identifier ~ "_batches = ("
        ~ "select list([batch_begin, batch_end] order by batch_begin) from ("
        ~ "select min(window_start_at) as batch_begin, max(window_start_at) as batch_end from ("
        ~ "select window_start_at, sum(row_count) over (order by window_start_at) // " ~ var('batch_rows') ~ " as batch_number from (" ~ windows ~ ")"
        ~ ") group by batch_number))"
    ) -%}
    {%- do take_batch(1) -%}
{% endmacro %}

{# Describe the batches after the first, and forget them. #}
{% macro finish_batches() %}
    {%- if not execute -%}{{ return('') }}{%- endif -%}
    {%- set batch = this.identifier ~ '_batch' -%}
    {%- set found = run_query("select coalesce(len(getvariable('" ~ this.identifier ~ "_batches')), 0)") -%}
    {%- for number in range(2, (found.columns[0].values()[0] | int) + 1) -%}
        {%- do take_batch(number) -%}
        {%- do run_query("create or replace temp table " ~ batch ~ " as " ~ compiled_code) -%}
        {%- do run_query(get_delete_insert_merge_sql(
            this, api.Relation.create(identifier=batch), config.get('unique_key'), adapter.get_columns_in_relation(this), none
        )) -%}
        {%- do run_query("drop table " ~ batch) -%}
    {%- endfor -%}
    {%- for name in ['batches', 'begin', 'end'] -%}{%- do run_query("reset variable " ~ this.identifier ~ "_" ~ name) -%}{%- endfor -%}
{% endmacro %}

{% macro take_batch(number) %}
    {%- for name, place in [('begin', 1), ('end', 2)] -%}
        {%- do run_query(
            "set variable " ~ this.identifier ~ "_" ~ name ~ " = getvariable('" ~ this.identifier ~ "_batches')[" ~ number ~ "][" ~ place ~ "]"
        ) -%}
    {%- endfor -%}
{% endmacro %}
