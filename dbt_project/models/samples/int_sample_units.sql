{# One row per reference, window length, feature and metric: how far windows of the reference are from the rest of it, in units of chance. #}
{% set features = registered_features() %}
{% set numbers = number_columns(features) %}
{% set keep = ['model_name', 'model_version', 'window_grain', 'window_start_at'] %}
with reference_rows as (
    select * from {{ ref('int_reference_features') }}
    {{ where_version_is_new() }}
),

scales as (
    select * from {{ ref('int_sample_scales') }}
),

blocks as (
    select * from {{ ref('int_reference_blocks') }}
    where segment_name = 'all'
),

bases as (
    select
        {% for name in [
            'model_name', 'model_version', 'drift_kind', 'feature_name', 'basis_id', 'feature_means', 'feature_stds', 'means',
            'median_distance', 'components', 'explained_variances'
        ] %}fitted.{{ name }},
        {% endfor -%}
        {{ covariate_positions('fitted.feature_names', features) }} as positions
    from {{ ref('int_bases') }} as fitted
),

{% for grain in var('vector_grains') %}
{{ grain }}_rows as (
    select
        '{{ grain }}' as window_grain,
        {{ driftnet.window_start('window_start_at', grain, window_timezone()) }} as grain_start_at,
        model_name,
        model_version,
        window_start_at,
        sample_hash,
        embedding,
        {{ numbers | join(',\n        ') }}
    from reference_rows
),

{% endfor %}
ranked as (
    {%- for grain in var('vector_grains') %}
    select
        model_name,
        model_version,
        window_grain,
        grain_start_at,
        window_start_at,
        sample_hash,
        embedding,
        {{ covariate_list(grain ~ '_rows', features) }} as raw_row,
        {{ numbers | join(',\n        ') }},
        row_number() over (partition by model_name, model_version order by sample_hash asc) as reference_rank,
        row_number() over (partition by model_name, model_version, grain_start_at order by sample_hash asc) as window_rank
    from {{ grain }}_rows
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

window_sizes as (
    select
        model_name,
        model_version,
        window_grain,
        grain_start_at,
        window_start_at,
        count(*) as row_count
    from ranked
    where window_rank <= {{ var('embedding_sample_size') }}
    group by 1, 2, 3, 4, 5
),

windows as (
    select
        model_name,
        model_version,
        window_grain,
        grain_start_at as window_start_at,
        cast(sum(row_count) as bigint) as row_count,
        sum(row_count * cast(row_count as double)) as squared_day_sum
    from window_sizes
    group by 1, 2, 3, 4
    having sum(row_count) >= {{ var('window_minimum_count') }}
),

-- each window, then the rest of the reference's sample
sides as (
    select
        {% for name in keep %}windows.{{ name }},
        {% endfor -%}
        ranked.grain_start_at = windows.window_start_at as is_current,
        ranked.sample_hash,
        ranked.embedding,
        ranked.raw_row,
        {% for name in numbers %}ranked.{{ name }}{{ ",\n        " if not loop.last }}{% endfor %}
    from windows
    inner join ranked
        on
            windows.model_name = ranked.model_name
            and windows.model_version = ranked.model_version
            and windows.window_grain = ranked.window_grain
    where
        case
            when ranked.grain_start_at = windows.window_start_at then ranked.window_rank <= {{ var('embedding_sample_size') }}
            else ranked.reference_rank <= {{ var('embedding_sample_size') }}
        end
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
        any_value(bases.median_distance) as median_distance,
        any_value(bases.means) as means,
        any_value(bases.components) as components,
        any_value(bases.explained_variances) as explained_variances,
        list(
            case
                when bases.drift_kind = 'embedding' then sides.embedding
                else {{ joint_row('sides.raw_row', 'bases') }}
            end
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
            rests.vectors, currents.vectors, cast(null as bigint[]), cast(null as bigint[]), currents.median_distance, 0, 0
        ) as mmd,
        case
            when currents.drift_kind = 'embedding'
                then pca_wasserstein(
                    rests.vectors,
                    currents.vectors,
                    cast(null as bigint[]),
                    cast(null as bigint[]),
                    currents.means,
                    currents.components,
                    currents.explained_variances,
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
    where currents.is_current
),

units as (
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
),

learnt as (
    select
        model_name,
        model_version,
        window_grain,
        drift_kind,
        feature_name,
        metric_name,
        count(*) as window_count,
        avg(value_in_units) as mean_unit,
        stddev_samp(value_in_units) as std_unit
    from units
    where value_in_units is not null
    group by 1, 2, 3, 4, 5, 6
)

select * from learnt
