{#
A bin's part of the squared balanced Cramer's V; the parts sum to its square.

    (p - q)^2 / (p + q) / 2

The textbook's V divides Pearson's statistic by n + m and so depends on how unequal the sides are (0.095 at 5,000 rows against 5,000,
0.013 at a million against 5,000 for the same drift); this form is what it would be if the sides were equally large.

Parameters
    reference_share   p, raw, in [0, 1]
    current_share     q, raw, in [0, 1]
Returns
    a number in [0, 1/2] without unit; symmetric; 0 where the shares are equal
Errors
    none: a bin that is empty on both sides gives 0
Source
    Cramer (1946), Mathematical Methods of Statistics; the balanced form is the triangular discrimination of Le Cam (1986)
#}
{% macro cramers_v_part(reference_share, current_share) -%}
    case
        when {{ reference_share }} + {{ current_share }} = 0 then 0.0
        else power({{ reference_share }} - {{ current_share }}, 2) / ({{ reference_share }} + {{ current_share }}) / 2
    end
{%- endmacro %}
