{#
Share of a bin, kept away from zero.

    (count + smoothing) / (total + smoothing * bin_count)

Parameters
    count       rows in the bin, >= 0
    total       rows in all bins, > 0
    bin_count   bins that are not empty on both sides, >= 1
    smoothing   pseudo-count added to each of them, > 0 (0.5 is Krichevsky and Trofimov's)
Returns
    a share in (0, 1); the shares of the counted bins sum to 1
Errors
    none
Source
    Krichevsky and Trofimov (1981), The performance of universal encoding
#}
{% macro smoothed_share(count, total, bin_count, smoothing=0.5) -%}
    ({{ count }} + {{ smoothing }}) / ({{ total }} + {{ smoothing }} * {{ bin_count }})
{%- endmacro %}
