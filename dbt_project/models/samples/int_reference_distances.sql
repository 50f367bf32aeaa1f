{# One row per window of a reference, feature and metric: how far the window's sample is from the rest of the reference's, in units of chance. #}
{{ config(
    incremental_strategy='delete+insert',
    unique_key='model_name, model_version, window_grain, window_start_at',
    pre_hook='{{ begin_batches(new_reference_windows()) }}',
    post_hook='{{ finish_batches() }}',
) }}
{% set features = registered_features() %}
{% set numbers = number_columns(features) %}
{% set keep = ['model_name', 'model_version', 'window_grain', 'window_start_at'] %}
with new_windows as (
    {{ new_reference_windows() }}
    where {{ in_batch('found.window_start_at') }}
),

reference_rows as (
    select * from {{ ref('int_reference_features') }}
    where (model_name, model_version) in (select (model_name, model_version) from new_windows)
),

scales as (
    select * from {{ ref('int_sample_scales') }}
),

blocks as (
    select * from {{ ref('int_reference_blocks') }}
    where segment_name = 'all'
),

bases as (
    {{ measured_bases(['means', 'median_distance', 'components', 'explained_variances'], features) }}
),

reference_samples as (
    {{ reference_sample('reference_rows', var('embedding_sample_size'), ['model_name', 'model_version', 'window_start_at', 'sample_hash', 'embedding'] + numbers) }}
),

window_rows as (
    {%- for grain in var('vector_grains') %}
    {%- set grain_start_at = driftnet.window_start('reference_rows.window_start_at', grain, window_timezone('reference_rows.model_name')) %}
    select
        {% for name in keep %}new_windows.{{ name }},
        {% endfor -%}
        reference_rows.window_start_at as day_start_at,
        reference_rows.sample_hash,
        reference_rows.embedding,
        {{ covariate_list('reference_rows', features) }} as raw_row,
        {% for name in numbers %}reference_rows.{{ name }},
        {% endfor -%}
        row_number() over (
            partition by new_windows.model_name, new_windows.model_version, new_windows.window_start_at
            order by reference_rows.sample_hash asc
        ) as sample_rank
    from new_windows
    inner join reference_rows
        on
            new_windows.model_name = reference_rows.model_name
            and new_windows.model_version = reference_rows.model_version
            and new_windows.window_start_at = {{ grain_start_at }}
    where new_windows.window_grain = '{{ grain }}'
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

window_samples as (
    select * from window_rows
    where sample_rank <= {{ var('embedding_sample_size') }}
),

day_sizes as (
    select
        {{ keep | join(',\n        ') }},
        day_start_at,
        count(*) as row_count
    from window_samples
    group by all
),

windows as (
    select
        {{ keep | join(',\n        ') }},
        cast(sum(row_count) as bigint) as row_count,
        sum(row_count * cast(row_count as double)) as squared_day_sum
    from day_sizes
    group by all
),

-- each window, then the rest of the reference's sample
sides as (
    select
        {{ keep | join(',\n        ') }},
        true as is_current,
        sample_hash,
        embedding,
        raw_row,
        {{ numbers | join(',\n        ') }}
    from window_samples
    {%- for grain in var('vector_grains') %}
    union all
    select
        {% for name in keep %}windows.{{ name }},
        {% endfor -%}
        false as is_current,
        reference_samples.sample_hash,
        reference_samples.embedding,
        {{ covariate_list('reference_samples', features) }} as raw_row,
        {% for name in numbers %}reference_samples.{{ name }}{{ ",\n        " if not loop.last }}{% endfor %}
    from windows
    inner join reference_samples
        on
            windows.model_name = reference_samples.model_name
            and windows.model_version = reference_samples.model_version
            and windows.window_start_at <> {{ driftnet.window_start('reference_samples.window_start_at', grain, window_timezone('reference_samples.model_name')) }}
    where windows.window_grain = '{{ grain }}'
    {%- endfor %}
),

side_lists as (
    select
        {{ keep | join(',\n        ') }},
        is_current,
        {% for name in numbers %}list({{ name }}) as {{ name }}{{ ",\n        " if not loop.last }}{% endfor %}
    from sides
    group by all
),

side_numbers as (
    {{ driftnet.unpivot('side_lists', keep + ['is_current'], numbers, 'column_name', 'number_values') }}
),

compared_numbers as (
    select
        {% for name in keep %}currents.{{ name }},
        {% endfor -%}
        scales.drift_kind,
        scales.feature_name,
        ks_two_sample(rests.number_values, currents.number_values) as ks,
        struct_extract(wasserstein_distance(rests.number_values, currents.number_values), 'distance') / nullif(scales.reference_std, 0) as wasserstein
    from side_numbers as currents
    inner join side_numbers as rests
        on
            {% for name in keep + ['column_name'] %}{{ "and " if not loop.first }}currents.{{ name }} = rests.{{ name }}
            {% endfor %}
            and not rests.is_current
    inner join scales
        on
            currents.model_name = scales.model_name
            and currents.model_version = scales.model_version
            and currents.column_name = scales.drift_kind || '_' || scales.feature_name
    where currents.is_current
),

opened_numbers as (
    select
        {{ keep | join(',\n        ') }},
        drift_kind,
        feature_name,
        struct_extract(ks, 'statistic') as ks_statistic,
        struct_extract(ks, 'reference_count') as reference_count,
        struct_extract(ks, 'current_count') as current_count,
        wasserstein
    from compared_numbers
    where ks is not null
),

number_variances as (
    select
        {% for name in keep %}opened_numbers.{{ name }},
        {% endfor -%}
        opened_numbers.drift_kind,
        opened_numbers.feature_name,
        any_value(opened_numbers.ks_statistic) as ks_statistic,
        any_value(opened_numbers.wasserstein) as wasserstein,
        coalesce(
            max(
                ({{ driftnet.design_effect(
                    'blocks.rho',
                    'blocks.squared_size_sum * least(1.0, opened_numbers.reference_count / cast(blocks.row_count as double))',
                    'blocks.row_count'
                ) }}) / opened_numbers.reference_count
                + ({{ driftnet.design_effect(
                    'blocks.rho',
                    "case when blocks.block_grain = 'day' then windows.squared_day_sum else windows.row_count * cast(windows.row_count as double) end",
                    'windows.row_count'
                ) }}) / opened_numbers.current_count
            ),
            max(1.0 / opened_numbers.reference_count + 1.0 / opened_numbers.current_count)
        ) as sampling_variance
    from opened_numbers
    inner join windows
        on
            {% for name in keep %}{{ "and " if not loop.first }}opened_numbers.{{ name }} = windows.{{ name }}
            {% endfor %}
    left join blocks
        on
            opened_numbers.model_name = blocks.model_name
            and opened_numbers.model_version = blocks.model_version
            and opened_numbers.drift_kind = blocks.drift_kind
            and opened_numbers.feature_name = blocks.feature_name
            and blocks.block_grain in ('day', opened_numbers.window_grain)
            and blocks.rho is not null
    group by all
),

side_vectors as (
    select
        {% for name in keep %}sides.{{ name }},
        {% endfor -%}
        sides.is_current,
        bases.drift_kind,
        bases.feature_name,
        bases.basis_id,
        list(
            {{ basis_vector('sides') }}
            order by sides.sample_hash
        ) as vectors
    from sides
    inner join bases
        on sides.model_name = bases.model_name and sides.model_version = bases.model_version
    group by all
),

compared_vectors as (
    select
        {% for name in keep %}currents.{{ name }},
        {% endfor -%}
        currents.drift_kind,
        currents.feature_name,
        mmd_squared(
            rests.vectors, currents.vectors, cast(null as bigint[]), cast(null as bigint[]), bases.median_distance, 0, 0
        ) as mmd,
        case
            when currents.drift_kind = 'embedding'
                then pca_wasserstein(
                    rests.vectors,
                    currents.vectors,
                    cast(null as bigint[]),
                    cast(null as bigint[]),
                    bases.means,
                    bases.components,
                    bases.explained_variances,
                    0,
                    0
                )
        end as pca
    from side_vectors as currents
    inner join side_vectors as rests
        on
            {% for name in keep + ['basis_id'] %}{{ "and " if not loop.first }}currents.{{ name }} = rests.{{ name }}
            {% endfor %}
            and not rests.is_current
    inner join bases
        on
            currents.model_name = bases.model_name
            and currents.model_version = bases.model_version
            and currents.basis_id = bases.basis_id
    where currents.is_current
),

distances as (
    {%- for metric, value, rows in [
        ('ks_statistic', 'ks_statistic / sqrt(sampling_variance)', 'number_variances'),
        ('wasserstein', 'wasserstein / sqrt(sampling_variance)', 'number_variances'),
        ('mmd_squared', "struct_extract(mmd, 'statistic') / sqrt(1.0 / struct_extract(mmd, 'reference_count') + 1.0 / struct_extract(mmd, 'current_count'))", 'compared_vectors'),
        ('pca_wasserstein', "struct_extract(pca, 'statistic') / sqrt(1.0 / struct_extract(pca, 'reference_count') + 1.0 / struct_extract(pca, 'current_count'))", 'compared_vectors')
    ] %}
    select
        {{ keep | join(',\n        ') }},
        drift_kind,
        feature_name,
        '{{ metric }}' as metric_name,
        {{ value }} as value_in_units
    from {{ rows }}
    {{ "union all" if not loop.last }}
    {%- endfor %}
)

select * from distances
