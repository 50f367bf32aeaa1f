{#
A limit of Wilson's interval of a share.

    (x + z^2/2 -+ z sqrt(x (n - x) / n + z^2/4)) / (n + z^2)

Parameters
    hits    x, rows that have the property, 0 <= x <= n
    total   n, rows; 0 or NULL gives NULL
    side    -1 for the lower limit, 1 for the upper one
    z       half-width in standard errors; 1.959964 for 95%
Returns
    a share in [0, 1]
Errors
    none
Source
    Wilson (1927), JASA 22
#}
{% macro wilson_limit(hits, total, side, z=1.959963984540054) -%}
    least(1.0, greatest(0.0,
        (
            ({{ hits }}) + {{ z * z / 2 }}
            + {{ side }} * {{ z }} * sqrt(greatest(({{ hits }}) * (({{ total }}) - ({{ hits }})) / nullif(cast({{ total }} as double), 0), 0) + {{ z * z / 4 }})
        ) / nullif(({{ total }}) + {{ z * z }}, {{ z * z }})
    ))
{%- endmacro %}
