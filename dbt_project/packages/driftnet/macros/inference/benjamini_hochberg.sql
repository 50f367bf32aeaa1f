{#
False discovery rate of a family of tests: a query, the rows of `tests` with q_value added.

    q_(i) = min over j >= i of  p_(j) * k / j,  at most 1

Parameters
    tests     a relation (or CTE) with the column p_value (probability; NULL rows are not tests and get a NULL q_value)
    family    names of the columns that say which family a test belongs to
    columns   names of all columns to pass on, p_value among them
Returns
    columns, q_value (0..1): equal to scipy.stats.false_discovery_control on each family
Errors
    none
Source
    Benjamini and Hochberg (1995), JRSS B 57
#}
{% macro benjamini_hochberg(tests, family, columns) -%}
{%- set key = family | join(', ') -%}
    select
        {{ columns | join(', ') }},
        case
            when p_value is not null
                then least(1.0, min(step_value) over (partition by {{ key }} order by p_value desc nulls last))
        end as q_value
    from (
        select
            {{ columns | join(', ') }},
            p_value
            * count(p_value) over (partition by {{ key }})
            / nullif(count(p_value) over (partition by {{ key }} order by p_value asc nulls last), 0) as step_value
        from {{ tests }}
    ) as steps
{%- endmacro %}
