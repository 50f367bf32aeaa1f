{#
The law of an effect size that behaves like a chi-square distance.

Under no drift, value = a * chi2(df) / k for a divergence (psi, kl) and sqrt of that for a distance (js, hellinger, V), with
a = design_effect * (1/n + 1/m), the sampling variance that the metric really has. The macros below read off the law what a person
wants to know. At 50 bins with m <= 500 the expected values are 5-40% off: use the p-value there.

Parameters
    variance   a, > 0
    df         degrees of freedom B' - 1, >= 1
    k          1 psi, 2 kl, 8 ln 2 js, 8 hellinger, 4 Cramer's V
    is_root    true where the metric is the square root of a divergence (a boolean column or expression)
    limit      the shift that people care about, in the metric's unit, > 0
Returns
    a value in the metric's unit; NULL where df < 1
Errors
    none, but fail_bound needs the function noncentral_chi2_isf of udfs/registry.py in the session
Source
    measured: null alarms 4.3-5.6%, power at the detectable value 89-91% (reports/study.md)
#}

{# What chance alone gives: a df / k, or sqrt(a (df - 0.5) / k). #}
{% macro expected_effect(variance, df, k, is_root) -%}
    case
        when ({{ df }}) < 1 then null
        when {{ is_root }} then sqrt(({{ variance }}) * (({{ df }}) - 0.5) / ({{ k }}))
        else ({{ variance }}) * ({{ df }}) / ({{ k }})
    end
{%- endmacro %}

{# The smallest true shift that is found 9 times of 10 at alpha 5%: a L / k, or sqrt(a L / k), L = 5.818 + 4.881 sqrt(df) - 0.0686 df. #}
{% macro detectable_effect(variance, df, k, is_root) -%}
    {%- set noncentrality = '(5.818 + 4.881 * sqrt(' ~ df ~ ') - 0.0686 * (' ~ df ~ '))' -%}
    case
        when ({{ df }}) < 1 then null
        when {{ is_root }} then sqrt(({{ variance }}) * {{ noncentrality }} / ({{ k }}))
        else ({{ variance }}) * {{ noncentrality }} / ({{ k }})
    end
{%- endmacro %}

{# A shift exactly at the limit passes it about half of the time: limit + expected, or sqrt(limit^2 + expected^2); an expectation that has no
formula counts as 0. #}
{% macro warn_bound(limit, expected, is_root) -%}
    case
        when {{ is_root }} then sqrt(({{ limit }}) * ({{ limit }}) + ({{ expected }}) * ({{ expected }}))
        else ({{ limit }}) + coalesce({{ expected }}, 0)
    end
{%- endmacro %}

{# The value that shows a shift over the limit with 95% confidence; needs the function noncentral_chi2_isf of udfs/registry.py. #}
{% macro fail_bound(limit, variance, df, k, is_root) -%}
    case
        when ({{ df }}) < 1 then null
        when {{ is_root }}
            then sqrt(({{ variance }}) * noncentral_chi2_isf(0.05, {{ df }}, ({{ k }}) * ({{ limit }}) * ({{ limit }}) / ({{ variance }})) / ({{ k }}))
        else ({{ variance }}) * noncentral_chi2_isf(0.05, {{ df }}, ({{ k }}) * ({{ limit }}) / ({{ variance }})) / ({{ k }})
    end
{%- endmacro %}

{#
The total variation that chance alone gives.

    0.5 * sqrt(2 a / pi) * sum over bins of sqrt(r (1 - r))

Parameters
    variance           a, > 0
    pooled_deviation   the sum over bins (see pooled_deviation_part), >= 0
Returns
    a share, >= 0
Errors
    none
Source
    the mean of the absolute value of a normal variable is sqrt(2 / pi) of its standard deviation
#}
{% macro expected_total_variation(variance, pooled_deviation) -%}
    0.5 * sqrt(2 * ({{ variance }}) / pi()) * ({{ pooled_deviation }})
{%- endmacro %}

{#
The unit in which the value of a metric does not depend on how many rows were compared.

    a for a divergence with a law (psi, kl), sqrt(a) for every other metric

Parameters
    variance   a, > 0
    k          the metric's scale (see above), NULL for none
    is_root    whether the metric is the square root of a divergence
Returns
    a number > 0 in the metric's unit
Errors
    none
Source
    the law above: value / a, or value / sqrt(a), has the same law for all sizes
#}
{% macro effect_unit(variance, k, is_root) -%}
    case when {{ k }} is not null and not {{ is_root }} then {{ variance }} else sqrt({{ variance }}) end
{%- endmacro %}
