{#
A bin's part of the squared Hellinger distance; the parts sum to the square of the distance.

    (sqrt(p) - sqrt(q))^2 / 2        (the sum is 1 - sum of sqrt(p q), without its cancellation)

Parameters
    reference_share   p, raw, in [0, 1]
    current_share     q, raw, in [0, 1]
Returns
    a number in [0, 1/2] without unit; symmetric; 0 where the shares are equal
Errors
    none
Source
    Hellinger (1909), J. reine angew. Math. 136
#}
{% macro hellinger_part(reference_share, current_share) -%}
    power(sqrt({{ reference_share }}) - sqrt({{ current_share }}), 2) / 2
{%- endmacro %}
