{#
Moments of parts as the moments of the whole: a query, one row per group.

    n = sum(n_i)    mean = sum(n_i mean_i) / n    M2 = sum(M2_i + n_i (mean_i - mean)^2)

Parameters
    parts   a relation (or CTE) with value_count n_i, zero_count, minimum, maximum, mean and squared_deviation_sum M2_i (the sum of
            the squared deviations from mean_i); a part without a mean adds to the counts only
    by      names of the columns that say which group a part belongs to
Returns
    by, value_count, zero_count, minimum, maximum, mean, squared_deviation_sum; the variance is M2 / (n - 1)
Errors
    none
Source
    Chan, Golub and LeVeque (1983), Algorithms for computing the sample variance, The American Statistician 37
#}
{% macro merged_moments(parts, by) -%}
{%- set columns = by | join(', ') -%}
    select
        {{ columns }},
        cast(sum(value_count) as bigint) as value_count,
        cast(sum(zero_count) as bigint) as zero_count,
        min(minimum) as minimum,
        max(maximum) as maximum,
        max(whole_mean) as mean,
        sum(squared_deviation_sum + coalesce(value_count * (mean - whole_mean) * (mean - whole_mean), 0)) as squared_deviation_sum
    from (
        select
            {{ columns }},
            value_count,
            zero_count,
            minimum,
            maximum,
            mean,
            squared_deviation_sum,
            sum(value_count * mean) over (partition by {{ columns }})
            / nullif(sum(case when mean is not null then value_count end) over (partition by {{ columns }}), 0) as whole_mean
        from {{ parts }}
    ) as centred
    group by {{ columns }}
{%- endmacro %}
