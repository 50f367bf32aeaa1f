{# One row per landed position of the files that int_predictions has to read: the new ones, and those with events that were held. #}
{% set features = registered_features() %}
{% set files = (unread_files(var('predictions_topic'), 'int_predictions') + unread_files(var('predictions_topic'), 'int_unknown_features') + files_with_waiting_positions()) | unique | list %}
{% set columns = [
    ('filename', 'varchar'), ('_offset', 'bigint'), ('_landed_at', 'timestamp'), ('_error', 'varchar'), ('event_id', 'uuid'),
    ('occurred_at', 'timestamp'), ('model_name', 'varchar'), ('model_version', 'varchar'), ('score', 'double'),
    ('threshold', 'double'), ('is_predicted_positive', 'boolean'), ('channel', 'varchar'), ('cluster', 'varchar'),
    ('features_other', 'varchar')
] %}
{% for feature in features %}
    {% do columns.append(('feature_' ~ feature.name, feature_type(feature.kind))) %}
{% endfor %}
with landed as (
    {{ read_landed(files, columns) }}
),

typed as (
    select
        string_split(filename, '/')[-3] as source_id,
        cast(replace(string_split(filename, '/')[-2], 'p=', '') as integer) as partition_id,
        _offset as position,
        event_id,
        model_name,
        coalesce(model_version, '0') as model_version,
        channel,
        cluster,
        score,
        threshold,
        is_predicted_positive,
        _error is not null as is_dead,
        occurred_at,
        _landed_at as landed_at,
        {{ driftnet.window_start('occurred_at', 'day', window_timezone()) }} as window_start_at,
        case when features_other is not null then list_transform(json_keys(features_other), lambda name: lower(name)) end as other_feature_names,
        {{ unreadable_features(features) }} as unreadable_features
        {%- for feature in features %},
        {{ landed_feature(feature.name, feature.kind) }} as feature_{{ feature.name }}
        {%- endfor %}
    from landed
)

select * from typed
