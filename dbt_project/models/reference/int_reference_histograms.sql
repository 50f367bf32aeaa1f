{# One row per day, segment, feature and bin of a reference: how many of the rows that count are in it. #}
{% set codes = code_columns(registered_features()) %}
{% set segments = segment_code_columns() %}
{% set keep = ['model_name', 'model_version', 'event_id', 'window_start_at'] + segments %}
with reference_codes as (
    select
        {{ (keep + codes) | join(',\n        ') }},
        cast(case when is_actual_positive then 1 when not is_actual_positive then 0 end as utinyint) as label_label
    from {{ ref('int_reference_codes') }}
    {{ where_version_is_new() }}
),

bin_specs as (
    select * from {{ ref('int_bin_specs') }}
),

long as (
    {{ driftnet.unpivot('reference_codes', keep, codes + ['label_label'], 'column_name', 'bin_index') }}
),

-- categories are counted on the half that did not choose them
counted as (
    select
        long.model_name,
        long.model_version,
        long.window_start_at,
        {%- for segment in segments %}
        long.{{ segment }},
        {%- endfor %}
        bin_specs.drift_kind,
        bin_specs.feature_name,
        long.bin_index
    from long
    inner join bin_specs
        on
            long.model_name = bin_specs.model_name
            and long.model_version = bin_specs.model_version
            and long.column_name = bin_specs.drift_kind || '_' || bin_specs.feature_name
    where
        bin_specs.feature_kind != 'categorical'
        or not {{ is_choosing_half('bin_specs.is_split_by_days', 'long.window_start_at', 'long.event_id', 'long.model_name') }}
),

-- once for the whole and once for each segment
whole_and_segments as (
    select
        model_name,
        model_version,
        window_start_at,
        'all' as segment_name,
        'all' as segment_value,
        drift_kind,
        feature_name,
        bin_index,
        count(*) as event_count
    from counted
    group by 1, 2, 3, 4, 5, 6, 7, 8
    {%- for segment in segments %}
    union all
    select
        model_name,
        model_version,
        window_start_at,
        '{{ segment | replace("segment_", "", 1) }}' as segment_name,
        {{ segment }} as segment_value,
        drift_kind,
        feature_name,
        bin_index,
        count(*) as event_count
    from counted
    where {{ segment }} is not null
    group by 1, 2, 3, 4, 5, 6, 7, 8
    {%- endfor %}
)

select * from whole_and_segments
