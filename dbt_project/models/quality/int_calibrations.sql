{# One row per model version with a labelled reference: what its scores mean, learnt once. #}
{{ config(incremental_strategy='append') }}
with reference_rows as (
    select * from {{ ref('int_reference_codes') }}
    {{ where_version_is_new() }}
),

fitted as (
    select
        model_name,
        model_version,
        count(*) as row_count,
        fit_calibration(list(score), list(case when is_actual_positive then 1.0e0 else 0.0e0 end)) as calibration
    from reference_rows
    where is_actual_positive is not null
    group by model_name, model_version
),

calibrations as (
    select
        model_name,
        model_version,
        row_count,
        struct_extract(calibration, 'scores') as scores,
        struct_extract(calibration, 'probabilities') as probabilities,
        struct_extract(calibration, 'error_before') as error_before,
        struct_extract(calibration, 'error_after') as error_after
    from fitted
)

select * from calibrations
