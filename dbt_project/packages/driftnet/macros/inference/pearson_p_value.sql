{#
Probability of a Pearson statistic at least as large when nothing has changed.

    chi2_sf(X / phi * 2E / V, df = 2E^2 / V)

E and V are the statistic's exact mean and variance given the margins (see drift_statistics), so the law holds from 200 rows a side to
millions, for rare bins too. The design effect phi makes it hold for rows that resemble each other within a day.

Parameters
    chi_square       X >= 0
    design_effect    phi >= 1 (see design_effect)
    bin_count        B', bins not empty on both sides
    mean, variance   E and V
Returns
    a probability in [0, 1]; NULL with fewer than two bins, fewer than 4 rows, or an empty side; 1 where the margins leave no room (V < 1e-6 E^2)
Errors
    needs the function chi2_sf of udfs/registry.py in the session
Source
    two-moment fit: Satterthwaite (1946); design effect: Rao and Scott (1981), JASA 76
#}
{% macro pearson_p_value(chi_square, design_effect, bin_count, mean, variance) -%}
    case
        when {{ bin_count }} < 2 or {{ mean }} is null then null
        when {{ variance }} < 1e-6 * {{ mean }} * {{ mean }} then 1.0
        else chi2_sf(
            ({{ chi_square }}) / ({{ design_effect }}) * 2 * {{ mean }} / {{ variance }},
            2 * {{ mean }} * {{ mean }} / {{ variance }}
        )
    end
{%- endmacro %}
