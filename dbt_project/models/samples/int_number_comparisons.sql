{# One row per window and number (feature or score): KS and Wasserstein distance of its sample from that of the reference. #}
{{ config(
    incremental_strategy='delete+insert',
    unique_key='model_name, model_version, window_grain, window_start_at',
) }}
{% set numbers = number_columns(registered_features()) %}
{% set keep = ['model_name', 'model_version', 'window_grain', 'window_start_at'] %}
with windows as (
    {{ changed_windows(var('sample_grains'), var('window_minimum_count')) }}
),

samples as (
    select * from {{ ref('int_samples') }}
),

reference_rows as (
    select * from {{ ref('int_reference_features') }}
),

scales as (
    select * from {{ ref('int_sample_scales') }}
),

reference_samples as (
    {{ reference_sample('reference_rows', var('reference_sample_size'), ['model_name', 'model_version'] + numbers) }}
),

reference_lists as (
    select
        model_name,
        model_version,
        {% for name in numbers %}list({{ name }}) as {{ name }}{{ ",\n        " if not loop.last }}{% endfor %}
    from reference_samples
    group by 1, 2
),

reference_numbers as (
    {{ driftnet.unpivot('reference_lists', ['model_name', 'model_version'], numbers, 'column_name', 'number_values') }}
),

window_lists as (
    select
        {% for name in keep %}windows.{{ name }},
        {% endfor -%}
        windows.fold_id,
        {% for name in numbers %}list(samples.{{ name }}) as {{ name }}{{ ",\n        " if not loop.last }}{% endfor %}
    from windows
    inner join samples
        on
            windows.model_name = samples.model_name
            and windows.model_version = samples.model_version
            and windows.window_start_at = {{ start_at_grain('samples.window_start_at', 'samples.model_name', 'windows.window_grain', var('sample_grains')) }}
            and windows.sample_limit >= samples.sample_hash
    group by all
),

window_numbers as (
    {{ driftnet.unpivot('window_lists', keep + ['fold_id'], numbers, 'column_name', 'number_values') }}
),

compared as (
    select
        {% for name in keep %}window_numbers.{{ name }},
        {% endfor -%}
        window_numbers.fold_id,
        scales.drift_kind,
        scales.feature_name,
        ks_two_sample(reference_numbers.number_values, window_numbers.number_values) as ks,
        wasserstein_distance(reference_numbers.number_values, window_numbers.number_values) as wasserstein
    from window_numbers
    inner join reference_numbers
        on
            window_numbers.model_name = reference_numbers.model_name
            and window_numbers.model_version = reference_numbers.model_version
            and window_numbers.column_name = reference_numbers.column_name
    inner join scales
        on
            window_numbers.model_name = scales.model_name
            and window_numbers.model_version = scales.model_version
            and window_numbers.column_name = scales.drift_kind || '_' || scales.feature_name
),

comparisons as (
    select
        {{ keep | join(',\n        ') }},
        drift_kind,
        feature_name,
        struct_extract(ks, 'statistic') as ks_statistic,
        struct_extract(ks, 'location') as ks_location,
        struct_extract(ks, 'sign') as ks_sign,
        struct_extract(wasserstein, 'distance') as wasserstein_distance,
        struct_extract(ks, 'reference_count') as reference_count,
        struct_extract(ks, 'current_count') as current_count,
        struct_extract(ks, 'dropped_count') as dropped_count,
        fold_id
    from compared
)

select * from comparisons
