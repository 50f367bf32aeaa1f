{#
The landed files of a topic that a state table has not read yet, within what int_folds has pinned.

The table is looked up by name: a ref() from staging to the state that reads it would be a circle.
#}
{% macro unread_files(topic, state_table) %}
    {% set folds = ref('int_folds') %}
    {% if not execute or flags.EMPTY or load_relation(folds) is none %}{{ return([]) }}{% endif %}
    {% set pattern = quoted(var('driftnet_home') ~ '/landing/' ~ topic ~ '/*/p=*/*.parquet') %}
    {% set found = run_query(
        "with files as (" ~ landed_file_names(pattern) ~ ") "
        ~ "select distinct files.file from files inner join " ~ folds ~ " as folds "
        ~ "on files.topic = folds.topic and files.source_id = folds.source_id and files.partition_id = folds.partition_id "
        ~ "and files.position >= folds.after_offset and files.position < folds.upto_offset "
        ~ "where folds.fold_id > " ~ newest_fold(state_table) ~ " order by 1"
    ) %}
    {{ return(found.columns[0].values() | list) }}
{% endmacro %}

{# The newest fold of which a state table holds rows; 0 when it has none or is about to be built anew. #}
{% macro newest_fold(state_table) %}
    {% set table = adapter.get_relation(database=target.database, schema=target.schema, identifier=state_table) %}
    {% if table is none or flags.FULL_REFRESH %}{{ return(0) }}{% endif %}
    {{ return(run_query("select coalesce(max(fold_id), 0) from " ~ table).columns[0].values()[0]) }}
{% endmacro %}

{#
A query of the landed positions of held events whose version has gained its reference: they are counted by this build.

The table is looked up by name, as in unread_files; no row when there is none.
#}
{% macro waiting_positions() -%}
    {%- set table = adapter.get_relation(database=target.database, schema=target.schema, identifier='int_predictions') if execute -%}
    select
        source_id,
        partition_id,
        position
    {%- if table is none or flags.FULL_REFRESH or flags.EMPTY %}
    from (select '' as source_id, 0 as partition_id, 0 as position where false) as nothing
    {%- else %}
    from {{ table }}
    where
        event_status = 'held'
        and model_name || '/' || model_version in (
            select string_split(file, '/')[-3] || '/' || string_split(file, '/')[-2]
            from glob('{{ quoted(var("driftnet_home")) }}/models/*/*/card.json')
        )
    {%- endif %}
{%- endmacro %}

{# The landed files that hold the waiting positions. #}
{% macro files_with_waiting_positions() %}
    {% if not execute or flags.EMPTY %}{{ return([]) }}{% endif %}
    {% set pattern = quoted(var('driftnet_home') ~ '/landing/' ~ var('predictions_topic') ~ '/*/p=*/*.parquet') %}
    {% set found = run_query(
        "with waiting as (" ~ waiting_positions() ~ "), files as (" ~ landed_file_names(pattern) ~ ") "
        ~ "select distinct files.file from waiting asof join files "
        ~ "on waiting.source_id = files.source_id and waiting.partition_id = files.partition_id "
        ~ "and waiting.position >= files.position order by 1"
    ) %}
    {{ return(found.columns[0].values() | list) }}
{% endmacro %}

{# Whether held events wait to be counted. #}
{% macro has_waiting_events() %}
    {% if not execute or flags.EMPTY %}{{ return(false) }}{% endif %}
    {{ return(run_query("select count(*) from (" ~ waiting_positions() ~ ")").columns[0].values()[0] > 0) }}
{% endmacro %}

{# A query of the landed files that match a pattern: file and what its path says. #}
{% macro landed_file_names(pattern) -%}
    select
        file,
        string_split(file, '/')[-4] as topic,
        string_split(file, '/')[-3] as source_id,
        cast(replace(string_split(file, '/')[-2], 'p=', '') as integer) as partition_id,
        cast(replace(string_split(file, '/')[-1], '.parquet', '') as bigint) as position
    from glob('{{ pattern }}')
{%- endmacro %}

{#
A query of landed rows: the wanted columns, cast, NULL where the files have none; no row when there is no file.

Parameters
    files     paths
    columns   list of (name, type)
#}
{% macro read_landed(files, columns) -%}
    {%- set present = [] -%}
    {%- if files -%}
        {%- set found = run_query("describe select * from " ~ landed_reader(files)) -%}
        {%- for name in found.columns[0].values() -%}{%- do present.append(name | lower) -%}{%- endfor -%}
    {%- endif -%}
    select
    {%- for name, type in columns %}
        {% if name in present %}cast({{ name }} as {{ type }}){% else %}cast(null as {{ type }}){% endif %} as {{ name }}{{ "," if not loop.last }}
    {%- endfor %}
    from {{ landed_reader(files) if files else "(select 1) as nothing where false" }}
{%- endmacro %}

{# Columns differ from file to file as models come and go: union by name. #}
{% macro landed_reader(files) -%}
    read_parquet({{ file_list(files) }}, union_by_name = true, filename = true)
{%- endmacro %}

{# The reference files of the model versions of which a table holds no row yet. #}
{% macro unread_references(reference_table) %}
    {% set files = model_files('reference.parquet') %}
    {% set table = adapter.get_relation(database=target.database, schema=target.schema, identifier=reference_table) if execute %}
    {% if not files or table is none or flags.FULL_REFRESH %}{{ return(files) }}{% endif %}
    {% set known = run_query("select distinct model_name || '/' || model_version || '/reference.parquet' from " ~ table).columns[0].values() %}
    {% set unread = [] %}
    {% for file in files if file.split('/')[-3:] | join('/') not in known %}{% do unread.append(file) %}{% endfor %}
    {{ return(unread) }}
{% endmacro %}

{# The landed files of both topics that lie after the last fold. #}
{% macro unfolded_files() %}
    {% if not execute or flags.EMPTY %}{{ return([]) }}{% endif %}
    {% set folds = load_relation(this) %}
    {% set unfolded = [] %}
    {% for topic in [var('predictions_topic'), var('labels_topic')] %}
        {% set pattern = quoted(var('driftnet_home') ~ '/landing/' ~ topic ~ '/*/p=*/*.parquet') %}
        {% if folds is none %}
            {% do unfolded.extend(existing_files(var('driftnet_home') ~ '/landing/' ~ topic ~ '/*/p=*/*.parquet')) %}
        {% else %}
            {% set found = run_query(
                "with files as (" ~ landed_file_names(pattern) ~ "), "
                ~ "folded as (select topic, source_id, partition_id, max(upto_offset) as upto_offset from " ~ folds ~ " group by all) "
                ~ "select files.file from files left join folded "
                ~ "on files.topic = folded.topic and files.source_id = folded.source_id and files.partition_id = folded.partition_id "
                ~ "where files.position >= coalesce(folded.upto_offset, 0) order by 1"
            ) %}
            {% do unfolded.extend(found.columns[0].values()) %}
        {% endif %}
    {% endfor %}
    {{ return(unfolded) }}
{% endmacro %}

{# A query of landed files and the offsets that they hold: position (from the name) up to next_offset (from the metadata). #}
{% macro landed_file_spans(files) -%}
    {%- if files -%}
    select
        string_split(file_name, '/')[-4] as topic,
        string_split(file_name, '/')[-3] as source_id,
        cast(replace(string_split(file_name, '/')[-2], 'p=', '') as integer) as partition_id,
        cast(replace(string_split(file_name, '/')[-1], '.parquet', '') as bigint) as position,
        cast(decode(value) as bigint) as next_offset
    from parquet_kv_metadata({{ file_list(files) }})
    where decode(key) = 'next_offset'
    {%- else -%}
    select
        cast(null as varchar) as topic,
        cast(null as varchar) as source_id,
        cast(null as integer) as partition_id,
        cast(null as bigint) as position,
        cast(null as bigint) as next_offset
    where false
    {%- endif -%}
{%- endmacro %}

{# A reference is read once: the versions that the table holds already are left out, so that a build killed half way repeats nothing. #}
{% macro where_version_is_new() -%}
    {%- if is_incremental() -%}
    where (model_name, model_version) not in (select (model_name, model_version) from {{ this }})
    {%- endif -%}
{%- endmacro %}
