{# One row per window, segment, feature and bin that holds an event: the cube. #}
{{ config(materialized='view') }}
with histograms as (
    select * from {{ ref('int_histograms') }}
),

bin_specs as (
    select * from {{ ref('int_bin_specs') }}
),

{% for grain in ['day', 'week', 'month'] %}
{{ grain }}_bins as (
    select
        model_name,
        model_version,
        '{{ grain }}' as window_grain,
        {{ driftnet.window_start('window_start_at', grain, window_timezone()) }} as start_at,
        segment_name,
        segment_value,
        drift_kind,
        feature_name,
        bin_index,
        cast(sum(event_count) as bigint) as event_count,
        cast(sum(labelled_count) as bigint) as labelled_count,
        cast(sum(positive_count) as bigint) as positive_count,
        cast(sum(score_units) as bigint) as score_units
    from histograms
    group by all
),

{% endfor %}
bins as (
    select * from day_bins
    union all
    select * from week_bins
    union all
    select * from month_bins
),

described as (
    select
        bins.model_name,
        bins.model_version,
        bins.window_grain,
        bins.start_at as window_start_at,
        bins.segment_name,
        bins.segment_value,
        bins.drift_kind,
        bins.feature_name,
        cast(bins.bin_index as integer) as bin_index,
        bin_specs.bin_spec_id,
        bins.event_count,
        bins.labelled_count,
        bins.positive_count,
        bins.score_units / 1e9 as score_sum
    from bins
    inner join bin_specs
        on
            bins.model_name = bin_specs.model_name
            and bins.model_version = bin_specs.model_version
            and bins.drift_kind = bin_specs.drift_kind
            and bins.feature_name = bin_specs.feature_name
)

select * from described
