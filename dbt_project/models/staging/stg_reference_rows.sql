{# One row per row of a reference whose version has no bins yet. #}
-- depends_on: {{ ref('int_configuration') }}
{% set features = registered_features() %}
{% set files = unread_references('int_reference_codes') %}
{% set columns = [
    ('model_name', 'varchar'), ('model_version', 'varchar'), ('event_id', 'uuid'), ('channel', 'varchar'), ('cluster', 'varchar'),
    ('score', 'double'), ('is_predicted_positive', 'boolean'), ('is_actual_positive', 'boolean'), ('occurred_at', 'timestamp')
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
        channel,
        cluster,
        score,
        is_predicted_positive,
        is_actual_positive,
        occurred_at,
        {{ driftnet.window_start('occurred_at', 'day', window_timezone()) }} as window_start_at,
        cast(null as varchar[]) as unreadable_features
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
