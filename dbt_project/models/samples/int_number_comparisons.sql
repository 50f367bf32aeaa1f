{# One row per window, segment and number (feature or score): KS and Wasserstein distance of its sample from that of the reference. #}
{{ config(
    incremental_strategy='delete+insert',
    unique_key='model_name, model_version, window_grain, window_start_at',
    pre_hook="{{ begin_batches(changed_windows(var('sample_grains'), var('window_minimum_count'))) }}",
    post_hook='{{ finish_batches() }}',
) }}
{% set numbers = number_columns(registered_features()) %}
{% set keep = ['model_name', 'model_version', 'window_grain', 'window_start_at'] %}
{% set segment = ['segment_name', 'segment_value'] %}
with windows as (
    {{ changed_windows(var('sample_grains'), var('window_minimum_count')) }}
    and {{ in_batch('windows.window_start_at') }}
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
    {{ reference_sample('reference_rows', var('reference_sample_size'), ['model_name', 'model_version', 'sample_hash'] + numbers) }}
),

reference_parts as (
    {{ reference_parts('reference_samples', ['model_name', 'model_version'] + numbers) }}
),

window_rows as (
    {{ rows_of_windows('windows', 'samples', var('sample_grains'), ['source_id', 'partition_id', 'position'] + numbers) }}
),

{% set columns = keep + ['fold_id', 'day_start_at'] + numbers -%}
window_parts as (
    {{ window_parts('window_rows', columns) }}
),

day_sizes as (
    select
        {{ (keep + segment) | join(',\n        ') }},
        day_start_at,
        count(*) as row_count
    from window_parts
    group by all
),

window_sizes as (
    select
        {{ (keep + segment) | join(',\n        ') }},
        cast(sum(row_count) as bigint) as row_count,
        sum(row_count * cast(row_count as double)) as squared_day_sum
    from day_sizes
    group by all
    having segment_name = 'all' or sum(row_count) >= {{ var('segment_minimum_count') }}
),

window_lists as (
    select
        {{ (keep + segment + ['fold_id']) | join(',\n        ') }},
        {% for name in numbers %}list({{ name }}) as {{ name }}{{ ",\n        " if not loop.last }}{% endfor %}
    from window_parts
    group by all
),

reference_lists as (
    select
        {{ (['model_name', 'model_version'] + segment) | join(',\n        ') }},
        {% for name in numbers %}list({{ name }}) as {{ name }}{{ ",\n        " if not loop.last }}{% endfor %}
    from reference_parts
    group by all
    having segment_name = 'all' or count(*) >= {{ var('segment_minimum_count') }}
),

-- number by number: the reference's list goes beside each window's into the functions
compared as (
    {%- for column in numbers %}
    select
        {% for name in keep + segment + ['fold_id'] %}window_lists.{{ name }},
        {% endfor -%}
        '{{ column }}' as column_name,
        ks_two_sample(reference_lists.{{ column }}, window_lists.{{ column }}) as ks,
        wasserstein_distance(reference_lists.{{ column }}, window_lists.{{ column }}) as wasserstein
    from window_lists
    inner join reference_lists
        on
            {% for name in ['model_name', 'model_version'] + segment %}{{ "and " if not loop.first }}window_lists.{{ name }} = reference_lists.{{ name }}
            {% endfor %}
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

described as (
    select
        {% for name in keep + segment %}compared.{{ name }},
        {% endfor -%}
        window_sizes.row_count,
        window_sizes.squared_day_sum,
        scales.drift_kind,
        scales.feature_name,
        compared.ks,
        compared.wasserstein,
        compared.fold_id
    from compared
    inner join window_sizes
        on
            {% for name in keep + segment %}{{ "and " if not loop.first }}compared.{{ name }} = window_sizes.{{ name }}
            {% endfor %}
    inner join scales
        on
            compared.model_name = scales.model_name
            and compared.model_version = scales.model_version
            and compared.column_name = scales.drift_kind || '_' || scales.feature_name
),

comparisons as (
    select
        {{ (keep + segment) | join(',\n        ') }},
        row_count,
        squared_day_sum,
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
    from described
)

select * from comparisons
