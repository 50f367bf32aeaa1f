{# One row per window, segment and feature: what its values are like. #}
{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='model_name, model_version, window_grain, window_start_at',
    on_schema_change='append_new_columns',
    pre_hook="{{ begin_batches(changed_windows(var('sample_grains'), 1)) }}",
    post_hook='{{ finish_batches() }}',
) }}
{% set features = registered_features() %}
{% set numbers = number_columns(features) %}
{% set texts = text_columns(features) %}
{% set keep = ['model_name', 'model_version', 'window_grain', 'window_start_at'] %}
{% set quantiles = [('quantile_05', 0.05), ('quantile_25', 0.25), ('quantile_50', 0.5), ('quantile_75', 0.75), ('quantile_95', 0.95)] %}
with windows as (
    {{ changed_windows(var('sample_grains'), 1) }}
    and {{ in_batch('windows.window_start_at') }}
),

samples as (
    select * from {{ ref('int_samples') }}
    where {{ near_batch('window_start_at', 'month') }}
),

moments as (
    select * from {{ ref('int_moments') }}
    where {{ near_batch('window_start_at', 'month') }}
),

cube as (
    select * from {{ ref('fct_histogram_bins') }}
    where segment_name = 'all' and {{ in_batch('window_start_at') }}
),

reference_values as (
    select * from {{ ref('int_reference_texts') }}
),

bin_specs as (
    select * from {{ ref('int_bin_specs') }}
    where drift_kind = 'covariate' or feature_name = 'score'
),

-- what was counted: exact
counted as (
    select
        {% for name in keep %}cube.{{ name }},
        {% endfor -%}
        cube.drift_kind,
        cube.feature_name,
        cast(sum(cube.event_count) as bigint) as event_count,
        cast(coalesce(sum(cube.event_count) filter (where cube.bin_index = {{ bin_code('null') }}), 0) as bigint) as null_count,
        cast(coalesce(sum(cube.event_count) filter (where cube.bin_index = {{ bin_code('unreadable') }}), 0) as bigint) as unreadable_count
    from cube
    semi join windows
        on
            {% for name in keep %}{{ "and " if not loop.first }}cube.{{ name }} = windows.{{ name }}
            {% endfor %}
    group by all
),

moment_parts as (
    select
        {% for name in keep %}windows.{{ name }},
        {% endfor -%}
        moments.drift_kind,
        moments.feature_name,
        moments.value_count,
        moments.zero_count,
        moments.minimum,
        moments.maximum,
        moments.mean,
        moments.squared_deviation_sum
    from windows
    inner join moments
        on
            windows.model_name = moments.model_name
            and windows.model_version = moments.model_version
            and windows.window_start_at
            = {{ start_at_grain('moments.window_start_at', 'moments.model_name', 'windows.window_grain', var('sample_grains')) }}
),

merged as (
    {{ driftnet.merged_moments('moment_parts', keep + ['drift_kind', 'feature_name']) }}
),

-- what is read off the window's sample: exact where it holds all events
sampled as (
    select
        {% for name in keep %}windows.{{ name }},
        {% endfor -%}
        {% for name in numbers %}list(samples.{{ name }}) filter (where samples.{{ name }} is not null) as {{ name }},
        {% endfor -%}
        {% for name in texts %}list(samples.{{ name }}) filter (where samples.{{ name }} is not null) as {{ name }},
        {% endfor -%}
        count(*) as row_count
    from windows
    inner join samples
        on
            windows.model_name = samples.model_name
            and windows.model_version = samples.model_version
            and windows.window_start_at
            = {{ start_at_grain('samples.window_start_at', 'samples.model_name', 'windows.window_grain', var('sample_grains')) }}
            and windows.sample_limit >= samples.sample_hash
    group by all
),

number_lists as (
    {{ driftnet.unpivot('sampled', keep + ['row_count'], numbers, 'column_name', 'number_values') }}
),

{% if texts -%}
text_lists as (
    {{ driftnet.unpivot('sampled', keep + ['row_count'], texts, 'column_name', 'text_values') }}
),
{%- endif %}

lists as (
    select
        {{ keep | join(',\n        ') }},
        row_count,
        split_part(column_name, '_', 1) as drift_kind,
        substr(column_name, strpos(column_name, '_') + 1) as feature_name,
        false as is_text,
        {% for name, level in quantiles %}list_aggregate(number_values, 'quantile_cont', {{ level }}) as {{ name }},
        {% endfor -%}
        list_transform(number_values, lambda number: cast(number as varchar)) as value_texts
    from number_lists
    {%- if texts %}
    union all
    select
        {{ keep | join(',\n        ') }},
        row_count,
        'covariate' as drift_kind,
        substr(column_name, strpos(column_name, '_') + 1) as feature_name,
        true as is_text,
        {% for name, level in quantiles %}cast(null as double) as {{ name }},
        {% endfor -%}
        text_values as value_texts
    from text_lists
    {%- endif %}
),

value_counts as (
    select
        {{ keep | join(',\n        ') }},
        row_count,
        drift_kind,
        feature_name,
        is_text,
        {% for name, level in quantiles %}{{ name }},
        {% endfor -%}
        len(value_texts) as value_count,
        list_reverse_sort(
            list_transform(map_entries(list_histogram(value_texts)), lambda entry: struct_pack(n := struct_extract(entry, 'value'), v := struct_extract(entry, 'key')))
        ) as entries
    from lists
),

described_samples as (
    select
        {% for name in keep %}value_counts.{{ name }},
        {% endfor -%}
        value_counts.row_count,
        value_counts.drift_kind,
        value_counts.feature_name,
        value_counts.is_text,
        {% for name, level in quantiles %}value_counts.{{ name }},
        {% endfor -%}
        cast(len(value_counts.entries) as bigint) as distinct_count,
        list_transform(value_counts.entries[1:{{ var('profile_top_values') }}], lambda entry: struct_extract(entry, 'v')) as top_values,
        list_transform(
            value_counts.entries[1:{{ var('profile_top_values') }}], lambda entry: struct_extract(entry, 'n') / cast(value_counts.row_count as double)
        ) as top_shares,
        case
            when reference_values.texts is not null
                then
                    coalesce(
                        list_sum(
                            list_transform(
                                value_counts.entries,
                                lambda entry: case when list_contains(reference_values.texts, struct_extract(entry, 'v')) then 0 else struct_extract(entry, 'n') end
                            )
                        ),
                        0
                    ) / cast(value_counts.row_count as double)
        end as new_share
    from value_counts
    left join reference_values
        on
            value_counts.is_text
            and value_counts.model_name = reference_values.model_name
            and value_counts.model_version = reference_values.model_version
            and value_counts.feature_name = reference_values.feature_name
),

profiles as (
    select
        {% for name in keep %}windows.{{ name }},
        {% endfor -%}
        'all' as segment_name,
        'all' as segment_value,
        counted.drift_kind,
        counted.feature_name,
        bin_specs.feature_kind,
        counted.event_count,
        counted.null_count,
        counted.unreadable_count,
        case when bin_specs.feature_kind != 'categorical' then coalesce(merged.zero_count, 0) end as zero_count,
        cast(round(described_samples.new_share * counted.event_count) as bigint) as new_count,
        described_samples.new_share,
        coalesce(described_samples.distinct_count, 0) as distinct_count,
        merged.mean,
        case when merged.value_count > 1 then sqrt(merged.squared_deviation_sum / (merged.value_count - 1)) end as std,
        merged.minimum,
        merged.maximum,
        {% for name, level in quantiles %}described_samples.{{ name }},
        {% endfor -%}
        described_samples.top_values,
        described_samples.top_shares,
        windows.row_count as sample_count,
        windows.row_count < counted.event_count as is_estimate,
        windows.fold_id,
        '{{ invocation_id }}' as invocation_id,
        cast('{{ run_started_at.strftime("%Y-%m-%d %H:%M:%S") }}' as timestamp) as computed_at
    from windows
    inner join counted
        on
            {% for name in keep %}{{ "and " if not loop.first }}windows.{{ name }} = counted.{{ name }}
            {% endfor %}
    inner join bin_specs
        on
            counted.model_name = bin_specs.model_name
            and counted.model_version = bin_specs.model_version
            and counted.drift_kind = bin_specs.drift_kind
            and counted.feature_name = bin_specs.feature_name
    left join merged
        on
            bin_specs.feature_kind != 'categorical'
            {% for name in keep + ['drift_kind', 'feature_name'] %}and counted.{{ name }} = merged.{{ name }}
            {% endfor %}
    left join described_samples
        on
            described_samples.is_text = (bin_specs.feature_kind = 'categorical')
            {% for name in keep + ['drift_kind', 'feature_name'] %}and counted.{{ name }} = described_samples.{{ name }}
            {% endfor %}
)

select * from profiles
