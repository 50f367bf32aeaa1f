{#
A bin's part of the Kullback-Leibler divergence of the current shares from the reference's; the parts sum to it.

    q * ln(q / p)

Parameters
    reference_share   p, smoothed, in (0, 1)
    current_share     q, smoothed, in (0, 1)
Returns
    nats; a single part can be negative, the sum is >= 0; not symmetric; 0 where the shares are equal
Errors
    a share of 0 makes it fail: give smoothed shares (see smoothed_share)
Source
    Kullback and Leibler (1951), On information and sufficiency, Ann. Math. Stat. 22
#}
{% macro kl_part(reference_share, current_share) -%}
    ({{ current_share }}) * ln(({{ current_share }}) / ({{ reference_share }}))
{%- endmacro %}
