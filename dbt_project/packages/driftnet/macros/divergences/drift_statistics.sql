{#
The distances of two histograms, and what their law needs: a query, one row per histogram.

Parameters
    parts   a relation (or CTE) as bin_parts returns it
    by      names of the columns that say which histogram a row belongs to
Returns
    by, reference_count n, current_count m (rows), bin_count B' (bins not empty on both sides), degrees_of_freedom
    B' - 1, psi (nats), js_distance (0..1), chi_square (Pearson's statistic), pearson_mean and pearson_variance (its exact
    mean and variance given the margins). Distances are NULL where a side has no row; the moments where N < 4.

    N = n + m,  c = 1/n + 1/m,  t = x + y
    mean     = N * df / (N - 1)
    variance = 2N/(N-3) * (v1 - w1)(v2 - w2) + N^2/(N-1) * w1 * w2
    v1 = (N-2)/(N-1)            w1 = (N*c - 4)/(N-2)
    v2 = df*(N-B')/(N-1)        w2 = (N * sum(1/t) - B'^2)/(N-2)
Source
    Dawson (1954), A simplified expression for the variance of the chi-square function on a contingency table, Biometrika 41
#}
{% macro drift_statistics(parts, by) -%}
{%- set columns = by | join(', ') -%}
    select
        {{ columns }},
        reference_count,
        current_count,
        bin_count,
        bin_count - 1 as degrees_of_freedom,
        psi,
        js_distance,
        chi_square,
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
            psi,
            js_distance,
            chi_square,
            total,
            is_comparable,
            case when is_comparable then (total - 2) / (total - 1) end as v1,
            case when is_comparable then (total * (1.0 / reference_count + 1.0 / current_count) - 4) / (total - 2) end as w1,
            case when is_comparable then (bin_count - 1) * (total - bin_count) / (total - 1) end as v2,
            case when is_comparable then (total * inverse_sum - bin_count * bin_count) / (total - 2) end as w2
        from (
            select
                {{ columns }},
                cast(sum(reference_count) as bigint) as reference_count,
                cast(sum(current_count) as bigint) as current_count,
                count(nullif(reference_count + current_count, 0)) as bin_count,
                sum(psi_part) as psi,
                sqrt(case when sum(js_part) < 0 then 0.0 else sum(js_part) end) as js_distance,
                sum(chi_square_part) as chi_square,
                cast(sum(reference_count + current_count) as double) as total,
                sum(1.0 / nullif(reference_count + current_count, 0)) as inverse_sum,
                sum(reference_count + current_count) >= 4
                and sum(reference_count) > 0
                and sum(current_count) > 0 as is_comparable
            from {{ parts }}
            group by {{ columns }}
        ) as sums
    ) as terms
{%- endmacro %}
