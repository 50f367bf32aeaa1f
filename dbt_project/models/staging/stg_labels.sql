{# One row per landed position of the labels topic that int_labels has not read yet. #}
{% set files = unread_files(var('labels_topic'), 'int_labels') %}
{% set columns = [
    ('filename', 'varchar'), ('_offset', 'bigint'), ('_landed_at', 'timestamp'), ('_error', 'varchar'), ('event_id', 'uuid'),
    ('model_name', 'varchar'), ('labelled_at', 'timestamp'), ('is_actual_positive', 'boolean'), ('label_source', 'varchar')
] %}
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
        label_source,
        is_actual_positive,
        _error is not null as is_dead,
        labelled_at,
        _landed_at as landed_at
    from landed
)

select * from typed
