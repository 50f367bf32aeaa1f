{#
The landed files with events that a table of raw values has not read yet: of new folds, and of held events that were counted since.

Parameters
    tables   names of the tables; each carries fold_id, the newest counted_fold_id of what it holds. The one furthest behind decides.
#}
{% macro files_with_uncollected_positions(tables) %}
    {% if not execute or flags.EMPTY %}{{ return([]) }}{% endif %}
    {% set predictions = adapter.get_relation(database=target.database, schema=target.schema, identifier='int_predictions') %}
    {% if predictions is none %}{{ return([]) }}{% endif %}
    {% set folds = [] %}
    {% for table in tables %}{% do folds.append(newest_fold(table)) %}{% endfor %}
    {% set found = run_query(
        "with positions as (select source_id, partition_id, position from " ~ predictions
        ~ " where event_status = 'counted' and counted_fold_id > " ~ (folds | min) ~ "), files as (" ~ landed_file_names(var('predictions_topic')) ~ ") "
        ~ "select distinct files.file from positions asof join files "
        ~ "on positions.source_id = files.source_id and positions.partition_id = files.partition_id "
        ~ "and positions.position >= files.position order by 1"
    ) %}
    {{ return(found.columns[0].values() | list) }}
{% endmacro %}

{# The names of the columns that hold numbers of a row: the score, then numeric and boolean features; 'mixed' ones as far as they are numbers. #}
{% macro number_columns(features) %}
    {% set names = ['prediction_score'] %}
    {% for feature in features if feature.kind != 'categorical' %}{% do names.append('covariate_' ~ feature.name) %}{% endfor %}
    {{ return(names) }}
{% endmacro %}

{# The names of the columns that hold texts of a row. #}
{% macro text_columns(features) %}
    {% set names = [] %}
    {% for feature in features if feature.kind in ['categorical', 'mixed'] %}{% do names.append('text_' ~ feature.name) %}{% endfor %}
    {{ return(names) }}
{% endmacro %}

{# The raw values of the features of `rows` (feature_<name>) as number_columns and text_columns name them. #}
{% macro raw_values(rows, features) -%}
    {%- for feature in features %}
        {%- if feature.kind != 'categorical' %}
        try_cast({{ rows }}.feature_{{ feature.name }} as double) as covariate_{{ feature.name }},
        {%- endif %}
        {%- if feature.kind in ['categorical', 'mixed'] %}
        {{ rows }}.feature_{{ feature.name }} as text_{{ feature.name }},
        {%- endif %}
    {%- endfor %}
{%- endmacro %}

{# By which rows are chosen: the lowest ones are a random sample that merges, and any engine computes the same. #}
{% macro sample_hash(event_id) -%}
    md5(lower(cast({{ event_id }} as varchar)))
{%- endmacro %}

{# How many rows a sample of a model holds: fewer where each carries an embedding. `models` is a row of stg_models. #}
{% macro sample_size(models) -%}
    case when {{ models }}.embedding_dimension is null then {{ var('sample_size') }} else {{ var('embedding_sample_size') }} end
{%- endmacro %}

{# The day of a row as a number: rows of one day belong together. #}
{% macro day_number(window_start_at, model_name) -%}
    cast(date_diff('day', date '1970-01-01', {{ local_day(window_start_at, model_name) }}) as bigint)
{%- endmacro %}

{#
The rows of each reference's sample: a query of the named columns.

Parameters
    reference_rows   a relation (or CTE) as int_reference_features
    size             how many rows
#}
{% macro reference_sample(reference_rows, size, columns) -%}
    select
        {{ columns | join(',\n        ') }}
    from (
        select
            {{ columns | join(',\n            ') }},
            row_number() over (partition by model_name, model_version order by sample_hash asc) as sample_rank
        from {{ reference_rows }}
    ) as ranked
    where sample_rank <= {{ size }}
{%- endmacro %}

{#
The sampled rows of the windows of a batch: a query of model, window, fold_id, day_start_at and the named columns of int_samples.

Parameters
    windows   a CTE as changed_windows
    samples   a CTE of int_samples
    grains    lengths of windows
#}
{% macro rows_of_windows(windows, samples, grains, columns) -%}
    {%- for grain in grains %}
    select
        {{ windows }}.model_name,
        {{ windows }}.model_version,
        {{ windows }}.window_grain,
        {{ windows }}.window_start_at,
        {{ windows }}.fold_id,
        {{ samples }}.window_start_at as day_start_at,
        {% for name in columns %}{{ samples }}.{{ name }}{{ ",\n        " if not loop.last }}{% endfor %}
    from {{ windows }}
    inner join {{ samples }}
        on
            {{ windows }}.model_name = {{ samples }}.model_name
            and {{ windows }}.model_version = {{ samples }}.model_version
            and {{ windows }}.window_start_at = {{ driftnet.window_start(samples ~ '.window_start_at', grain, window_timezone(samples ~ '.model_name')) }}
            and {{ windows }}.sample_limit >= {{ samples }}.sample_hash
    where
        {{ windows }}.window_grain = '{{ grain }}'
        and {{ near_batch(samples ~ '.window_start_at', grain) }}
    {{ "union all" if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#
The rows of samples for the whole, and again for each value of the segments that var('sample_segments') names: a query of segment_name,
segment_value and the named columns.

Parameters
    rows      a relation (or CTE) of sampled rows
    codes     a relation with a column segment_<name> for each segment
    is_same   the condition on which a row of codes is of a row of `rows`
#}
{% macro whole_and_segments(rows, columns, codes, is_same) -%}
    select
        'all' as segment_name,
        'all' as segment_value,
        {{ columns | join(',\n        ') }}
    from {{ rows }}
    {%- for name in var('sample_segments') %}
    union all
    select
        '{{ name }}' as segment_name,
        codes.segment_{{ name }} as segment_value,
        {% for column in columns %}{{ rows }}.{{ column }}{{ ",\n        " if not loop.last }}{% endfor %}
    from {{ rows }}
    inner join {{ codes }} as codes on {{ is_same }}
    where codes.segment_{{ name }} is not null
    {%- endfor %}
{%- endmacro %}

{# whole_and_segments of rows of references, which model and sample_hash tell. #}
{% macro reference_parts(rows, columns) -%}
    {{ whole_and_segments(
        rows, columns, ref('int_reference_codes'),
        rows ~ ".model_name = codes.model_name and " ~ rows ~ ".model_version = codes.model_version and " ~ rows ~ ".sample_hash = "
        ~ sample_hash('codes.event_id')
    ) }}
{%- endmacro %}

{# whole_and_segments of rows of windows, which their position tells. #}
{% macro window_parts(rows, columns) -%}
    {{ whole_and_segments(
        rows, columns, ref('int_predictions'),
        rows ~ ".source_id = codes.source_id and " ~ rows ~ ".partition_id = codes.partition_id and " ~ rows ~ ".position = codes.position"
    ) }}
{%- endmacro %}

{# A join that leaves out the rows that the table holds already, told by the columns `keys`. #}
{% macro unless_described(rows, keys) -%}
    {%- if is_incremental() %}
    anti join {{ this }} as described
        on
            {% for key in keys %}{{ "and " if not loop.first }}{{ rows }}.{{ key }} = described.{{ key }}
            {% endfor %}
    {%- endif %}
{%- endmacro %}

{# The days that a table has to describe (again): those whose sample has changed. #}
{% macro changed_days() -%}
    select days.*
    from (
        select
            model_name,
            model_version,
            window_start_at,
            count(*) as row_count,
            max(fold_id) as fold_id
        from {{ ref('int_samples') }}
        group by 1, 2, 3
    ) as days
    {{ unless_described('days', ['model_name', 'model_version', 'window_start_at', 'fold_id']) }}
{%- endmacro %}

{# The windows of references that a table does not describe yet, with enough rows; row_count is what is compared: its sample and the rest's. #}
{% macro new_reference_windows() -%}
    select found.*
    from (
        {%- for grain in var('vector_grains') %}
        select
            model_name,
            model_version,
            '{{ grain }}' as window_grain,
            {{ driftnet.window_start('window_start_at', grain, window_timezone()) }} as window_start_at,
            least(count(*), {{ var('embedding_sample_size') }}) + {{ var('embedding_sample_size') }} as row_count
        from {{ ref('int_reference_features') }}
        group by 1, 2, 3, 4
        having count(*) >= {{ var('window_minimum_count') }}
        {{ "union all" if not loop.last }}
        {%- endfor %}
    ) as found
    {{ unless_described('found', ['model_name', 'model_version', 'window_grain', 'window_start_at']) }}
{%- endmacro %}

{# The windows that a table has to describe (again): those of some grains whose sample has changed, with enough rows. #}
{% macro changed_windows(grains, minimum_count) -%}
    select
        windows.model_name,
        windows.model_version,
        windows.window_grain,
        windows.window_start_at,
        windows.row_count,
        windows.squared_day_sum,
        windows.sample_limit,
        windows.fold_id
    from {{ ref('int_sample_windows') }} as windows
    {{ unless_described('windows', ['model_name', 'model_version', 'window_grain', 'window_start_at', 'fold_id']) }}
    where
        windows.row_count >= {{ minimum_count }}
        and windows.window_grain in ('{{ grains | join("', '") }}')
{%- endmacro %}

{#
The numeric covariates of a row in units of the reference, in the order of the basis: a list of floats.

Parameters
    raw     a column with the list of all covariates of number_columns, in its order
    bases   a row of int_bases joined with `positions`, the place in that list of each of its features
#}
{% macro joint_row(raw, bases) -%}
    list_transform(
        range(1, len({{ bases }}.positions) + 1),
        lambda i: cast(({{ raw }}[{{ bases }}.positions[i]] - {{ bases }}.feature_means[i]) / {{ bases }}.feature_stds[i] as float)
    )
{%- endmacro %}

{# The vector of a row in the space of a basis. `rows` has raw_row (covariate_list) and embedding; `bases` is measured_bases. #}
{% macro basis_vector(rows, bases='bases') -%}
    case
        when {{ bases }}.drift_kind = 'embedding' then {{ rows }}.embedding
        else {{ joint_row(rows ~ '.raw_row', bases) }}
    end
{%- endmacro %}

{# Every basis with what basis_vector needs, and the named columns of int_bases: a query, to which a condition on `fitted` may be added. #}
{% macro measured_bases(columns, features) -%}
    select
        {% for name in ['model_name', 'model_version', 'drift_kind', 'feature_name', 'basis_id', 'feature_means', 'feature_stds'] + columns %}fitted.{{ name }},
        {% endfor -%}
        {{ covariate_positions('fitted.feature_names', features) }} as positions
    from {{ ref('int_bases') }} as fitted
{%- endmacro %}

{# All covariates of number_columns as one list. #}
{% macro covariate_list(rows, features) -%}
    [
        cast(null as double)
        {%- for name in number_columns(features) if name != 'prediction_score' %},
        {{ rows }}.{{ name }}
        {%- endfor %}
    ]
{%- endmacro %}

{# The places in covariate_list of the features that a list names. #}
{% macro covariate_positions(feature_names, features) -%}
    list_transform(
        {{ feature_names }},
        lambda name: list_position(
            [
                cast(null as varchar)
                {%- for feature in features if feature.kind != 'categorical' %},
                '{{ feature.name }}'
                {%- endfor %}
            ],
            name
        )
    )
{%- endmacro %}

{# The start of the window of a sampled day, at the grain that `window_grain` says. #}
{% macro start_at_grain(window_start_at, model_name, window_grain, grains) -%}
    case {{ window_grain }}
        {%- for grain in grains %}
        when '{{ grain }}' then {{ driftnet.window_start(window_start_at, grain, window_timezone(model_name)) }}
        {%- endfor %}
    end
{%- endmacro %}
