{#
A bin's part of the total variation distance; the parts sum to it, and twice the greatest part is l_infinity.

    abs(p - q) / 2

Parameters
    reference_share   p, raw, in [0, 1]
    current_share     q, raw, in [0, 1]
Returns
    a share in [0, 1/2]; symmetric; 0 where the shares are equal
Errors
    none
Source
    Gibbs and Su (2002), On choosing and bounding probability metrics, Int. Stat. Rev. 70
#}
{% macro total_variation_part(reference_share, current_share) -%}
    abs({{ reference_share }} - {{ current_share }}) / 2
{%- endmacro %}

{#
What a bin adds to the total variation that chance alone gives (see expected_total_variation).

    sqrt(r (1 - r))

Parameters
    pooled_share   r, the share of the bin in both sides together, in [0, 1]
Returns
    a number in [0, 1/2] without unit
Errors
    none
Source
    the mean of the absolute value of a normal variable is sqrt(2 / pi) of its standard deviation
#}
{% macro pooled_deviation_part(pooled_share) -%}
    sqrt({{ pooled_share }} * (1 - {{ pooled_share }}))
{%- endmacro %}
