{# One row per version and metric: the standard error that an estimate from one row would have; from n rows it is the n-th root less. #}
{{ config(materialized='table') }}
with reference_quality as (
    select * from {{ ref('int_reference_quality') }}
    where window_grain = 'reference'
),

errors as (
    {%- for metric in quality_metric_names() %}
    select
        model_name,
        model_version,
        '{{ metric }}' as metric_name,
        {% if metric == 'roc_auc' -%}
        -- the spread of the places of the rarer class, as NannyML has it
        case
            when positive_sum * 2 <= row_count then sqrt(positive_placement_variance * row_count / positive_sum)
            else sqrt(negative_placement_variance * row_count / (row_count - positive_sum))
        end
        {%- else -%}
        {{ metric }}_error * sqrt(row_count)
        {%- endif %} as unit_error
    from reference_quality
    {{ "union all" if not loop.last }}
    {%- endfor %}
)

select * from errors
