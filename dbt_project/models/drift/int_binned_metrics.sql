{# One row per comparison of this build, segment, feature and metric of binned values: the value, its law and its probability. #}
{% set histogram = ['comparison_number', 'histogram_number'] %}
{% set values = binned_metrics() %}
{% set facts = [
    'reference_count', 'current_count', 'degrees_of_freedom', 'pooled_deviation', 'sampling_variance', 'design_effect',
    'has_design_effect'
] %}
with comparisons as (
    select * from {{ ref('int_comparisons') }}
),

bins as (
    select * from {{ ref('int_compared_bins') }}
),

sizes as (
    select * from {{ ref('int_compared_sizes') }}
),

keys as (
    select * from {{ ref('int_histogram_keys') }}
),

reference_blocks as (
    select * from {{ ref('int_reference_blocks') }}
),

metric_laws as (
    select * from {{ ref('drift_metrics') }}
),

blocks as (
    select
        keys.histogram_number,
        reference_blocks.block_grain,
        reference_blocks.squared_size_sum,
        reference_blocks.rho
    from reference_blocks
    inner join keys
        on
            reference_blocks.model_name = keys.model_name
            and reference_blocks.model_version = keys.model_version
            and reference_blocks.segment_name = keys.segment_name
            and reference_blocks.segment_value = keys.segment_value
            and reference_blocks.drift_kind = keys.drift_kind
            and reference_blocks.feature_name = keys.feature_name
    where reference_blocks.rho is not null
),

parts as (
    {{ driftnet.bin_parts('bins', by=histogram, smoothing=var('smoothing')) }}
),

statistics as (
    {{ driftnet.drift_statistics('parts', by=histogram) }}
),

-- the variance that a share really has: the larger of day blocks and of blocks as long as the window
block_variances as (
    select
        {% for column in histogram %}statistics.{{ column }},
        {% endfor -%}
        max(
            ({{ driftnet.design_effect(
                'blocks.rho',
                "case
                    when reference_sizes.row_count is null then blocks.squared_size_sum
                    when blocks.block_grain = 'day' then reference_sizes.squared_day_sum
                    else reference_sizes.squared_block_sum
                end",
                'statistics.reference_count'
            ) }}) / statistics.reference_count
            + ({{ driftnet.design_effect(
                'blocks.rho',
                "case when blocks.block_grain = 'day' then current_sizes.squared_day_sum else current_sizes.squared_block_sum end",
                'statistics.current_count'
            ) }}) / statistics.current_count
        ) as sampling_variance
    from statistics
    inner join comparisons on statistics.comparison_number = comparisons.comparison_number
    inner join blocks
        on
            statistics.histogram_number = blocks.histogram_number
            and blocks.block_grain in ('day', comparisons.window_grain)
    inner join sizes as current_sizes
        on
            current_sizes.side = 'current'
            and comparisons.window_number = current_sizes.side_number
            and statistics.histogram_number = current_sizes.histogram_number
    left join sizes as reference_sizes
        on
            reference_sizes.side = 'reference'
            and comparisons.reference_number = reference_sizes.side_number
            and statistics.histogram_number = reference_sizes.histogram_number
    where statistics.reference_count > 0 and statistics.current_count > 0
    group by {% for column in histogram %}statistics.{{ column }}{{ ", " if not loop.last }}{% endfor %}
),

laws as (
    select
        {% for column in histogram %}statistics.{{ column }},
        {% endfor -%}
        {% for value in values %}statistics.{{ value }},
        {% endfor -%}
        keys.family_number,
        statistics.reference_count,
        statistics.current_count,
        statistics.bin_count,
        statistics.degrees_of_freedom,
        statistics.pooled_deviation,
        statistics.pearson_mean,
        statistics.pearson_variance,
        coalesce(block_variances.sampling_variance, 1.0 / statistics.reference_count + 1.0 / statistics.current_count) as sampling_variance,
        coalesce(block_variances.sampling_variance, 1.0 / statistics.reference_count + 1.0 / statistics.current_count)
        / (1.0 / statistics.reference_count + 1.0 / statistics.current_count) as design_effect,
        block_variances.sampling_variance is not null as has_design_effect
    from statistics
    inner join keys on statistics.histogram_number = keys.histogram_number
    left join block_variances
        on
            {% for column in histogram %}{{ "and " if not loop.first }}statistics.{{ column }} = block_variances.{{ column }}
            {% endfor %}
    where statistics.reference_count > 0 and statistics.current_count > 0
),

tests as (
    select
        {{ (histogram + ['family_number'] + values + facts) | join(',\n        ') }},
        {{ driftnet.pearson_p_value('chi_square', 'design_effect', 'bin_count', 'pearson_mean', 'pearson_variance') }} as p_value
    from laws
),

-- one test for each feature: a family is the features of one kind
corrected as (
    {{ driftnet.benjamini_hochberg(
        'tests',
        family=['comparison_number', 'family_number'],
        columns=histogram + ['family_number'] + values + facts + ['p_value']
    ) }}
),

metrics as (
    select
        comparisons.model_name,
        comparisons.model_version,
        comparisons.window_grain,
        comparisons.window_start_at,
        comparisons.reference_kind,
        keys.segment_name,
        keys.segment_value,
        keys.drift_kind,
        keys.feature_name,
        keys.bin_spec_id,
        metric_laws.metric_name,
        case metric_laws.metric_name
            {%- for value in values %}
            when '{{ value }}' then corrected.{{ value }}
            {%- endfor %}
        end as metric_value,
        case metric_laws.metric_name
            when 'chi_square' then corrected.design_effect * corrected.degrees_of_freedom
            when 'total_variation' then {{ driftnet.expected_total_variation('corrected.sampling_variance', 'corrected.pooled_deviation') }}
            else {{ driftnet.expected_effect(
                'corrected.sampling_variance', 'corrected.degrees_of_freedom', 'metric_laws.divergence_scale', 'metric_laws.is_root'
            ) }}
        end as expected_value,
        {{ driftnet.detectable_effect(
            'corrected.sampling_variance', 'corrected.degrees_of_freedom', 'metric_laws.divergence_scale', 'metric_laws.is_root'
        ) }} as min_detectable_value,
        corrected.p_value,
        corrected.q_value,
        corrected.design_effect,
        corrected.has_design_effect,
        corrected.sampling_variance,
        corrected.degrees_of_freedom,
        corrected.reference_count,
        corrected.current_count,
        case when keys.drift_kind = 'label' then comparisons.fold_id else comparisons.counted_fold_id end as fold_id
    from corrected
    inner join comparisons on corrected.comparison_number = comparisons.comparison_number
    inner join keys on corrected.histogram_number = keys.histogram_number
    inner join metric_laws
        on
            metric_laws.metric_name in ('{{ values | join("', '") }}')
            and case
                when keys.segment_name != 'all' then metric_laws.metric_name in ('{{ var("segment_metrics") | join("', '") }}')
                when comparisons.reference_kind in ('previous', 'seasonal')
                    then metric_laws.metric_name in ('{{ var("earlier_metrics") | join("', '") }}')
                else true
            end
)

select * from metrics
