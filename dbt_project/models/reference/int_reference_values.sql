{# One row per value of a feature in a reference whose version has no bins yet: numbers as numbers, all else as text. #}
{{ config(materialized='view') }}
{% set features = registered_features() %}
{% set keep = ['model_name', 'model_version', 'event_id', 'window_start_at'] %}
{% set numbers = ['prediction_score'] %}
{% set texts = [] %}
{% for feature in features %}
    {% do (numbers if feature.kind == 'numeric' else texts).append('covariate_' ~ feature.name) if feature.kind != 'boolean' %}
{% endfor %}
with reference_rows as (
    select
        {{ keep | join(',\n        ') }},
        score as prediction_score
        {%- for feature in features if feature.kind != 'boolean' %},
        feature_{{ feature.name }} as covariate_{{ feature.name }}
        {%- endfor %}
    from {{ ref('stg_reference_rows') }}
),

numbers as (
    {{ driftnet.unpivot('reference_rows', keep, numbers, 'column_name', 'number_value') }}
),

{% if texts %}
texts as (
    {{ driftnet.unpivot('reference_rows', keep, texts, 'column_name', 'text_value') }}
),
{% endif %}

reference_values as (
    select
        {{ keep | join(',\n        ') }},
        column_name,
        number_value,
        cast(null as varchar) as text_value
    from numbers
    {%- if texts %}
    union all
    select
        {{ keep | join(',\n        ') }},
        column_name,
        try_cast(text_value as double) as number_value,
        text_value
    from texts
    {%- endif %}
),

named as (
    select
        {{ keep | join(',\n        ') }},
        split_part(column_name, '_', 1) as drift_kind,
        substr(column_name, strpos(column_name, '_') + 1) as feature_name,
        number_value,
        text_value
    from reference_values
)

select * from named
