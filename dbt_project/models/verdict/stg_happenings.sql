{# One row per landed happening of another room that int_landed_happenings has not read yet. #}
{% set files = unread_happenings() %}
{% set columns = [
    ('filename', 'varchar'), ('happening_id', 'uuid'), ('happened_at', 'timestamp with time zone'), ('room', 'varchar'),
    ('kind', 'varchar'), ('model_name', 'varchar'), ('model_version', 'varchar'), ('subject_name', 'varchar'), ('severity', 'integer'),
    ('summary', 'varchar'), ('detail', 'varchar'), ('source_position', 'varchar')
] %}
with landed as (
    {{ read_landed(files, columns) }}
),

typed as (
    select
        happening_id,
        array_to_string(string_split(filename, '/')[-2:], '/') as file_name,
        room,
        kind,
        model_name,
        model_version,
        coalesce(subject_name, '') as subject_name,
        summary,
        detail,
        source_position,
        coalesce(severity, 0) as severity,
        happened_at at time zone 'UTC' as happened_at
    from landed
)

select * from typed
