{#
The probability that a row is positive, by its score: a query, the rows with positive_weight added.

Straight lines between breakpoints, constant outside of them. Where the breakpoints come from an isotonic regression of truth on score
this is the calibration of confidence-based performance estimation: with it, binary_quality gives expected instead of realised metrics,
as long as what a score means has not changed.

Parameters
    rows          a relation (or CTE) with the columns of `by`, score (0..1) and those of `columns`
    breakpoints   a relation with the columns of `by`, score, probability, next_score and next_probability (both NULL in the last row of
                  each), the first at score 0
    by            names of the columns that say which breakpoints are of a row
    columns       names of the columns to pass on, score among them
Returns
    columns, positive_weight (0..1). Rows without breakpoints are left out.
Errors
    none
Source
    isotonic calibration: Zadrozny and Elkan (2002), KDD; estimation: NannyML (CBPE)
#}
{% macro calibrated(rows, breakpoints, by, columns) -%}
    {{ return(adapter.dispatch('calibrated', 'driftnet')(rows, breakpoints, by, columns)) }}
{%- endmacro %}

{% macro default__calibrated(rows, breakpoints, by, columns) -%}
    select
        {%- for column in columns %}
        scored.{{ column }},
        {%- endfor %}
        case
            when breakpoints.next_score is null then breakpoints.probability
            else
                breakpoints.probability
                + (breakpoints.next_probability - breakpoints.probability) / (breakpoints.next_score - breakpoints.score)
                * (scored.score - breakpoints.score)
        end as positive_weight
    from {{ rows }} as scored
    asof join {{ breakpoints }} as breakpoints
        on
            {%- for column in by %}
            scored.{{ column }} = breakpoints.{{ column }} and
            {%- endfor %}
            scored.score >= breakpoints.score
{%- endmacro %}
