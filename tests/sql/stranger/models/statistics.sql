{# One row per case: its distances, its probability, its place in its family, and what the laws say of it. #}
{% set key = ['family_id', 'case_id'] %}
with parts as (
    select * from {{ ref('parts') }}
),

blocks as (
    select * from {{ ref('blocks') }}
),

reference_sizes as (
    select
        case_id,
        sum(event_count * cast(event_count as double)) as squared_size_sum
    from read_parquet('{{ env_var("STRANGER_HOME") }}/reference_sizes.parquet')
    group by case_id
),

current_sizes as (
    select
        case_id,
        sum(event_count * cast(event_count as double)) as squared_size_sum
    from read_parquet('{{ env_var("STRANGER_HOME") }}/current_sizes.parquet')
    group by case_id
),

distances as (
    {{ driftnet.drift_statistics('parts', by=key) }}
),

varied as (
    select
        distances.family_id,
        distances.case_id,
        distances.reference_count,
        distances.current_count,
        distances.bin_count,
        distances.degrees_of_freedom,
        distances.psi,
        distances.js_distance,
        distances.kl_divergence,
        distances.hellinger,
        distances.total_variation,
        distances.l_infinity,
        distances.cramers_v,
        distances.chi_square,
        distances.pearson_mean,
        distances.pearson_variance,
        blocks.rho,
        1.0 / nullif(distances.reference_count, 0) + 1.0 / nullif(distances.current_count, 0) as independent_variance,
        ({{ driftnet.design_effect('coalesce(blocks.rho, 0)', 'coalesce(reference_sizes.squared_size_sum, 0)', 'distances.reference_count') }})
        / nullif(distances.reference_count, 0)
        + ({{ driftnet.design_effect('coalesce(blocks.rho, 0)', 'coalesce(current_sizes.squared_size_sum, 0)', 'distances.current_count') }})
        / nullif(distances.current_count, 0) as sampling_variance
    from distances
    left join blocks on distances.case_id = blocks.case_id
    left join reference_sizes on distances.case_id = reference_sizes.case_id
    left join current_sizes on distances.case_id = current_sizes.case_id
),

tests as (
    select
        family_id,
        case_id,
        degrees_of_freedom,
        psi,
        js_distance,
        kl_divergence,
        hellinger,
        total_variation,
        l_infinity,
        cramers_v,
        chi_square,
        pearson_mean,
        pearson_variance,
        rho,
        sampling_variance,
        sampling_variance / independent_variance as design_effect,
        {{ driftnet.pearson_p_value('chi_square', '1', 'bin_count', 'pearson_mean', 'pearson_variance') }} as independent_p_value,
        {{ driftnet.pearson_p_value(
            'chi_square', '(sampling_variance / independent_variance)', 'bin_count', 'pearson_mean', 'pearson_variance'
        ) }} as p_value
    from varied
),

corrected as (
    {{ driftnet.benjamini_hochberg(
        'tests',
        family=['family_id'],
        columns=key + [
            'degrees_of_freedom', 'psi', 'js_distance', 'kl_divergence', 'hellinger', 'total_variation', 'l_infinity', 'cramers_v', 'chi_square', 'pearson_mean', 'pearson_variance', 'rho',
            'sampling_variance', 'design_effect', 'independent_p_value', 'p_value'
        ]
    ) }}
),

described as (
    select
        {{ key | join(',\n        ') }},
        degrees_of_freedom,
        psi,
        js_distance,
        kl_divergence,
        hellinger,
        total_variation,
        l_infinity,
        cramers_v,
        chi_square,
        pearson_mean,
        pearson_variance,
        rho,
        design_effect,
        independent_p_value,
        p_value,
        q_value,
        {{ driftnet.expected_effect('sampling_variance', 'degrees_of_freedom', '1', 'false') }} as expected_psi,
        {{ driftnet.detectable_effect('sampling_variance', 'degrees_of_freedom', '1', 'false') }} as detectable_psi,
        {{ driftnet.fail_bound('0.25', 'sampling_variance', 'degrees_of_freedom', '1', 'false') }} as fail_psi,
        {{ driftnet.fail_bound('0.1', 'sampling_variance', 'degrees_of_freedom', '8 * ln(2)', 'true') }} as fail_js
    from corrected
)

select * from described
