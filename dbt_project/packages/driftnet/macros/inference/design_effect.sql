{#
By how much rows that come in blocks inflate the variance of a share.

    1 + rho * (sum(n_d^2) / n - 1)

Parameters
    rho                intra-block correlation, 0..1 (see block_correlation)
    squared_size_sum   sum of the squares of the rows per block, > 0
    row_count          rows, > 0
Returns
    a factor >= 1; 1 for independent rows
Errors
    none
Source
    Kish (1965), Survey Sampling
#}
{% macro design_effect(rho, squared_size_sum, row_count) -%}
    1 + ({{ rho }}) * greatest(({{ squared_size_sum }}) / cast({{ row_count }} as double) - 1, 0)
{%- endmacro %}
