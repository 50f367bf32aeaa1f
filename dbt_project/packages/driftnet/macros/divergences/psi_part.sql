{#
A bin's part of the population stability index; the parts sum to it.

    (q - p) * ln(q / p)

Parameters
    reference_share   p, smoothed, in (0, 1)
    current_share     q, smoothed, in (0, 1)
Returns
    nats, >= 0; symmetric; 0 where the shares are equal
Errors
    none
Source
    Jeffreys (1946), An invariant form for the prior probability; Siddiqi (2006), Credit Risk Scorecards
#}
{% macro psi_part(reference_share, current_share) -%}
    ({{ current_share }} - {{ reference_share }}) * ln(({{ current_share }}) / ({{ reference_share }}))
{%- endmacro %}
