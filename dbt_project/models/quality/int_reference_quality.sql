{# One row per version, segment and window of its reference (and one for the whole of it): how good the predictions were there. #}
{{ config(incremental_strategy='append') }}
{% set key = quality_key() %}
{% set segments = segment_code_columns() %}
with reference_rows as (
    select * from {{ ref('int_reference_codes') }}
    {{ where_version_is_new() }}
),

labelled as (
    select
        model_name,
        model_version,
        window_start_at,
        score,
        prediction_decision = 1 as is_predicted_positive,
        case when is_actual_positive then 1.0e0 else 0.0e0 end as positive_weight,
        0 as fold_id
        {%- for segment in segments %},
        {{ segment }}
        {%- endfor %}
    from reference_rows
    where is_actual_positive is not null
),

window_rows as (
    {{ quality_rows('labelled') }}
),

whole_rows as (
    select
        model_name,
        model_version,
        'reference' as window_grain,
        cast('1970-01-01' as timestamp) as window_start_at,
        'all' as segment_name,
        'all' as segment_value,
        cast('1970-01-01' as timestamp) as day_start_at,
        score,
        is_predicted_positive,
        positive_weight,
        fold_id
    from labelled
),

quality_rows as (
    select * from window_rows
    union all
    select * from whole_rows
),

quality as (
    {{ project_quality('quality_rows', key) }}
),

-- of the whole reference: the standard errors of estimates shrink from there with the root of the rows
limits as (
    {{ project_limits('whole_rows', key) }}
),

reference_quality as (
    select
        {%- for column in key %}
        quality.{{ column }},
        {%- endfor %}
        quality.row_count,
        quality.positive_sum,
        {%- for metric in quality_metric_names() %}
        quality.{{ metric }}_value,
        {%- endfor %}
        quality.positive_placement_variance,
        quality.negative_placement_variance
        {%- for metric in quality_metric_names() if metric != 'roc_auc' %},
        struct_extract(limits.limits, '{{ metric }}_error') as {{ metric }}_error
        {%- endfor %}
    from quality
    left join limits
        on
            {%- for column in key %}
            {{ "and " if not loop.first }}quality.{{ column }} = limits.{{ column }}
            {%- endfor %}
)

select * from reference_quality
