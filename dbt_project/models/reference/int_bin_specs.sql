{# One row per feature of a model version: how its values become bins, from the reference alone. #}
with reference_values as (
    select * from {{ ref('int_reference_values') }}
),

reference_halves as (
    select * from {{ ref('int_reference_halves') }}
    {{ where_version_is_new() }}
),

features as (
    select * from {{ ref('stg_features') }}
),

categories as (
    select * from {{ ref('int_bin_categories') }}
),

-- what is binned: the features, then the score and the decision, then the label where the reference has labels
binned as (
    select
        reference_halves.model_name,
        reference_halves.model_version,
        'covariate' as drift_kind,
        lower(features.feature_name) as feature_name,
        features.feature_kind,
        reference_halves.is_split_by_days
    from reference_halves
    inner join features
        on
            reference_halves.model_name = features.model_name
            and reference_halves.model_version = features.model_version
    union all
    select
        reference_halves.model_name,
        reference_halves.model_version,
        'prediction' as drift_kind,
        predictions.feature_name,
        predictions.feature_kind,
        reference_halves.is_split_by_days
    from reference_halves
    cross join (values ('score', 'numeric'), ('decision', 'boolean')) as predictions (feature_name, feature_kind)
    union all
    select
        model_name,
        model_version,
        'label' as drift_kind,
        'label' as feature_name,
        'boolean' as feature_kind,
        is_split_by_days
    from reference_halves
    where labelled_count > 0
),

numbers as (
    select
        binned.model_name,
        binned.model_version,
        binned.drift_kind,
        binned.feature_name,
        reference_values.number_value,
        count(*) as row_count
    from binned
    inner join reference_values
        on
            binned.model_name = reference_values.model_name
            and binned.model_version = reference_values.model_version
            and binned.drift_kind = reference_values.drift_kind
            and binned.feature_name = reference_values.feature_name
    where binned.feature_kind = 'numeric' and reference_values.number_value is not null
    group by 1, 2, 3, 4, 5
),

sizes as (
    select
        model_name,
        model_version,
        drift_kind,
        feature_name,
        greatest(2, least({{ var('bins') }}, floor(sum(row_count) / {{ var('rows_per_bin') }}))) as bin_count,
        sum(row_count) as row_count
    from numbers
    group by 1, 2, 3, 4
),

-- a value that fills a bin by itself has a bin of its own
parted as (
    select
        numbers.model_name,
        numbers.model_version,
        numbers.drift_kind,
        numbers.feature_name,
        numbers.number_value,
        numbers.row_count,
        sizes.bin_count,
        numbers.row_count * sizes.bin_count >= sizes.row_count as is_atom
    from numbers
    inner join sizes
        on
            numbers.model_name = sizes.model_name
            and numbers.model_version = sizes.model_version
            and numbers.drift_kind = sizes.drift_kind
            and numbers.feature_name = sizes.feature_name
),

atoms as (
    select
        model_name,
        model_version,
        drift_kind,
        feature_name,
        list(number_value order by number_value) as atoms
    from parted
    where is_atom
    group by 1, 2, 3, 4
),

-- the quantiles of the other rows: the least value with at least i/B of them at or below it
cumulated as (
    select
        model_name,
        model_version,
        drift_kind,
        feature_name,
        number_value,
        bin_count,
        row_count,
        sum(row_count) over (
            partition by model_name, model_version, drift_kind, feature_name
            order by number_value asc
        ) as rows_upto,
        sum(row_count) over (
            partition by model_name, model_version, drift_kind, feature_name
        ) as all_rows
    from parted
    where not is_atom
),

edges as (
    select
        model_name,
        model_version,
        drift_kind,
        feature_name,
        list(number_value order by number_value) as edges
    from cumulated
    where
        -- the value at which the count passes a multiple of all_rows / bin_count
        floor(rows_upto * bin_count / all_rows) > floor((rows_upto - row_count) * bin_count / all_rows)
        -- above the greatest value there is nothing to count
        and rows_upto < all_rows
    group by 1, 2, 3, 4
),

category_lists as (
    select
        model_name,
        model_version,
        'covariate' as drift_kind,
        feature_name,
        list(category order by bin_index) filter (where bin_index < {{ bin_code('other') }}) as categories,
        -- what `other` means depends on all categories that were seen
        md5(string_agg(category, chr(31) order by category)) as seen_hash
    from categories
    group by 1, 2, 3, 4
),

specs as (
    select
        binned.model_name,
        binned.model_version,
        binned.drift_kind,
        binned.feature_name,
        binned.feature_kind,
        binned.is_split_by_days,
        case
            when binned.feature_kind = 'numeric' then coalesce(edges.edges, cast([] as double[]))
        end as edges,
        case
            when binned.feature_kind = 'numeric' then coalesce(atoms.atoms, cast([] as double[]))
        end as atoms,
        case
            when binned.feature_kind = 'categorical' then coalesce(category_lists.categories, cast([] as varchar[]))
        end as categories,
        category_lists.seen_hash
    from binned
    left join edges
        on
            binned.model_name = edges.model_name
            and binned.model_version = edges.model_version
            and binned.drift_kind = edges.drift_kind
            and binned.feature_name = edges.feature_name
    left join atoms
        on
            binned.model_name = atoms.model_name
            and binned.model_version = atoms.model_version
            and binned.drift_kind = atoms.drift_kind
            and binned.feature_name = atoms.feature_name
    left join category_lists
        on
            binned.model_name = category_lists.model_name
            and binned.model_version = category_lists.model_version
            and binned.drift_kind = category_lists.drift_kind
            and binned.feature_name = category_lists.feature_name
),

hashed as (
    select
        model_name,
        model_version,
        drift_kind,
        feature_name,
        feature_kind,
        md5(
            concat_ws(
                chr(30),
                drift_kind,
                feature_name,
                feature_kind,
                cast(is_split_by_days as varchar),
                cast(edges as varchar),
                cast(atoms as varchar),
                cast(categories as varchar),
                seen_hash
            )
        ) as bin_spec_id,
        edges,
        atoms,
        categories,
        is_split_by_days
    from specs
)

select * from hashed
