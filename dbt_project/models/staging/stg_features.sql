{# One row per feature of a registered model version. #}
{% set files = model_files('features.json') %}
with features as (
    {%- if files %}
    select
        string_split(filename, '/')[-3] as model_name,
        string_split(filename, '/')[-2] as model_version,
        name as feature_name,
        kind as feature_kind,
        unit,
        description
    from read_json(
        {{ file_list(files) }},
        columns = {name: 'varchar', kind: 'varchar', unit: 'varchar', description: 'varchar'},
        filename = true
    )
    {%- else %}
    select
        cast(null as varchar) as model_name,
        cast(null as varchar) as model_version,
        cast(null as varchar) as feature_name,
        cast(null as varchar) as feature_kind,
        cast(null as varchar) as unit,
        cast(null as varchar) as description
    where false
    {%- endif %}
)

select * from features
