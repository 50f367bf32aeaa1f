{# One row per categorical feature of a reference: every value that it shows on any day. #}
{% set texts = text_columns(registered_features()) %}
with reference_rows as (
    select * from {{ ref('int_reference_features') }}
    {{ where_version_is_new() }}
),

{% if texts -%}
long as (
    {{ driftnet.unpivot('reference_rows', ['model_name', 'model_version'], texts, 'column_name', 'text_value') }}
),
{%- else -%}
long as (
    select
        model_name,
        model_version,
        cast(null as varchar) as column_name,
        cast(null as varchar) as text_value
    from reference_rows
    where false
),
{%- endif %}

collected as (
    select
        model_name,
        model_version,
        substr(column_name, strpos(column_name, '_') + 1) as feature_name,
        list(distinct text_value) as texts
    from long
    group by 1, 2, 3
)

select * from collected
