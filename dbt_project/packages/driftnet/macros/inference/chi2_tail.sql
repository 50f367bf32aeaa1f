{#
Upper tail of the chi-square law without a function of Python: for readers that have plain SQL only.

    z = ((x / df)^(1/3) - (1 - 2 / (9 df))) / sqrt(2 / (9 df)), then the upper tail of the normal law

An approximation: at a tail of 5% the ratio to the exact value is 0.94 (df 1) to 0.995. Use chi2_sf of udfs/registry.py where it can be had.

Parameters
    x    the statistic, >= 0
    df   degrees of freedom, > 0, not necessarily whole
Returns
    a probability in [0, 1]; NULL where an argument is NULL
Errors
    df = 0 divides by zero: guard it
Source
    Wilson and Hilferty (1931), The distribution of chi-square, PNAS 17
#}
{% macro chi2_tail(x, df) -%}
    {{ driftnet.normal_tail('(' ~ driftnet.chi2_deviate(x, df) ~ ')') }}
{%- endmacro %}

{#
The normal deviate whose upper tail is nearly that of a chi-square statistic: a column of its own keeps the query of a tail short.

    z = ((x / df)^(1/3) - (1 - 2 / (9 df))) / sqrt(2 / (9 df))

Parameters
    x    the statistic, >= 0
    df   degrees of freedom, > 0, not necessarily whole
Returns
    a number; NULL where an argument is NULL
Errors
    df = 0 divides by zero: guard it
Source
    Wilson and Hilferty (1931), The distribution of chi-square, PNAS 17
#}
{% macro chi2_deviate(x, df) -%}
    (power(({{ x }}) / ({{ df }}), 1.0 / 3) - (1 - 2 / (9.0 * ({{ df }})))) / sqrt(2 / (9.0 * ({{ df }})))
{%- endmacro %}

{#
Upper tail of the standard normal law by a polynomial; DuckDB has no erf.

    density(z) * (b1 t + b2 t^2 + b3 t^3 + b4 t^4 + b5 t^5),  t = 1 / (1 + 0.2316419 abs(z))

Parameters
    z   a number
Returns
    a probability in [0, 1], wrong by 7.5e-8 at most
Errors
    none
Source
    Abramowitz and Stegun, Handbook of Mathematical Functions, 26.2.17
#}
{% macro normal_tail(z) -%}
    {#- below zero it is 1 less the tail above -z: the difference of the two forms is one number, so the polynomial stands once -#}
    {%- set t = '(1 / (1 + 0.2316419 * abs(' ~ z ~ ')))' -%}
    {%- set upper = 'exp(-' ~ z ~ ' * ' ~ z ~ ' / 2) * 0.3989422804014327 * ' ~ t ~ ' * (0.319381530 + ' ~ t ~ ' * (-0.356563782 + '
        ~ t ~ ' * (1.781477937 + ' ~ t ~ ' * (-1.821255978 + ' ~ t ~ ' * 1.330274429))))' -%}
    abs(case when {{ z }} >= 0 then 0.0 else 1.0 end - {{ upper }})
{%- endmacro %}
