{# The files named `name` of all registered models. A folder that is still being written begins with a dot. #}
{% macro model_files(name) %}
    {% set files = [] %}
    {% for file in existing_files(var('driftnet_home') ~ '/models/*/*/' ~ name) if not file.split('/')[-2].startswith('.') %}
        {% do files.append(file) %}
    {% endfor %}
    {{ return(files) }}
{% endmacro %}

{# The paths that match a pattern, in order; none while dbt only parses, and none under --empty. #}
{% macro existing_files(pattern) %}
    {% if not execute or flags.EMPTY %}{{ return([]) }}{% endif %}
    {% set found = run_query("select file from glob('" ~ quoted(pattern) ~ "') order by file") %}
    {{ return(found.columns[0].values() | list) }}
{% endmacro %}

{# A path as the inside of an SQL string. #}
{% macro quoted(text) %}{{ return(text | replace("'", "''")) }}{% endmacro %}

{# Paths as an SQL list. #}
{% macro file_list(files) -%}
    [{% for file in files %}'{{ quoted(file) }}'{{ ", " if not loop.last }}{% endfor %}]
{%- endmacro %}

{#
The features of all registered models: a list of {name, kind}, by name. A name on whose kind two models disagree has kind
'mixed': it travels as text and is read by each model in its own way.
#}
{% macro registered_features() %}
    {% set files = model_files('features.json') %}
    {% if files | length == 0 %}{{ return([]) }}{% endif %}
    {% set rows = run_query(
        "select name, case when count(distinct kind) = 1 then min(kind) else 'mixed' end "
        ~ "from read_json(" ~ file_list(files) ~ ", columns = {name: 'varchar', kind: 'varchar'}) group by 1 order by 1"
    ) %}
    {% set features = [] %}
    {% for row in rows.rows %}{% do features.append({'name': row[0], 'kind': row[1]}) %}{% endfor %}
    {{ return(features) }}
{% endmacro %}

{# The zone in whose clock the windows of a model begin: an expression, or none when all models use UTC. #}
{% macro window_timezone(model_name='model_name') %}
    {% set zones = var('window_timezone') %}
    {% if not zones %}{{ return(none) }}{% endif %}
    {% set arms = [] %}
    {% for name, zone in zones.items() %}{% do arms.append("when '" ~ quoted(name) ~ "' then '" ~ quoted(zone) ~ "'") %}{% endfor %}
    {{ return("case " ~ model_name ~ " " ~ arms | join(' ') ~ " else 'UTC' end") }}
{% endmacro %}
