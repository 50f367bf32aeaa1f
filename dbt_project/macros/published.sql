{#
The macros of SQL that the published file carries: any two stretches of days of the cube against each other.

    from drift_between(reference_from, reference_to, current_from, current_to)             the whole
    from segment_drift_between(segment, reference_from, reference_to, current_from, current_to)   each value of a segment

They are made in the warehouse and copied by `driftnet build`. Parameters have no types, since typed ones need a newer storage than DuckDB 1.2 reads.
#}
{% macro create_drift_between() %}
    create or replace macro drift_between(reference_from, reference_to, current_from, current_to) as table (
        {{ stretches("window_grain = 'day' and segment_name = 'all'") }}
    );
    create or replace macro segment_drift_between(segment, reference_from, reference_to, current_from, current_to) as table (
        {{ stretches("window_grain = 'day' and segment_name = segment") }}
    )
{% endmacro %}

{# Two stretches of the published cube; a model's days are whole: one counts where it begins inside. #}
{% macro stretches(condition) -%}
    {{ driftnet.compare_stretches(
        'fct_histogram_bins',
        'dim_features',
        by=['model_name', 'model_version', 'segment_name', 'segment_value', 'drift_kind', 'feature_name'],
        feature_by=['model_name', 'model_version', 'drift_kind', 'feature_name'],
        reference_from='reference_from',
        reference_to='reference_to',
        current_from='current_from',
        current_to='current_to',
        condition=condition,
        smoothing=var('smoothing')
    ) }}
{%- endmacro %}
