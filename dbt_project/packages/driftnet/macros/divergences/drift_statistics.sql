{#
The distances of two histograms, and what their law needs: a query, one row per histogram.

    psi, kl_divergence              sums of the bins' parts (smoothed shares)
    js_distance, hellinger          roots of the sums of the bins' parts (raw shares)
    total_variation, l_infinity     half the sum, and the greatest, of abs(p - q)
    chi_square                      Pearson's two-sample statistic X
    cramers_v                       root of half the sum of (p - q)^2 / (p + q)

    N = n + m,  c = 1/n + 1/m,  t = x + y
    pearson_mean     = N * df / (N - 1)
    pearson_variance = 2N/(N-3) * (v1 - w1)(v2 - w2) + N^2/(N-1) * w1 * w2
    v1 = (N-2)/(N-1)            w1 = (N*c - 4)/(N-2)
    v2 = df*(N-B')/(N-1)        w2 = (N * sum(1/t) - B'^2)/(N-2)

Parameters
    parts   a relation (or CTE) as bin_parts returns it
    by      names of the columns that say which histogram a row belongs to
Returns
    by, reference_count n, current_count m (rows), bin_count B' (bins not empty on both sides), degrees_of_freedom B' - 1, psi, kl_divergence
    (nats), js_distance, hellinger, total_variation, l_infinity, cramers_v (0..1), chi_square, pooled_deviation (sum of sqrt(r(1-r)), see
    expected_total_variation), pearson_mean and pearson_variance (mean and variance of X given the margins). Distances are NULL where a
    side has no row; the moments where N < 4.
Errors
    none: what cannot be said is NULL
Source
    Dawson (1954), A simplified expression for the variance of the chi-square function on a contingency table, Biometrika 41
#}
{% macro drift_statistics(parts, by) -%}
{%- set columns = by | join(', ') -%}
{%- set distances = [
    'psi', 'kl_divergence', 'js_distance', 'hellinger', 'total_variation', 'l_infinity', 'chi_square', 'cramers_v', 'pooled_deviation'
] | join(', ') -%}
    select
        {{ columns }},
        reference_count,
        current_count,
        bin_count,
        bin_count - 1 as degrees_of_freedom,
        {{ distances }},
        case when is_comparable then total * (bin_count - 1) / (total - 1) end as pearson_mean,
        case
            when is_comparable
                then
                    2 * total / (total - 3) * (v1 - w1) * (v2 - w2)
                    + total * total / (total - 1) * w1 * w2
        end as pearson_variance
    from (
        select
            {{ columns }},
            reference_count,
            current_count,
            bin_count,
            {{ distances }},
            total,
            is_comparable,
            case when is_comparable then (total - 2) / (total - 1) end as v1,
            case when is_comparable then (total * (1.0 / reference_count + 1.0 / current_count) - 4) / (total - 2) end as w1,
            case when is_comparable then (bin_count - 1) * (total - bin_count) / (total - 1) end as v2,
            case when is_comparable then (total * inverse_sum - bin_count * bin_count) / (total - 2) end as w2
        from (
            select
                {{ columns }},
                reference_count,
                current_count,
                bin_count,
                psi,
                case when kl_divergence < 0 then 0.0 else kl_divergence end as kl_divergence,
                sqrt({{ driftnet.within_unit('js_sum') }}) as js_distance,
                sqrt({{ driftnet.within_unit('hellinger_sum') }}) as hellinger,
                {{ driftnet.within_unit('total_variation') }} as total_variation,
                {{ driftnet.within_unit('l_infinity') }} as l_infinity,
                chi_square,
                sqrt({{ driftnet.within_unit('cramers_v_sum') }}) as cramers_v,
                pooled_deviation,
                cast(reference_count + current_count as double) as total,
                inverse_sum,
                reference_count + current_count >= 4 and reference_count > 0 and current_count > 0 as is_comparable
            from (
                select
                    {{ columns }},
                    cast(sum(reference_count) as bigint) as reference_count,
                    cast(sum(current_count) as bigint) as current_count,
                    count(nullif(reference_count + current_count, 0)) as bin_count,
                    sum(psi_part) as psi,
                    sum(kl_part) as kl_divergence,
                    sum(js_part) as js_sum,
                    sum({{ driftnet.hellinger_part('reference_share', 'current_share') }}) as hellinger_sum,
                    sum({{ driftnet.total_variation_part('reference_share', 'current_share') }}) as total_variation,
                    2 * max({{ driftnet.total_variation_part('reference_share', 'current_share') }}) as l_infinity,
                    sum(chi_square_part) as chi_square,
                    sum({{ driftnet.cramers_v_part('reference_share', 'current_share') }}) as cramers_v_sum,
                    sum({{ driftnet.pooled_deviation_part('pooled_share') }}) as pooled_deviation,
                    sum(1.0 / nullif(reference_count + current_count, 0)) as inverse_sum
                from {{ parts }}
                group by {{ columns }}
            ) as sums
        ) as bounded
    ) as terms
{%- endmacro %}

{#
A sum of shares between 0 and 1, where rounding may have gone past the ends.

Parameters
    value   a number
Returns
    0..1; NULL stays NULL
Errors
    none
Source
    greatest() and least() leave NULL out on some engines, case does not on any
#}
{% macro within_unit(value) -%}
    case when {{ value }} < 0 then 0.0 when {{ value }} > 1 then 1.0 else {{ value }} end
{%- endmacro %}
