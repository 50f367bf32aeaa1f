{#
The landed files of a topic that a state table has not read yet, within what int_folds has pinned.

The table is looked up by name: a ref() from staging to the state that reads it would be a circle.
#}
{% macro unread_files(topic, state_table) %}
    {% set folds = ref('int_folds') %}
    {% if not execute or flags.EMPTY or load_relation(folds) is none %}{{ return([]) }}{% endif %}
    {% set found = run_query(
        "with files as (" ~ landed_file_names(topic) ~ ") "
        ~ "select distinct files.file from files inner join " ~ folds ~ " as folds "
        ~ "on files.topic = folds.topic and files.source_id = folds.source_id and files.partition_id = folds.partition_id "
        ~ "and files.last_position >= folds.after_offset and files.position < folds.upto_offset "
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

A version has its reference once its bins are made, which is before int_folds pins: so all tables of a build mean the same versions. The
table of predictions is looked up by name, as in unread_files; no row when there is none.
#}
{% macro waiting_positions() -%}
    {%- set specs = ref('int_bin_specs') -%}
    {%- set table = adapter.get_relation(database=target.database, schema=target.schema, identifier='int_predictions') if execute -%}
    select
        source_id,
        partition_id,
        position
    {%- if table is none or flags.FULL_REFRESH or flags.EMPTY or load_relation(specs) is none %}
    from (select '' as source_id, 0 as partition_id, 0 as position where false) as nothing
    {%- else %}
    from {{ table }}
    where event_status = 'held' and (model_name, model_version) in (select (model_name, model_version) from {{ specs }})
    {%- endif %}
{%- endmacro %}

{# The landed files that hold the waiting positions. #}
{% macro files_with_waiting_positions() %}
    {% set waiting = waiting_positions() %}
    {% if not execute or flags.EMPTY %}{{ return([]) }}{% endif %}
    {% set found = run_query(
        "with waiting as (" ~ waiting ~ "), files as (" ~ landed_file_names(var('predictions_topic')) ~ ") "
        ~ "select distinct files.file from waiting asof join files "
        ~ "on waiting.source_id = files.source_id and waiting.partition_id = files.partition_id "
        ~ "and waiting.position >= files.position order by 1"
    ) %}
    {{ return(found.columns[0].values() | list) }}
{% endmacro %}

{# Whether held events wait to be counted. #}
{% macro has_waiting_events() %}
    {% set waiting = waiting_positions() %}
    {% if not execute or flags.EMPTY %}{{ return(false) }}{% endif %}
    {{ return(run_query("select count(*) from (" ~ waiting ~ ")").columns[0].values()[0] > 0) }}
{% endmacro %}

{#
A query of the files that hold what landed of a topic: file, what its path says, the first position and a last one that it is known to hold
(a chain file tells only where it begins; that is enough, since a fold ends where a file ends).

Compacted files cover the chain from 0 to the compacted end; what lies in a larger one, and a chain file before the end, was left by a
killed compaction or a zombie. In ingest.landed.compacted is the same rule in Python.
#}
{% macro landed_file_names(topic) -%}
    {%- set folder = quoted(var('driftnet_home') ~ '/landing/' ~ topic) -%}
    {%- set place = "string_split(replace(file, '/compacted/p=', '/p='), '/')" -%}
    {%- set stem = "replace(" ~ place ~ "[-1], '.parquet', '')" -%}
    select
        file,
        topic,
        source_id,
        partition_id,
        position,
        last_position
    from (
        select
            file,
            topic,
            source_id,
            partition_id,
            position,
            last_position,
            is_compacted,
            coalesce(
                max(last_position) filter (where is_compacted) over (
                    partition by source_id, partition_id
                    order by position asc, last_position desc
                    rows between unbounded preceding and 1 preceding
                ),
                -1
            ) as compacted_before,
            coalesce(max(last_position) filter (where is_compacted) over (partition by source_id, partition_id), -1) as compacted_upto
        from (
            select
                file,
                {{ place }}[-4] as topic,
                {{ place }}[-3] as source_id,
                cast(replace({{ place }}[-2], 'p=', '') as integer) as partition_id,
                cast(split_part({{ stem }}, '-', 1) as bigint) as position,
                case when is_compacted then cast(split_part({{ stem }}, '-', 2) as bigint) - 1 else cast({{ stem }} as bigint) end as last_position,
                is_compacted
            from (
                select file, false as is_compacted from glob('{{ folder }}/*/p=*/*.parquet')
                union all
                select file, true as is_compacted from glob('{{ folder }}/*/compacted/p=*/*.parquet')
            ) as globbed
        ) as named
    ) as files
    where case when is_compacted then last_position > compacted_before else position > compacted_upto end
{%- endmacro %}

{#
A query of landed rows: the wanted columns, cast, NULL where the files have none; no row when there is no file.

Parameters
    files     paths
    columns   list of (name, type); `filename` is the path that the row would have in its chain, also when it was compacted
#}
{% macro read_landed(files, columns) -%}
    {%- set present = [] -%}
    {%- if files -%}
        {%- set found = run_query("describe select * from " ~ landed_reader(files)) -%}
        {%- for name in found.columns[0].values() -%}{%- do present.append(name | lower) -%}{%- endfor -%}
    {%- endif -%}
    select
    {%- for name, type in columns %}
        {% if name == 'filename' and name in present %}replace(filename, '/compacted/p=', '/p='){% elif name in present %}cast({{ name }} as {{ type }}){% else %}cast(null as {{ type }}){% endif %} as {{ name }}{{ "," if not loop.last }}
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
        {% set names = "with files as (" ~ landed_file_names(topic) ~ ") " %}
        {% if folds is none %}
            {% set found = run_query(names ~ "select file from files order by 1") %}
        {% else %}
            {% set found = run_query(
                names
                ~ ", folded as (select topic, source_id, partition_id, max(upto_offset) as upto_offset from " ~ folds ~ " group by all) "
                ~ "select files.file from files left join folded "
                ~ "on files.topic = folded.topic and files.source_id = folded.source_id and files.partition_id = folded.partition_id "
                ~ "where files.last_position >= coalesce(folded.upto_offset, 0) order by 1"
            ) %}
        {% endif %}
        {% do unfolded.extend(found.columns[0].values()) %}
    {% endfor %}
    {{ return(unfolded) }}
{% endmacro %}

{# A query of landed files and the offsets that they hold: position (from the name) up to next_offset (from the metadata), and why a
file has no rows. A compacted file may begin before the last fold's end. #}
{% macro landed_file_spans(files) -%}
    {%- if files -%}
    select
        string_split(replace(file_name, '/compacted/p=', '/p='), '/')[-4] as topic,
        string_split(replace(file_name, '/compacted/p=', '/p='), '/')[-3] as source_id,
        cast(replace(string_split(file_name, '/')[-2], 'p=', '') as integer) as partition_id,
        cast(split_part(replace(string_split(file_name, '/')[-1], '.parquet', ''), '-', 1) as bigint) as position,
        max(case when decode(key) = 'next_offset' then cast(decode(value) as bigint) end) as next_offset,
        coalesce(max(decode(value)) filter (where decode(key) = 'reason'), '') as reason
    from parquet_kv_metadata({{ file_list(files) }})
    where decode(key) in ('next_offset', 'reason')
    group by file_name
    {%- else -%}
    select
        cast(null as varchar) as topic,
        cast(null as varchar) as source_id,
        cast(null as integer) as partition_id,
        cast(null as bigint) as position,
        cast(null as bigint) as next_offset,
        cast(null as varchar) as reason
    where false
    {%- endif -%}
{%- endmacro %}

{# A reference is read once: the versions that the table holds already are left out, so that a build killed half way repeats nothing. #}
{% macro where_version_is_new() -%}
    {%- if is_incremental() -%}
    where (model_name, model_version) not in (select (model_name, model_version) from {{ this }})
    {%- endif -%}
{%- endmacro %}
