{#
How much the rows of one block (a day, a week) resemble each other: a query, one row per histogram.

    phi_hom = X_hom / ((K - 1) * df)          X_hom: Pearson's homogeneity statistic of the K x B' table
    nbar    = (n - sum(n_d^2) / n) / (K - 1)
    rho     = max(0, (phi_hom - 1) / (nbar - 1))

Parameters
    counts   a relation (or CTE) with one row per block and bin, empty cells left out, and the columns block and bin_index named
             below and event_count (rows, > 0)
    by       names of the columns that say which histogram a row belongs to
    block    name of the column that says which block a row belongs to
    large    from how many rows on a block counts in large_block_count, >= 1
Returns
    by, block_count K, large_block_count, row_count n, squared_size_sum sum(n_d^2), rho (intra-block correlation, 0..1; 0 for independent rows; NULL with one block)
Errors
    none
Source
    Rao and Scott (1981), JASA 76; analysis-of-variance estimator of the intraclass correlation, Donner (1986)
#}
{% macro block_correlation(counts, by, block, large=1) -%}
{%- set columns = by | join(', ') -%}
    select
        {{ columns }},
        block_count,
        large_block_count,
        row_count,
        squared_size_sum,
        case
            when block_count < 2 then null
            when bin_count < 2 or mean_size <= 1 then 0.0
            else least(1.0, greatest(0.0, (homogeneity / ((block_count - 1) * (bin_count - 1)) - 1) / (mean_size - 1)))
        end as rho
    from (
        select
            {{ columns }},
            count(distinct {{ block }}) as block_count,
            count(distinct case when block_size >= {{ large }} then {{ block }} end) as large_block_count,
            count(distinct bin_index) as bin_count,
            cast(sum(event_count) as bigint) as row_count,
            sum(event_count * cast(block_size as double)) as squared_size_sum,
            (sum(event_count) - sum(event_count * cast(block_size as double)) / sum(event_count))
            / nullif(count(distinct {{ block }}) - 1, 0) as mean_size,
            sum(event_count)
            * (sum(cast(event_count as double) * event_count / block_size / bin_size) - 1) as homogeneity
        from (
            select
                {{ columns }},
                {{ block }},
                bin_index,
                event_count,
                sum(event_count) over (partition by {{ columns }}, {{ block }}) as block_size,
                sum(event_count) over (partition by {{ columns }}, bin_index) as bin_size
            from {{ counts }}
        ) as cells
        group by {{ columns }}
    ) as sums
{%- endmacro %}
