{#
The settings on which stored state rests, as a dict of name and text. State that was made with one set is never added to with another.

A change of meaning that no setting shows raises state_version by hand. `coding` is a digest of the SQL that turns values into bins and
times into windows, so a change of the package shows too. The zone of a model is a setting of its own: naming one for a new model is no
change for the others.
#}
{% macro state_settings() %}
    {% set coding = [
        driftnet.number_bin_code('x', 'edges', 'atoms'), driftnet.window_start('t', 'day', none), driftnet.window_start('t', 'day', 'z'),
        bin_code('other'), bin_code('new'), bin_code('unreadable'), bin_code('null')
    ] | join(' ') %}
    {% set settings = {'state_version': '3', 'coding': local_md5(coding.split() | join(' '))} %}
    {% for name in [
        'bins', 'rows_per_bin', 'max_categories', 'split_minimum_days', 'segment_columns', 'segment_values', 'dedupe_horizon_days'
    ] %}
        {% do settings.update({name: tojson(var(name))}) %}
    {% endfor %}
    {% for name, zone in var('window_timezone').items() %}
        {% do settings.update({'window_timezone of ' ~ name: zone}) %}
    {% endfor %}
    {{ return(settings) }}
{% endmacro %}

{# What keeps this build from adding to the state as it is: a list of texts, empty when nothing does. #}
{% macro changed_settings() %}
    {% set stored = state_relation('int_configuration') %}
    {% if state_relation('int_folds') is none and state_relation('int_bin_specs') is none %}{{ return([]) }}{% endif %}
    {% if stored is none %}{{ return(['it was made by a version that did not keep its settings']) }}{% endif %}
    {% set before = {} %}
    {% for row in run_query("select setting_name, setting_value from " ~ stored).rows %}{% do before.update({row[0]: row[1]}) %}{% endfor %}
    {% set now = state_settings() %}
    {% set known = models_in_state() %}
    {% set changed = [] %}
    {% for name in (before.keys() | list + now.keys() | list) | unique | sort %}
        {% set is_zone = name.startswith('window_timezone of ') %}
        {% set usual = 'UTC' if is_zone else 'unknown' %}
        {% set old = before.get(name, usual) %}
        {% set new = now.get(name, usual) %}
        {% if old != new and not (is_zone and name[19:] not in known) %}
            {% do changed.append(name ~ ' was ' ~ old ~ ' and is now ' ~ new) %}
        {% endif %}
    {% endfor %}
    {{ return(changed) }}
{% endmacro %}

{# The names of the models of which state holds anything. #}
{% macro models_in_state() %}
    {% set names = [] %}
    {% for table in ['int_predictions', 'int_bin_specs'] %}
        {% set relation = state_relation(table) %}
        {% if relation is not none %}
            {% do names.extend(run_query("select distinct model_name from " ~ relation ~ " where model_name is not null").columns[0].values()) %}
        {% endif %}
    {% endfor %}
    {{ return(names | unique | list) }}
{% endmacro %}

{# A table of the state by its name, none when it is not there: where a ref() cannot stand or would make a circle. #}
{% macro state_relation(name) %}
    {{ return(adapter.get_relation(database=target.database, schema=target.schema, identifier=name)) }}
{% endmacro %}
