{# One row per setting on which the stored state rests. #}
{{ config(materialized='table') }}
with settings as (
    {%- for name, value in state_settings().items() %}
    {{ "union all" if not loop.first }}
    select
        '{{ quoted(name) }}' as setting_name,
        '{{ quoted(value) }}' as setting_value
    {%- endfor %}
)

select * from settings
