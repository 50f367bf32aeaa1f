{#
A bin's part of the Jensen-Shannon divergence; the parts sum to the square of the js distance.

    (p * log2(p / m) + q * log2(q / m)) / 2,  m = (p + q) / 2,  0 * log2(0) = 0

Written with d = (p - q) / (p + q) as m / 2 * ((1 + d) ln(1 + d) + (1 - d) ln(1 - d)) / ln 2. Where d is small the two terms cancel, and
the series d^2 + d^4 / 6 + d^6 / 15 + d^8 / 28 + d^10 / 45 is exact to the last digits: equal shares give 0.

Parameters
    reference_share   p, raw, in [0, 1]
    current_share     q, raw, in [0, 1]
    share_sum         p + q, where the query has a column of it: that keeps the query short
    share_contrast    d, likewise, NULL where p + q = 0
Returns
    bits, >= 0; symmetric; 0 where the shares are equal
Errors
    none: a bin that is empty on both sides gives 0
Source
    Lin (1991), Divergence measures based on the Shannon entropy, IEEE Trans. Inf. Theory 37
#}
{% macro js_part(reference_share, current_share, share_sum=none, share_contrast=none) -%}
    {%- set total = share_sum or '(' ~ reference_share ~ ' + ' ~ current_share ~ ')' -%}
    {%- set d = share_contrast or '((' ~ reference_share ~ ' - ' ~ current_share ~ ') / ' ~ total ~ ')' -%}
    case
        when {{ total }} = 0 then 0.0
        when {{ reference_share }} = 0 or {{ current_share }} = 0 then {{ total }} / 2
        when abs({{ d }}) < 0.03
            then
                {{ total }} / (4 * ln(2)) * {{ d }} * {{ d }}
                * (1 + {{ d }} * {{ d }} * (1.0 / 6 + {{ d }} * {{ d }} * (1.0 / 15 + {{ d }} * {{ d }} * (1.0 / 28 + {{ d }} * {{ d }} / 45))))
        else {{ total }} / (4 * ln(2)) * ((1 + {{ d }}) * ln(1 + {{ d }}) + (1 - {{ d }}) * ln(1 - {{ d }}))
    end
{%- endmacro %}
