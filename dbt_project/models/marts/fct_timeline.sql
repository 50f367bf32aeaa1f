{# One row per happening of a model: breaches, incidents, alarms, verdicts, promotions, gaps, on one line of time. Each once. #}
with decisions as (
    select * from {{ ref('int_decisions') }}
    where window_grain = '{{ var("gate_grain") }}' and severity > 0 and metric_name != 'gaps'
),

lost_parts as (
    select * from {{ ref('fct_pipeline_checks') }}
    where check_name = 'gaps'
),

incidents as (
    select * from {{ ref('fct_incidents') }}
),

told as (
    select * from {{ ref('int_happenings') }}
),

models as (
    select * from {{ ref('dim_models') }}
),

breaches as (
    select
        {{ identity(["'breach'", 'model_name', 'model_version', 'window_grain', 'window_start_at', 'drift_kind', 'feature_name', 'metric_name']) }}
            as happening_id,
        'warehouse' as room,
        'breach' as kind,
        model_name,
        model_version,
        feature_name as subject_name,
        severity,
        feature_name || ': ' || metric_name || ' ' || cast(round(metric_value, 4) as varchar) || ' against its bound '
        || cast(round(case when severity > 1 then fail_bound else warn_bound end, 4) as varchar) as summary,
        cast(to_json(struct_pack(
            suite := drift_kind, metric_name := metric_name, metric_value := metric_value, warn_bound := warn_bound,
            fail_bound := fail_bound, q_value := q_value, window_start_at := window_start_at, is_muted := is_muted
        )) as varchar) as detail,
        cast(null as varchar) as source_position,
        window_end_at as happened_at
    from decisions
),

{% for change, at in [('opened', 'opened_at'), ('worsened', 'worsened_at'), ('resolved', 'resolved_at')] -%}
incidents_{{ change }} as (
    select
        {{ identity(["'incident " ~ change ~ "'", 'incident_id']) }} as happening_id,
        'warehouse' as room,
        {% if change == 'opened' -%}
        case when previous_incident_id is null then 'incident opened' else 'incident reopened' end as kind,
        {%- else -%}
        'incident {{ change }}' as kind,
        {%- endif %}
        model_name,
        model_version,
        feature_name as subject_name,
        {{ 'worst_severity' if change == 'worsened' else '0' if change == 'resolved' else 'case when worsened_at is null then worst_severity else 1 end' }}
            as severity,
        drift_kind || ' ' || feature_name || ' {{ change }}' as summary,
        cast(to_json(struct_pack(incident_id := incident_id, suite := drift_kind, window_count := window_count)) as varchar) as detail,
        cast(null as varchar) as source_position,
        {{ at }} as happened_at
    from incidents
    where {{ at }} is not null
),

{% endfor -%}
gaps as (
    select
        {{ identity(["'gap'", 'subject_name', 'window_start_at', 'note']) }} as happening_id,
        'warehouse' as room,
        'gap' as kind,
        model_name,
        model_version,
        subject_name,
        severity,
        note as summary,
        cast(to_json(struct_pack(part_count := cast(check_value as bigint))) as varchar) as detail,
        subject_name as source_position,
        window_start_at as happened_at
    from lost_parts
),

registrations as (
    select
        {{ identity(["'registration'", 'model_name', 'model_version']) }} as happening_id,
        'warehouse' as room,
        'registration' as kind,
        model_name,
        model_version,
        model_version as subject_name,
        0 as severity,
        'version ' || model_version || ' is known, with its own reference' as summary,
        cast(to_json(struct_pack(reference_count := reference_count, kind := kind)) as varchar) as detail,
        cast(null as varchar) as source_position,
        created_at as happened_at
    from models
    where created_at is not null
),

happenings as (
    select
        happening_id,
        room,
        kind,
        model_name,
        model_version,
        subject_name,
        severity,
        summary,
        detail,
        source_position,
        happened_at
    from told
    {% for table in ['breaches', 'incidents_opened', 'incidents_worsened', 'incidents_resolved', 'gaps', 'registrations'] -%}
    union all
    select * from {{ table }}
    {% endfor %}
)

select * from happenings
