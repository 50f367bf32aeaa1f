{#
Two stretches of time of a cube of counts against each other: a query, one row per histogram and metric.

The values are those of drift_statistics. The design effect comes from day blocks, with the correlation that was learnt once; the probability is
approximate (see chi2_tail), so that the query runs where no function of Python is registered.

Parameters
    cube             a relation with one row per window, histogram and bin: window_start_at, bin_index and event_count (rows, > 0)
    features         a relation with one row per feature and rho (correlation of rows within a day, 0..1; NULL for unknown)
    by               names of the columns that say which histogram a row of the cube belongs to
    feature_by       those of them by which `features` is joined
    reference_from, reference_to, current_from, current_to
                     expressions: the stretches [from, to) in which a window of either side must begin
    condition        which rows of the cube count: their windows must not overlap
    smoothing        pseudo-count of the smoothed shares (see smoothed_share)
Returns
    by, metric_name, metric_value, expected_value, min_detectable_value (in the metric's unit), p_value (0..1; one for all metrics of a
    histogram), design_effect (>= 1), reference_count, current_count (rows). No row where a side has none.
Errors
    none
Source
    drift_statistics, design_effect, pearson_p_value, chi2_tail
#}
{% macro compare_stretches(
    cube, features, by, feature_by, reference_from, reference_to, current_from, current_to, condition='true', smoothing=0.5
) -%}
{%- set key = by | join(', ') -%}
{%- set in_reference = 'window_start_at >= ' ~ reference_from ~ ' and window_start_at < ' ~ reference_to -%}
{%- set in_current = 'window_start_at >= ' ~ current_from ~ ' and window_start_at < ' ~ current_to -%}
{%- set laws = [
    ('psi', 1, 'false'), ('kl_divergence', 2, 'false'), ('js_distance', 8 * 0.6931471805599453, 'true'), ('hellinger', 8, 'true'),
    ('total_variation', 'null', 'false'), ('l_infinity', 'null', 'false'), ('chi_square', 'null', 'false'), ('cramers_v', 4, 'true')
] -%}
{%- set values = laws | map('first') | join(', ') -%}
{%- set kept = key ~ ', reference_count, current_count, degrees_of_freedom, ' ~ values ~ ', pooled_deviation, sampling_variance' -%}
    with chosen as (
        select
            {{ key }},
            window_start_at,
            bin_index,
            event_count
        from {{ cube }}
        where
            {{ condition }}
            and (({{ in_reference }}) or ({{ in_current }}))
    ),

    bins as (
        select
            {{ key }},
            bin_index,
            coalesce(sum(event_count) filter (where {{ in_reference }}), 0) as reference_count,
            coalesce(sum(event_count) filter (where {{ in_current }}), 0) as current_count
        from chosen
        group by {{ key }}, bin_index
    ),

    sizes as (
        select
            {{ key }},
            coalesce(sum(window_count * window_count) filter (where {{ in_reference }}), 0) as reference_squares,
            coalesce(sum(window_count * window_count) filter (where {{ in_current }}), 0) as current_squares
        from (
            select
                {{ key }},
                window_start_at,
                cast(sum(event_count) as double) as window_count
            from chosen
            group by {{ key }}, window_start_at
        ) as windows
        group by {{ key }}
    ),

    parts as (
        {{ driftnet.bin_parts('bins', by=by, smoothing=smoothing) }}
    ),

    statistics as (
        {{ driftnet.drift_statistics('parts', by=by) }}
    ),

    varied as (
        select
            {% for column in by %}statistics.{{ column }},
            {% endfor -%}
            statistics.reference_count,
            statistics.current_count,
            statistics.bin_count,
            statistics.degrees_of_freedom,
            {% for name, scale, is_root in laws %}statistics.{{ name }},
            {% endfor -%}
            statistics.pooled_deviation,
            statistics.pearson_mean,
            statistics.pearson_variance,
            1.0 / statistics.reference_count + 1.0 / statistics.current_count as independent_variance,
            ({{ driftnet.design_effect('coalesce(features.rho, 0)', 'sizes.reference_squares', 'statistics.reference_count') }}) / statistics.reference_count
            + ({{ driftnet.design_effect('coalesce(features.rho, 0)', 'sizes.current_squares', 'statistics.current_count') }}) / statistics.current_count
            as sampling_variance
        from statistics
        inner join sizes
            on {% for column in by %}{{ "and " if not loop.first }}statistics.{{ column }} = sizes.{{ column }}
            {% endfor -%}
        left join {{ features }} as features
            on {% for column in feature_by %}{{ "and " if not loop.first }}statistics.{{ column }} = features.{{ column }}
            {% endfor -%}
        where statistics.reference_count > 0 and statistics.current_count > 0
    ),

    scaled as (
        select
            {{ kept }},
            sampling_variance / independent_variance as design_effect,
            bin_count >= 2 and pearson_mean is not null as is_testable,
            pearson_variance < 1e-6 * pearson_mean * pearson_mean as is_settled,
            chi_square * independent_variance / sampling_variance * 2 * pearson_mean / nullif(pearson_variance, 0) as tail_statistic,
            2 * pearson_mean * pearson_mean / nullif(pearson_variance, 0) as tail_freedom
        from varied
    ),

    deviates as (
        select
            {{ kept }},
            design_effect,
            is_testable,
            is_settled,
            {{ driftnet.chi2_deviate('tail_statistic', 'tail_freedom') }} as deviate
        from scaled
    ),

    -- one test of a histogram, whatever its metrics; its margins may leave no room for another value
    tests as (
        select
            {{ kept }},
            design_effect,
            case
                when not is_testable then null
                when is_settled then 1.0
                else {{ driftnet.normal_tail('deviate') }}
            end as p_value
        from deviates
    ),

    metrics as (
        select
            {{ key }},
            metric_name,
            case metric_name
                {%- for name, scale, is_root in laws %}
                when '{{ name }}' then {{ name }}
                {%- endfor %}
            end as metric_value,
            case metric_name
                when 'chi_square' then design_effect * degrees_of_freedom
                when 'total_variation' then {{ driftnet.expected_total_variation('sampling_variance', 'pooled_deviation') }}
                else {{ driftnet.expected_effect('sampling_variance', 'degrees_of_freedom', 'divergence_scale', 'is_root') }}
            end as expected_value,
            {{ driftnet.detectable_effect('sampling_variance', 'degrees_of_freedom', 'divergence_scale', 'is_root') }} as min_detectable_value,
            p_value,
            design_effect,
            reference_count,
            current_count
        from tests
        cross join (
            values
            {%- for name, scale, is_root in laws %}
            ('{{ name }}', cast({{ scale }} as double), {{ is_root }}){{ "," if not loop.last }}
            {%- endfor %}
        ) as metric_laws (metric_name, divergence_scale, is_root)
    )

    select
        {{ key }},
        metric_name,
        metric_value,
        expected_value,
        min_detectable_value,
        p_value,
        design_effect,
        reference_count,
        current_count
    from metrics
{%- endmacro %}
