{# One row per mute: what is known and shall not decide, until when, and why. #}
with mutes as (
    select * from {{ ref('drift_mutes') }}
),

trimmed as (
    select
        coalesce(model_name, '*') as model_name,
        coalesce(drift_kind, '*') as drift_kind,
        coalesce(feature_name, '*') as feature_name,
        coalesce(metric_name, '*') as metric_name,
        why,
        cast(muted_until as timestamp) as muted_until
    from mutes
)

select * from trimmed
