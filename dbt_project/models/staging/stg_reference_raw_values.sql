{# One row per row of a reference whose raw values are not kept yet. #}
{% set features = registered_features() %}
{% set files = unread_references('int_reference_features') %}
{% set columns = [
    ('model_name', 'varchar'), ('model_version', 'varchar'), ('event_id', 'uuid'), ('score', 'double'), ('occurred_at', 'timestamp'),
    ('embedding', 'float[]')
] %}
{% for feature in features %}
    {% do columns.append(('feature_' ~ feature.name, feature_type(feature.kind))) %}
{% endfor %}
with reference_rows as (
    {{ read_landed(files, columns) }}
),

typed as (
    select
        model_name,
        model_version,
        event_id,
        score,
        embedding,
        occurred_at,
        {{ driftnet.window_start('occurred_at', 'day', window_timezone()) }} as window_start_at
        {%- for feature in features %},
        {% if feature.kind == 'numeric' -%}
        case when isfinite(feature_{{ feature.name }}) then feature_{{ feature.name }} end as feature_{{ feature.name }}
        {%- else -%}
        feature_{{ feature.name }}
        {%- endif %}
        {%- endfor %}
    from reference_rows
)

select * from typed
