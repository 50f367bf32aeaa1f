{# One row per registered model version. #}
{% set cards = model_files('card.json') %}
{% set champions = existing_files(var('driftnet_home') ~ '/models/*/champion') %}
with cards as (
    select
        name as model_name,
        version as model_version,
        kind,
        created_at,
        threshold,
        embedding_dimension,
        reference_from,
        reference_until,
        reference_row_count
    {%- if cards %}
    from read_json(
        {{ file_list(cards) }},
        columns = {
            name: 'varchar',
            version: 'varchar',
            kind: 'varchar',
            created_at: 'timestamp',
            threshold: 'double',
            embedding_dimension: 'integer',
            reference_from: 'timestamp',
            reference_until: 'timestamp',
            reference_row_count: 'bigint'
        }
    )
    {%- else %}
    from (
        select
            cast(null as varchar) as name,
            cast(null as varchar) as version,
            cast(null as varchar) as kind,
            cast(null as timestamp) as created_at,
            cast(null as double) as threshold,
            cast(null as integer) as embedding_dimension,
            cast(null as timestamp) as reference_from,
            cast(null as timestamp) as reference_until,
            cast(null as bigint) as reference_row_count
        where false
    ) as nothing
    {%- endif %}
),

champions as (
    {%- if champions %}
    select
        string_split(filename, '/')[-2] as model_name,
        trim(content, e' \n\r\t') as model_version
    from read_text({{ file_list(champions) }})
    {%- else %}
    select
        cast(null as varchar) as model_name,
        cast(null as varchar) as model_version
    where false
    {%- endif %}
),

models as (
    select
        cards.model_name,
        cards.model_version,
        cards.kind,
        cards.threshold,
        cards.embedding_dimension,
        cards.reference_row_count,
        champions.model_version is not null as is_champion,
        cards.created_at,
        cards.reference_from,
        cards.reference_until
    from cards
    left join champions
        on cards.model_name = champions.model_name and cards.model_version = champions.model_version
)

select * from models
