{#
What chance alone gives.

    a df / k for a divergence, sqrt(a (df - 0.5) / k) for a distance

With a = design_effect * (1/n + 1/m), the sampling variance that the metric really has, and under no drift value = a * chi2(df) / k for a divergence
(psi, kl) and the root of that for a distance (js, hellinger, V). At 50 bins with m <= 500 the expected value is 5-40% off: use the p-value there.

Parameters
    variance   a, > 0
    df         degrees of freedom B' - 1, >= 0
    k          1 psi, 2 kl, 8 ln 2 js, 8 hellinger, 4 Cramer's V
    is_root    true where the metric is the square root of a divergence (a boolean column or expression)
Returns
    a value in the metric's unit; NULL where df < 1 or k is NULL
Errors
    none
Source
    mean of the chi-square law; measured: within 3% of the mean of calm windows (reports/study.md)
#}
{% macro expected_effect(variance, df, k, is_root) -%}
    case
        when ({{ df }}) < 1 then null
        when {{ is_root }} then sqrt(({{ variance }}) * (({{ df }}) - 0.5) / ({{ k }}))
        else ({{ variance }}) * ({{ df }}) / ({{ k }})
    end
{%- endmacro %}

{#
The smallest true shift that is found 9 times of 10 at alpha 5%.

    a L / k for a divergence, sqrt(a L / k) for a distance,  L = 5.818 + 4.881 sqrt(df) - 0.0686 df

With a = design_effect * (1/n + 1/m), the sampling variance that the metric really has, and under no drift value = a * chi2(df) / k for a divergence
(psi, kl) and the root of that for a distance (js, hellinger, V). At 50 bins with m <= 500 the expected value is 5-40% off: use the p-value there.

Parameters
    variance   a, > 0
    df         degrees of freedom B' - 1, >= 0
    k          1 psi, 2 kl, 8 ln 2 js, 8 hellinger, 4 Cramer's V
    is_root    true where the metric is the square root of a divergence (a boolean column or expression)
Returns
    a value in the metric's unit; NULL where df < 1 or k is NULL
Errors
    L is fitted for df 1 to 51 (1.2% off at most)
Source
    non-centrality of the chi-square test at power 90%; measured power 89-91% (reports/study.md)
#}
{% macro detectable_effect(variance, df, k, is_root) -%}
    {%- set noncentrality = '(5.818 + 4.881 * sqrt(' ~ df ~ ') - 0.0686 * (' ~ df ~ '))' -%}
    case
        when ({{ df }}) < 1 then null
        when {{ is_root }} then sqrt(({{ variance }}) * {{ noncentrality }} / ({{ k }}))
        else ({{ variance }}) * {{ noncentrality }} / ({{ k }})
    end
{%- endmacro %}

{#
The bound that a shift exactly at the limit passes about half of the time.

    limit + expected for a divergence and what has no law, sqrt(limit^2 + expected^2) for a distance

With a = design_effect * (1/n + 1/m), the sampling variance that the metric really has, and under no drift value = a * chi2(df) / k for a divergence
(psi, kl) and the root of that for a distance (js, hellinger, V). At 50 bins with m <= 500 the expected value is 5-40% off: use the p-value there.

Parameters
    limit      the shift that people care about, in the metric's unit, > 0
    expected   what chance alone gives, in the metric's unit, >= 0; NULL counts as 0
    is_root    true where the metric is the square root of a divergence (a boolean column or expression)
Returns
    a value in the metric's unit
Errors
    none
Source
    the mean of a non-central chi-square variable is its non-centrality and its mean under no drift
#}
{% macro warn_bound(limit, expected, is_root) -%}
    case
        when {{ is_root }} then sqrt(({{ limit }}) * ({{ limit }}) + ({{ expected }}) * ({{ expected }}))
        else ({{ limit }}) + coalesce({{ expected }}, 0)
    end
{%- endmacro %}

{#
The value that shows a shift over the limit with 95% confidence.

    a ncx2_isf(0.05, df, k limit / a) / k for a divergence, sqrt(a ncx2_isf(0.05, df, k limit^2 / a) / k) for a distance

With a = design_effect * (1/n + 1/m), the sampling variance that the metric really has, and under no drift value = a * chi2(df) / k for a divergence
(psi, kl) and the root of that for a distance (js, hellinger, V). At 50 bins with m <= 500 the expected value is 5-40% off: use the p-value there.

Parameters
    limit      the shift that people care about, in the metric's unit, > 0
    variance   a, > 0
    df         degrees of freedom B' - 1, >= 0
    k          1 psi, 2 kl, 8 ln 2 js, 8 hellinger, 4 Cramer's V
    is_root    true where the metric is the square root of a divergence (a boolean column or expression)
Returns
    a value in the metric's unit; NULL where df < 1
Errors
    needs the function noncentral_chi2_isf of udfs/registry.py in the session
Source
    Patnaik (1949), The non-central chi-square and F distributions, Biometrika 36; measured size 4.3-5.6%
#}
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
