{# One row per window, check and feature: does it come, is it of its type, was it ever registered. #}
with event_days as (
    select * from {{ ref('int_event_days') }}
),

histograms as (
    select * from {{ ref('fct_histogram_bins') }}
    where segment_name = 'all' and drift_kind = 'covariate'
),

bins as (
    select * from {{ ref('dim_bins') }}
    where segment_name = 'all' and drift_kind = 'covariate'
),

unknown_features as (
    select * from {{ ref('int_unknown_features') }}
    where feature_name != ''
),

features as (
    select * from {{ ref('stg_features') }}
),

feature_counts as (
    select
        model_name,
        model_version,
        window_grain,
        window_start_at,
        feature_name,
        sum(event_count) as event_count,
        coalesce(sum(event_count) filter (where bin_index = {{ bin_code('null') }}), 0) as null_count,
        coalesce(sum(event_count) filter (where bin_index = {{ bin_code('unreadable') }}), 0) as unreadable_count
    from histograms
    group by 1, 2, 3, 4, 5
),

reference_nulls as (
    select
        model_name,
        model_version,
        feature_name,
        coalesce(sum(reference_count) filter (where bin_kind = 'null'), 0) / cast(nullif(sum(reference_count), 0) as double) as null_share
    from bins
    group by 1, 2, 3
),

missing_features as (
    select
        feature_counts.model_name,
        feature_counts.model_version,
        feature_counts.window_grain,
        feature_counts.window_start_at,
        'missing_features' as check_name,
        feature_counts.feature_name as subject_name,
        feature_counts.null_count / cast(feature_counts.event_count as double) - coalesce(reference_nulls.null_share, 0) as check_value,
        cast(feature_counts.event_count as bigint) as event_count,
        feature_counts.null_count || ' of ' || feature_counts.event_count || ' events lack it' as note
    from feature_counts
    left join reference_nulls
        on
            feature_counts.model_name = reference_nulls.model_name
            and feature_counts.model_version = reference_nulls.model_version
            and feature_counts.feature_name = reference_nulls.feature_name
),

changed_types as (
    select
        model_name,
        model_version,
        window_grain,
        window_start_at,
        'changed_types' as check_name,
        feature_name as subject_name,
        unreadable_count / cast(event_count as double) as check_value,
        cast(event_count as bigint) as event_count,
        unreadable_count || ' of ' || event_count || ' values are of another type than registered' as note
    from feature_counts
),

-- what came before its version was registered is unknown no more
unknown_days as (
    select
        unknown_features.model_name,
        unknown_features.model_version,
        unknown_features.window_start_at,
        unknown_features.feature_name,
        sum(unknown_features.event_count) as event_count
    from unknown_features
    anti join features
        on
            unknown_features.model_name = features.model_name
            and unknown_features.model_version = features.model_version
            and unknown_features.feature_name = lower(features.feature_name)
    group by 1, 2, 3, 4
),

unknown as (
    select
        unknown_days.model_name,
        unknown_days.model_version,
        'day' as window_grain,
        unknown_days.window_start_at,
        'unknown_features' as check_name,
        unknown_days.feature_name as subject_name,
        unknown_days.event_count / cast(event_days.landed_count as double) as check_value,
        event_days.landed_count as event_count,
        unknown_days.event_count || ' events carry it' as note
    from unknown_days
    inner join event_days
        on
            unknown_days.model_name = event_days.model_name
            and unknown_days.model_version = event_days.model_version
            and unknown_days.window_start_at = event_days.window_start_at
),

measured as (
    {{ measured_checks(['missing_features', 'changed_types', 'unknown']) }}
)

select * from measured
