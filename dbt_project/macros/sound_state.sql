{#
Runs before a build: refuses to mix old state with new, and to lose windows.

A full refresh drops what it will build anew before it builds any of it (the settings last), so that one that is killed half way is gone
on with by any later build, and never beside tables of the old settings.
#}
{% macro require_sound_state() %}
    {% if not execute or flags.WHICH not in ['build', 'run'] %}{{ return('') }}{% endif %}
    {% set changed = changed_settings() %}
    {% set tables = state_tables() %}
    {% set chosen = tables | selectattr('unique_id', 'in', selected_resources) | list %}
    {% if changed and not (flags.FULL_REFRESH and chosen | length == tables | length) %}
        {{ exceptions.raise_compiler_error(
            "the state of this warehouse does not fit: " ~ changed | join('; ') ~ ". Put the old value back, or fold all that is landed again: "
            ~ "`driftnet build --full-refresh` (dbt build --full-refresh, of all models)"
        ) }}
    {% endif %}
    {% if flags.FULL_REFRESH %}
        {% do refuse_to_lose_windows() %}
        {% for table in chosen | sort(attribute='is_last') %}
            {% set relation = adapter.get_relation(database=table.database, schema=table.schema, identifier=table.name) %}
            {% if relation is not none %}{% do adapter.drop_relation(relation) %}{% endif %}
        {% endfor %}
    {% endif %}
    {{ return('') }}
{% endmacro %}

{# The tables that keep rows from build to build, and the one of settings; not those that are never built anew. #}
{% macro state_tables() %}
    {% set tables = [] %}
    {% for node in graph.nodes.values() if node.resource_type == 'model' and node.package_name == project_name %}
        {% set is_kept = node.config.materialized == 'incremental' and node.config.full_refresh is not sameas false %}
        {% if is_kept or node.name == 'int_configuration' %}
            {% do tables.append({
                'unique_id': node.unique_id, 'database': node.database, 'schema': node.schema, 'name': node.alias,
                'is_last': node.name == 'int_configuration'
            }) %}
        {% endif %}
    {% endfor %}
    {{ return(tables) }}
{% endmacro %}

{# A full refresh folds landing again: stop where that no longer holds all that was folded once. #}
{% macro refuse_to_lose_windows() %}
    {% set folds = state_relation('int_folds') %}
    {% if folds is none or var('accept_lost_windows') %}{{ return('') }}{% endif %}
    {% set files = [] %}
    {% for topic in [var('predictions_topic'), var('labels_topic')] %}
        {% do files.extend(run_query("select file from (" ~ landed_file_names(topic) ~ ")").columns[0].values()) %}
    {% endfor %}
    {% set lost = run_query(lost_chains(folds, files)).rows %}
    {% if lost | length > 0 %}
        {{ exceptions.raise_compiler_error(
            "a full refresh would lose windows: landing no longer holds all of " ~ lost[0][0] ~ " (" ~ lost[0][1] ~ ")"
            ~ (" and of " ~ (lost | length - 1) ~ " more" if lost | length > 1 else "")
            ~ ". Go on with a build without --full-refresh, or bring the files back from a copy, or accept the loss: "
            ~ "`driftnet build --full-refresh --accept-loss` (dbt: --vars '{accept_lost_windows: true}')"
        ) }}
    {% endif %}
{% endmacro %}

{# A query of the folded chains that landing does not hold whole, and why. #}
{% macro lost_chains(folds, files) -%}
    with folded as (
        select topic, source_id, partition_id, max(upto_offset) as upto_offset from {{ folds }} where topic != '' group by all
    ),

    linked as (
        select
            topic,
            source_id,
            partition_id,
            position,
            next_offset,
            reason,
            position = coalesce(lag(next_offset) over (partition by topic, source_id, partition_id order by position), 0) as is_linked
        from ({{ landed_file_spans(files) }})
    ),

    landed as (
        select topic, source_id, partition_id, bool_and(is_linked) as is_whole, max(next_offset) as next_offset, max(reason) filter (where reason like 'pruned%') as reason
        from linked group by all
    )

    select
        folded.topic || '/' || folded.source_id || '/p=' || folded.partition_id,
        coalesce(landed.reason, 'files are missing')
    from folded
    left join landed using (topic, source_id, partition_id)
    where landed.reason is not null or not coalesce(landed.is_whole and landed.next_offset >= folded.upto_offset, false)
    order by 1
{%- endmacro %}
