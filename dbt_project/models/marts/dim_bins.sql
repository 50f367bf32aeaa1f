{# One row per bin of a bin spec, and how many reference rows are in it. #}
with bin_specs as (
    select * from {{ ref('int_bin_specs') }}
),

histograms as (
    select * from {{ ref('int_reference_histograms') }}
),

range_numbers as (
    select
        model_name,
        model_version,
        drift_kind,
        feature_name,
        bin_spec_id,
        edges,
        unnest(range(len(edges) + 1)) as bin_index
    from bin_specs
    where feature_kind = 'numeric'
),

ranges as (
    select
        model_name,
        model_version,
        drift_kind,
        feature_name,
        bin_spec_id,
        bin_index,
        'range' as bin_kind,
        edges[bin_index] as lower_bound,
        edges[bin_index + 1] as upper_bound,
        cast(null as varchar) as category
    from range_numbers
),

numbered_atoms as (
    select
        model_name,
        model_version,
        drift_kind,
        feature_name,
        bin_spec_id,
        atoms,
        len(edges) as edge_count,
        unnest(range(1, len(atoms) + 1)) as atom_number
    from bin_specs
    where feature_kind = 'numeric'
),

atoms as (
    select
        model_name,
        model_version,
        drift_kind,
        feature_name,
        bin_spec_id,
        edge_count + atom_number as bin_index,
        'value' as bin_kind,
        atoms[atom_number] as lower_bound,
        atoms[atom_number] as upper_bound,
        cast(null as varchar) as category
    from numbered_atoms
),

truths as (
    select
        bin_specs.model_name,
        bin_specs.model_version,
        bin_specs.drift_kind,
        bin_specs.feature_name,
        bin_specs.bin_spec_id,
        truth_values.bin_index,
        'value' as bin_kind,
        cast(null as double) as lower_bound,
        cast(null as double) as upper_bound,
        truth_values.category
    from bin_specs
    cross join (values (0, 'false'), (1, 'true')) as truth_values (bin_index, category)
    where bin_specs.feature_kind = 'boolean'
),

numbered_categories as (
    select
        model_name,
        model_version,
        drift_kind,
        feature_name,
        bin_spec_id,
        categories,
        unnest(range(1, len(categories) + 1)) as category_number
    from bin_specs
    where feature_kind = 'categorical'
),

categories as (
    select
        model_name,
        model_version,
        drift_kind,
        feature_name,
        bin_spec_id,
        category_number - 1 as bin_index,
        'category' as bin_kind,
        cast(null as double) as lower_bound,
        cast(null as double) as upper_bound,
        categories[category_number] as category
    from numbered_categories
),

-- the bins that a feature has whatever its reference holds
remainders as (
    select
        bin_specs.model_name,
        bin_specs.model_version,
        bin_specs.drift_kind,
        bin_specs.feature_name,
        bin_specs.bin_spec_id,
        remainder_kinds.bin_index,
        remainder_kinds.bin_kind,
        cast(null as double) as lower_bound,
        cast(null as double) as upper_bound,
        cast(null as varchar) as category
    from bin_specs
    cross join (
        values
        ({{ bin_code('other') }}, 'other'),
        ({{ bin_code('new') }}, 'new'),
        ({{ bin_code('unreadable') }}, 'unreadable'),
        ({{ bin_code('null') }}, 'null')
    ) as remainder_kinds (bin_index, bin_kind)
    where
        bin_specs.drift_kind = 'covariate'
        and (bin_specs.feature_kind = 'categorical' or remainder_kinds.bin_kind in ('unreadable', 'null'))
),

bins as (
    select * from ranges
    union all
    select * from atoms
    union all
    select * from truths
    union all
    select * from categories
    union all
    select * from remainders
),

reference_counts as (
    select
        model_name,
        model_version,
        segment_name,
        segment_value,
        drift_kind,
        feature_name,
        bin_index,
        cast(sum(event_count) as bigint) as reference_count
    from histograms
    group by 1, 2, 3, 4, 5, 6, 7
),

-- the segments that the reference has use the bins of the whole
segments as (
    select distinct
        model_name,
        model_version,
        segment_name,
        segment_value
    from histograms
),

labelled as (
    select
        bins.bin_spec_id,
        bins.model_name,
        bins.model_version,
        segments.segment_name,
        segments.segment_value,
        bins.drift_kind,
        bins.feature_name,
        cast(bins.bin_index as integer) as bin_index,
        case bins.bin_kind
            when 'range' then {{ range_label('bins.lower_bound', 'bins.upper_bound') }}
            when 'value' then coalesce(bins.category, {{ number_label('bins.lower_bound') }})
            when 'category' then bins.category
            when 'unreadable' then 'not readable'
            else bins.bin_kind
        end as bin_label,
        bins.bin_kind,
        bins.category,
        bins.lower_bound,
        bins.upper_bound,
        coalesce(reference_counts.reference_count, 0) as reference_count
    from bins
    inner join segments
        on
            bins.model_name = segments.model_name
            and bins.model_version = segments.model_version
    left join reference_counts
        on
            bins.model_name = reference_counts.model_name
            and bins.model_version = reference_counts.model_version
            and segments.segment_name = reference_counts.segment_name
            and segments.segment_value = reference_counts.segment_value
            and bins.drift_kind = reference_counts.drift_kind
            and bins.feature_name = reference_counts.feature_name
            and bins.bin_index = reference_counts.bin_index
)

select * from labelled
