{# One row per landed position of the predictions topic: what came of it, and the bin of each of its features. #}
{{ config(
    incremental_strategy='append',
    on_schema_change='append_new_columns',
    post_hook="
        delete from {{ this }}
        where
            event_status = 'held'
            and (source_id, partition_id, position) in (
                select (source_id, partition_id, position) from {{ this }}
                where counted_fold_id = (select max(fold_id) from {{ ref('int_folds') }})
            )
    ",
) }}
{% set features = registered_features() %}
with landed as (
    select * from {{ ref('stg_predictions') }}
),

folds as (
    select * from {{ ref('int_folds') }}
    where topic = '{{ var("predictions_topic") }}'
),

newest_fold as (
    select coalesce(max(fold_id), 0) as fold_id from {{ ref('int_folds') }}
),

models as (
    select * from {{ ref('stg_models') }}
),

-- what is in the bins of this build: a model folder that appears meanwhile is for the next one
versions as (
    select distinct
        model_name,
        model_version
    from {{ ref('int_bin_specs') }}
),

-- held events whose version has gained its reference; their held rows go with this transaction
waiting as (
    {{ waiting_positions() }}
),

-- a row has the fold of its offset, whichever build reads it; what lies after the pin is not read yet
pinned as (
    select
        folds.fold_id,
        waiting.position is not null as was_held,
        landed.source_id,
        landed.partition_id,
        landed.position,
        landed.is_dead,
        landed.event_id,
        landed.model_name,
        landed.model_version,
        landed.channel,
        landed.cluster,
        landed.score,
        coalesce(landed.is_predicted_positive, landed.score >= coalesce(landed.threshold, models.threshold, 0.5)) as is_predicted_positive,
        versions.model_name is not null as has_reference,
        landed.occurred_at,
        landed.landed_at,
        landed.window_start_at,
        landed.unreadable_features
        {%- for feature in features %},
        landed.feature_{{ feature.name }}
        {%- endfor %}
    from landed
    inner join folds
        on
            landed.source_id = folds.source_id
            and landed.partition_id = folds.partition_id
            and landed.position >= folds.after_offset
            and landed.position < folds.upto_offset
    left join models
        on landed.model_name = models.model_name and landed.model_version = models.model_version
    left join versions
        on landed.model_name = versions.model_name and landed.model_version = versions.model_version
    left join waiting
        on
            landed.source_id = waiting.source_id
            and landed.partition_id = waiting.partition_id
            and landed.position = waiting.position
    {%- if is_incremental() %}
    where folds.fold_id > (select coalesce(max(fold_id), 0) from {{ this }}) or waiting.position is not null
    {%- endif %}
),

-- earlier copies can only be near in time
copies as (
    select
        model_name,
        event_id,
        fold_id,
        source_id,
        partition_id,
        position,
        occurred_at
    from pinned
    where not is_dead and not was_held
    {%- if is_incremental() %}
    union all
    select
        model_name,
        event_id,
        fold_id,
        source_id,
        partition_id,
        position,
        occurred_at
    from {{ this }}
    where
        event_status != 'dead'
        and event_id in (select event_id from pinned)
        and occurred_at >= (select min(occurred_at) - interval {{ var('dedupe_horizon_days') }} day from pinned)
        and occurred_at <= (select max(occurred_at) + interval {{ var('dedupe_horizon_days') }} day from pinned)
    {%- endif %}
),

ordered as (
    select
        source_id,
        partition_id,
        position,
        model_name,
        event_id,
        occurred_at,
        row_number() over (
            partition by model_name, event_id
            order by fold_id asc, source_id asc, partition_id asc, position asc
        ) as arrival
    from copies
),

compared as (
    select
        source_id,
        partition_id,
        position,
        arrival,
        min(arrival) over (
            partition by model_name, event_id
            order by occurred_at
            range between interval {{ var('dedupe_horizon_days') }} day preceding
            and interval {{ var('dedupe_horizon_days') }} day following
        ) as first_arrival
    from ordered
),

-- the first that landed counts; a copy that is near in time to one before it does not
duplicates as (
    select
        source_id,
        partition_id,
        position
    from compared
    where arrival > first_arrival
),

judged as (
    select
        pinned.fold_id,
        case
            when pinned.is_dead or duplicates.position is not null or not pinned.has_reference then null
            when pinned.was_held then newest_fold.fold_id
            else pinned.fold_id
        end as counted_fold_id,
        pinned.source_id,
        pinned.partition_id,
        pinned.position,
        case
            when pinned.is_dead then 'dead'
            when duplicates.position is not null then 'duplicate'
            when not pinned.has_reference then 'held'
            else 'counted'
        end as event_status,
        pinned.event_id,
        pinned.model_name,
        pinned.model_version,
        pinned.channel,
        pinned.cluster,
        pinned.score,
        pinned.is_predicted_positive,
        pinned.occurred_at,
        pinned.landed_at,
        pinned.window_start_at,
        pinned.unreadable_features
        {%- for feature in features %},
        pinned.feature_{{ feature.name }}
        {%- endfor %}
    from pinned
    cross join newest_fold
    left join duplicates
        on
            pinned.source_id = duplicates.source_id
            and pinned.partition_id = duplicates.partition_id
            and pinned.position = duplicates.position
),

countable as (
    select * from judged
    where event_status = 'counted'
),

counted as (
    {{ bin_codes('countable', prediction_columns(), features) }}
),

uncounted as (
    select
        {{ prediction_columns() | join(',\n        ') }}
        {%- for segment in segment_code_columns() %},
        cast(null as varchar) as {{ segment }}
        {%- endfor %}
        {%- for code in code_columns(features) %},
        cast(null as utinyint) as {{ code }}
        {%- endfor %}
    from judged
    where event_status != 'counted'
),

predictions as (
    select * from counted
    union all
    select * from uncounted
)

select * from predictions
