{#
How far the metrics of binary_quality may lie from the truth by the luck of their rows: a query, one row per group of rows.

Days are drawn with replacement 200 times (seed 42), score, decision and truth of a row staying together; with fewer than minimum_days
days, rows are drawn. The scores enter at eighths of a unit of their log odds, which decides only how pr_auc ranks them.

Parameters
    rows                  a relation (or CTE) with score, is_predicted_positive, positive_weight (0 or 1) and the columns of `by` and `day`
    by                    names of the columns that say which group a row belongs to
    day                   name of the column that says which day a row belongs to
    minimum_days          fewer days than these: rows are drawn
    minimum_rows          groups of fewer rows have no limits
    false_positive_cost, false_negative_cost, calibration_bins   as in binary_quality
Returns
    by, limits: a struct with <metric>_lower and <metric>_upper (95%) and <metric>_error (standard error) for each metric but roc_auc
Errors
    needs the function bootstrap_quality of udfs/registry.py in the session
Source
    Davison and Hinkley (1997), Bootstrap methods and their application
#}
{% macro quality_limits(rows, by, day, minimum_days=5, minimum_rows=30, false_positive_cost=1, false_negative_cost=1, calibration_bins=10) -%}
{%- set key = by | join(', ') -%}
{%- set facts = ['day_number', 'score_rank', 'calibration_bin', 'truth', 'decision', 'cell_count', 'score_sum', 'squared_error_sum', 'log_loss_sum'] %}
    select
        {{ key }},
        bootstrap_quality(
            {%- for fact in facts %}
            list_transform(cells, lambda cell: struct_extract(cell, '{{ fact }}')),
            {%- endfor %}
            cast({{ minimum_days }} as bigint),
            cast({{ false_positive_cost }} as double),
            cast({{ false_negative_cost }} as double)
        ) as limits
    from (
        -- sorted, for one answer whatever the order of rows; no two cells share the first five facts
        select
            {{ key }},
            list_sort(list(struct_pack({% for fact in facts %}{{ fact }} := {{ fact }}{{ ", " if not loop.last }}{% endfor %}))) as cells
        from (
            select
                {{ key }},
                cast(date_diff('day', date '1970-01-01', cast({{ day }} as date)) as bigint) as day_number,
                cast(floor(8 * ln(greatest(score, 1e-9) / greatest(1 - score, 1e-9))) as bigint) as score_rank,
                cast({{ driftnet.calibration_bin('score', calibration_bins) }} as bigint) as calibration_bin,
                cast(positive_weight as bigint) as truth,
                cast(case when is_predicted_positive then 1 else 0 end as bigint) as decision,
                count(*) as cell_count,
                sum(score) as score_sum,
                sum((score - positive_weight) * (score - positive_weight)) as squared_error_sum,
                sum(
                    -ln(greatest(case when positive_weight = 1 then score else 1 - score end, 2.220446049250313e-16))
                ) as log_loss_sum
            from {{ rows }}
            group by all
        ) as counted
        group by {{ key }}
        having sum(cell_count) >= {{ minimum_rows }}
    ) as sorted
{%- endmacro %}
