{# One row per pinned baseline of a model: a stretch of its own traffic to compare with. #}
{% set files = existing_files(var('driftnet_home') ~ '/baselines/*.json') %}
with baseline_files as (
    {%- if files %}
    select
        model_name,
        baseline_from,
        baseline_until
    from read_json(
        {{ file_list(files) }},
        columns = {model_name: 'varchar', baseline_from: 'timestamp', baseline_until: 'timestamp'}
    )
    {%- else %}
    select
        cast(null as varchar) as model_name,
        cast(null as timestamp) as baseline_from,
        cast(null as timestamp) as baseline_until
    where false
    {%- endif %}
)

select * from baseline_files
