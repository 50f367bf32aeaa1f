{# One row per version, window grain, segment, metric and basis: the bounds that the seed, or the reference's own windows, lead to. #}
{{ config(materialized='table') }}
with expectations as (
    select * from {{ ref('int_quality_expectations') }}
),

models as (
    select * from {{ ref('stg_models') }}
),

metrics as (
    select * from {{ ref('quality_metrics') }}
),

limits as (
    select * from {{ ref('quality_bounds') }}
),

-- a fixed limit holds for the whole, for any model
cases as (
    select
        models.model_name,
        models.model_version,
        grains.window_grain,
        'all' as segment_name,
        'all' as segment_value,
        metrics.metric_name
    from models
    cross join metrics
    cross join (values ('day'), ('week'), ('month')) as grains (window_grain)
    union
    select
        model_name,
        model_version,
        window_grain,
        segment_name,
        segment_value,
        metric_name
    from expectations
),

ranked as (
    select
        cases.model_name,
        cases.model_version,
        cases.window_grain,
        cases.segment_name,
        cases.segment_value,
        cases.metric_name,
        bases.basis,
        limits.bound_kind,
        limits.warn_limit,
        limits.fail_limit,
        row_number() over (
            partition by
                cases.model_name, cases.model_version, cases.window_grain, cases.segment_name, cases.segment_value, cases.metric_name,
                bases.basis
            order by limits.model_name = '*' asc, limits.basis = '*' asc
        ) as precedence
    from cases
    cross join (values ('realised'), ('estimated')) as bases (basis)
    inner join limits
        on
            cases.metric_name = limits.metric_name
            and limits.model_name in ('*', cases.model_name)
            and limits.basis in ('*', bases.basis)
),

bounds as (
    select
        ranked.model_name,
        ranked.model_version,
        ranked.window_grain,
        ranked.segment_name,
        ranked.segment_value,
        ranked.metric_name,
        ranked.basis,
        ranked.bound_kind,
        case when ranked.bound_kind = 'learnt' and expectations.window_count >= {{ var('block_minimum_windows') }} then expectations.mean_value end as mean_value,
        {%- for name in ['warn', 'fail'] %}
        case
            when ranked.bound_kind = 'fixed' then ranked.{{ name }}_limit
            when expectations.window_count >= {{ var('block_minimum_windows') }} and metrics.is_higher_better
                then greatest(expectations.mean_value - ranked.{{ name }}_limit * expectations.std_value, 0.0)
            when expectations.window_count >= {{ var('block_minimum_windows') }}
                then least(expectations.mean_value + ranked.{{ name }}_limit * expectations.std_value, metrics.upper_limit)
        end as {{ name }}_bound{{ "," if not loop.last }}
        {%- endfor %}
    from ranked
    inner join metrics on ranked.metric_name = metrics.metric_name
    left join expectations
        on
            ranked.model_name = expectations.model_name
            and ranked.model_version = expectations.model_version
            and ranked.window_grain = expectations.window_grain
            and ranked.segment_name = expectations.segment_name
            and ranked.segment_value = expectations.segment_value
            and ranked.metric_name = expectations.metric_name
    where ranked.precedence = 1
)

select * from bounds
