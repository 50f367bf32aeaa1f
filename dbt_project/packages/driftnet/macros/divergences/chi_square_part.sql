{#
A bin's part of Pearson's two-sample statistic; the parts sum to it.

    (x * m - y * n)^2 / (x + y) / (n * m)

Parameters
    reference_count, current_count   x and y: rows in the bin, not both 0
    reference_total, current_total   n and m: rows in all bins, > 0
Returns
    a number >= 0 without unit; the sum equals scipy.stats.chi2_contingency(correction=False)
Errors
    none
Source
    Pearson (1911), On the probability that two independent distributions of frequency are really samples from the same population
#}
{% macro chi_square_part(reference_count, current_count, reference_total, current_total) -%}
    power(cast({{ reference_count }} as double) * {{ current_total }} - cast({{ current_count }} as double) * {{ reference_total }}, 2)
    / ({{ reference_count }} + {{ current_count }})
    / (cast({{ reference_total }} as double) * {{ current_total }})
{%- endmacro %}
