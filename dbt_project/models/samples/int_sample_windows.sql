{# One row per window of a model version: up to which hash its events are of its sample, how many they are and on which days. #}
{{ config(
    incremental_strategy='delete+insert',
    unique_key='model_name, model_version, window_grain, window_start_at',
) }}
{% set timezone = window_timezone() %}
with samples as (
    select
        model_name,
        model_version,
        window_start_at,
        sample_hash,
        fold_id
    from {{ ref('int_samples') }}
),

models as (
    select * from {{ ref('stg_models') }}
),

{% for grain in var('sample_grains') %}
{% set grain_start_at = driftnet.window_start('window_start_at', grain, timezone) -%}
{{ grain }}_rows as (
    select
        model_name,
        model_version,
        window_start_at,
        sample_hash,
        fold_id,
        {{ grain_start_at }} as grain_start_at
    from samples
    {%- if is_incremental() %}
    where (model_name, model_version, {{ grain_start_at }}) in (
        select (model_name, model_version, {{ grain_start_at }}) from samples
        where fold_id > (select coalesce(max(fold_id), 0) from {{ this }} where window_grain = '{{ grain }}')
    )
    {%- endif %}
),

{{ grain }}_ranked as (
    select
        {{ grain }}_rows.model_name,
        {{ grain }}_rows.model_version,
        {{ grain }}_rows.grain_start_at,
        {{ grain }}_rows.window_start_at,
        {{ grain }}_rows.sample_hash,
        {{ sample_size('models') }} as sample_size,
        max({{ grain }}_rows.fold_id) over windows as fold_id,
        row_number() over (
            partition by {{ grain }}_rows.model_name, {{ grain }}_rows.model_version, {{ grain }}_rows.grain_start_at
            order by {{ grain }}_rows.sample_hash asc
        ) as sample_rank
    from {{ grain }}_rows
    inner join models
        on {{ grain }}_rows.model_name = models.model_name and {{ grain }}_rows.model_version = models.model_version
    window windows as (partition by {{ grain }}_rows.model_name, {{ grain }}_rows.model_version, {{ grain }}_rows.grain_start_at)
),

{{ grain }}_days as (
    select
        model_name,
        model_version,
        '{{ grain }}' as window_grain,
        grain_start_at as window_start_at,
        window_start_at as day_start_at,
        count(*) as row_count,
        max(sample_hash) as sample_limit,
        max(fold_id) as fold_id
    from {{ grain }}_ranked
    where sample_rank <= sample_size
    group by 1, 2, 3, 4, 5
),

{% endfor %}
days as (
    {%- for grain in var('sample_grains') %}
    select
        model_name,
        model_version,
        window_grain,
        window_start_at,
        row_count,
        sample_limit,
        fold_id
    from {{ grain }}_days
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

windows as (
    select
        model_name,
        model_version,
        window_grain,
        window_start_at,
        cast(sum(row_count) as bigint) as row_count,
        sum(row_count * cast(row_count as double)) as squared_day_sum,
        max(sample_limit) as sample_limit,
        max(fold_id) as fold_id
    from days
    group by 1, 2, 3, 4
)

select * from windows
