{# The SQL type in which a feature travels. #}
{% macro feature_type(kind) %}
    {{ return({'numeric': 'double', 'boolean': 'boolean'}.get(kind, 'varchar')) }}
{% endmacro %}

{#
The value of a feature of a landed event. An event that landed before its model was known has it in features_other only.
NaN and infinite values are NULL: isfinite() finds them also where DuckDB's Parquet statistics know no NaN, and isnan() does not.
#}
{% macro landed_feature(name, kind) -%}
    {%- set other = "try_cast(features_other ->> '" ~ name ~ "' as " ~ feature_type(kind) ~ ")" -%}
    {%- if kind == 'numeric' -%}
    case when isfinite(coalesce(feature_{{ name }}, {{ other }})) then coalesce(feature_{{ name }}, {{ other }}) end
    {%- else -%}
    coalesce(feature_{{ name }}, {{ other }})
    {%- endif -%}
{%- endmacro %}

{# The names of the features whose value is there but not of the registered type; NULL for most events. #}
{% macro unreadable_features(features) -%}
    {%- set typed = features | selectattr('kind', 'in', ['numeric', 'boolean']) | list -%}
    {%- if typed -%}
    case
        when features_other is not null
            then list_filter(
                [
                    {%- for feature in typed %}
                    case when feature_{{ feature.name }} is null and features_other ->> '{{ feature.name }}' is not null and try_cast(features_other ->> '{{ feature.name }}' as {{ feature_type(feature.kind) }}) is null then '{{ feature.name }}' end{{ "," if not loop.last }}
                    {%- endfor %}
                ],
                lambda name: name is not null
            )
    end
    {%- else -%}
    cast(null as varchar[])
    {%- endif -%}
{%- endmacro %}

{# The names of the code columns: one per feature of all models, then score and decision. #}
{% macro code_columns(features) %}
    {% set names = [] %}
    {% for feature in features %}{% do names.append('covariate_' ~ feature.name) %}{% endfor %}
    {{ return(names + ['prediction_score', 'prediction_decision']) }}
{% endmacro %}

{#
Bin codes and segments of events: a query, one row per row of `events`, and the only place where a value becomes a bin.

    0..251 range, value or category    252 other category    253 category not seen in the reference
    254 not readable                   255 NULL or NaN       (no code: the version has no such feature)

Parameters
    events     a relation (or CTE) with model_name, model_version, channel, cluster, score, is_predicted_positive and, per feature,
               feature_<name>; unreadable_features (names, or NULL)
    keep       names of the columns to pass on
    features   as registered_features() gives them
#}
{% macro bin_codes(events, keep, features) -%}
{%- set specs = ref('int_bin_specs') -%}
{%- set categories = ref('int_bin_categories') -%}
{%- set numbers = features | selectattr('kind', 'in', ['numeric', 'mixed']) | list -%}
{%- set texts = features | selectattr('kind', 'in', ['categorical', 'mixed']) | list -%}
    select
    {%- for column in keep %}
        events.{{ column }},
    {%- endfor %}
    {%- for segment in segment_columns() %}
        {{ segment_of(segment, features, 'events', 'segments', segment ~ '_values') }} as segment_{{ segment }},
    {%- endfor %}
    {%- for feature in features %}
        cast(
            case
                when specs.covariate_{{ feature.name }}_kind is null then null
                when list_contains(events.unreadable_features, '{{ feature.name }}') then 254
                {%- if feature.kind == 'mixed' %}
                when specs.covariate_{{ feature.name }}_kind = 'numeric' and events.feature_{{ feature.name }} is not null and try_cast(events.feature_{{ feature.name }} as double) is null then 254
                when specs.covariate_{{ feature.name }}_kind = 'numeric'
                    then {{ driftnet.number_bin_code("try_cast(events.feature_" ~ feature.name ~ " as double)", "specs.covariate_" ~ feature.name ~ "_edges", "specs.covariate_" ~ feature.name ~ "_atoms") }}
                {%- endif %}
                when events.feature_{{ feature.name }} is null then 255
                {%- if feature.kind == 'numeric' %}
                else {{ driftnet.number_bin_code("events.feature_" ~ feature.name, "specs.covariate_" ~ feature.name ~ "_edges", "specs.covariate_" ~ feature.name ~ "_atoms") }}
                {%- elif feature.kind == 'boolean' %}
                when events.feature_{{ feature.name }} then 1
                else 0
                {%- else %}
                {%- if feature.kind == 'mixed' %}
                when specs.covariate_{{ feature.name }}_kind = 'boolean'
                    then case try_cast(events.feature_{{ feature.name }} as boolean) when true then 1 when false then 0 else 254 end
                {%- endif %}
                else coalesce({{ feature.name }}_categories.bin_index, 253)
                {%- endif %}
            end as utinyint
        ) as covariate_{{ feature.name }},
    {%- endfor %}
        cast({{ driftnet.number_bin_code("events.score", "specs.prediction_score_edges", "specs.prediction_score_atoms") }} as utinyint) as prediction_score,
        cast(case when events.is_predicted_positive then 1 else 0 end as utinyint) as prediction_decision
    from {{ events }} as events
    inner join (
        select
            model_name,
            model_version,
            {%- for feature in features %}
            max(feature_kind) filter (where drift_kind = 'covariate' and feature_name = '{{ feature.name }}') as covariate_{{ feature.name }}_kind,
            {%- endfor %}
            {%- for feature in numbers %}
            max(edges) filter (where drift_kind = 'covariate' and feature_name = '{{ feature.name }}') as covariate_{{ feature.name }}_edges,
            max(atoms) filter (where drift_kind = 'covariate' and feature_name = '{{ feature.name }}') as covariate_{{ feature.name }}_atoms,
            {%- endfor %}
            max(edges) filter (where drift_kind = 'prediction' and feature_name = 'score') as prediction_score_edges,
            max(atoms) filter (where drift_kind = 'prediction' and feature_name = 'score') as prediction_score_atoms
        from {{ specs }}
        group by model_name, model_version
    ) as specs
        on events.model_name = specs.model_name and events.model_version = specs.model_version
    {%- if segment_columns() %}
    left join (
        select
            model_name,
            model_version,
            {%- for segment in segment_columns() %}
            bool_or(segment_name = '{{ segment }}') as has_{{ segment }}{{ "," if not loop.last }}
            {%- endfor %}
        from {{ ref('int_segment_values') }}
        group by model_name, model_version
    ) as segments
        on events.model_name = segments.model_name and events.model_version = segments.model_version
    {%- endif %}
    {%- for segment in segment_columns() %}
    left join {{ ref('int_segment_values') }} as {{ segment }}_values
        on
            {{ segment }}_values.segment_name = '{{ segment }}'
            and events.model_name = {{ segment }}_values.model_name
            and events.model_version = {{ segment }}_values.model_version
            and {{ segment_source(segment, features, 'events') }} = {{ segment }}_values.segment_value
    {%- endfor %}
    {%- for feature in texts %}
    left join {{ categories }} as {{ feature.name }}_categories
        on
            {{ feature.name }}_categories.feature_name = '{{ feature.name }}'
            and events.model_name = {{ feature.name }}_categories.model_name
            and events.model_version = {{ feature.name }}_categories.model_version
            and events.feature_{{ feature.name }} = {{ feature.name }}_categories.category
    {%- endfor %}
{%- endmacro %}

{# The columns of int_predictions beside the codes. #}
{% macro prediction_columns() %}
    {{ return([
        'fold_id', 'counted_fold_id', 'source_id', 'partition_id', 'position', 'event_status', 'event_id', 'model_name',
        'model_version', 'channel', 'cluster', 'score', 'is_predicted_positive', 'occurred_at', 'landed_at', 'window_start_at'
    ]) }}
{% endmacro %}
