{# One row per value of a segment that is told apart: the most frequent ones of the reference; the rest is `other`. #}
{% set features = registered_features() %}
{% set segments = segment_columns() %}
with reference_rows as (
    select * from {{ ref('stg_reference_rows') }}
    {{ where_version_is_new() }}
),

segment_rows as (
    {%- for segment in segments %}
    select
        model_name,
        model_version,
        '{{ segment }}' as segment_name,
        {{ segment_source(segment, features, 'reference_rows') }} as segment_value
    from reference_rows
    {{ "union all" if not loop.last }}
    {%- else %}
    select
        model_name,
        model_version,
        cast(null as varchar) as segment_name,
        cast(null as varchar) as segment_value
    from reference_rows
    {%- endfor %}
),

counted as (
    select
        model_name,
        model_version,
        segment_name,
        segment_value,
        count(*) as reference_count
    from segment_rows
    where segment_value is not null
    group by 1, 2, 3, 4
),

ranked as (
    select
        model_name,
        model_version,
        segment_name,
        segment_value,
        reference_count,
        row_number() over (
            partition by model_name, model_version, segment_name
            order by reference_count desc, segment_value asc
        ) as value_rank
    from counted
),

kept as (
    select * from ranked
    where value_rank <= {{ var('segment_values') }}
)

select * from kept
