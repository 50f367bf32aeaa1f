{# One row per breach: a significant value over its bound in a complete window. Empty is good. #}
with metrics as (
    select * from {{ ref('fct_drift_metrics') }}
),

breaches as (
    select * from metrics
    where is_breach
)

select * from breaches
