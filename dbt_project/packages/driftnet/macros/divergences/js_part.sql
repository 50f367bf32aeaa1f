{#
A bin's part of the Jensen-Shannon divergence; the parts sum to the square of the js distance.

    (p * log2(p / m) + q * log2(q / m)) / 2,  m = (p + q) / 2,  0 * log2(0) = 0

Parameters
    reference_share   p, raw, in [0, 1]
    current_share     q, raw, in [0, 1]
Returns
    bits, >= 0; symmetric; 0 where the shares are equal
Source
    Lin (1991), Divergence measures based on the Shannon entropy
#}
{% macro js_part(reference_share, current_share) -%}
    (
        {{ driftnet.entropy_term(reference_share, reference_share, current_share) }}
        + {{ driftnet.entropy_term(current_share, reference_share, current_share) }}
    ) / 2
{%- endmacro %}

{# share * log2(share / mean of both shares); 0 at share 0, where ln fails on one engine and gives NULL on another. #}
{% macro entropy_term(share, reference_share, current_share) -%}
    case
        when {{ share }} > 0
            then {{ share }} * ln(2 * {{ share }} / ({{ reference_share }} + {{ current_share }})) / ln(2)
        else 0
    end
{%- endmacro %}
