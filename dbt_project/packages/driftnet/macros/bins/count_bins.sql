{#
Edges of numeric features, from one relation alone: a query of one row, with a list of ascending edges per feature.

    the distinct quantiles at i / bins of the rows that are not NULL or NaN, without the greatest value

Parameters
    relation   a relation (or CTE)
    features   names of numeric columns
    bins       how many ranges are wanted, >= 2
Returns
    <feature>_edges (double[]) for each feature; an empty list where there is no value
Errors
    none
Source
    bins from the reference alone: Siddiqi (2006), Credit Risk Scorecards
#}
{% macro quantile_edges(relation, features, bins=10) -%}
    {{ return(adapter.dispatch('quantile_edges', 'driftnet')(relation, features, bins)) }}
{%- endmacro %}

{# DuckDB's quantile_disc takes a list of shares, and its lists sort themselves. #}
{% macro default__quantile_edges(relation, features, bins) -%}
    {%- set shares = [] -%}
    {%- for number in range(1, bins) -%}{%- do shares.append(number / bins) -%}{%- endfor -%}
    select
        {%- for feature in features %}
        list_filter(
            list_sort(list_distinct(coalesce(
                quantile_disc(cast({{ feature }} as double), {{ shares }}) filter (where isfinite(cast({{ feature }} as double))),
                cast([] as double[])
            ))),
            lambda edge: edge < {{ feature }}_greatest
        ) as {{ feature }}_edges{{ "," if not loop.last }}
        {%- endfor %}
    from {{ relation }}
    cross join (
        select
            {%- for feature in features %}
            max(cast({{ feature }} as double)) filter (where isfinite(cast({{ feature }} as double))) as {{ feature }}_greatest{{ "," if not loop.last }}
            {%- endfor %}
        from {{ relation }}
    ) as greatest_values
    group by {% for feature in features %}{{ feature }}_greatest{{ ", " if not loop.last }}{% endfor %}
{%- endmacro %}

{#
Counts of numeric features by bin in one scan of a relation: a query, one row per group, feature and bin that holds a row.

A row falls into bin i when i edges lie below its value (lower open, upper closed); NULL, NaN and infinite values are bin 255.

Parameters
    relation   a relation (or CTE)
    features   names of numeric columns
    edges      a mapping of feature to ascending list of finite edges, such as a row of quantile_edges has them: constants, not columns
    by         expressions by which rows are grouped, such as a day; at least one
Returns
    group_1, group_2, ... (the expressions of by), feature_name, bin_index, event_count (rows, > 0)
Errors
    none
Source
    at 10 bins counting the rows below each edge costs two thirds of histogram(column, edges), and less than a code per row (reports/benchmarks.md)
#}
{% macro count_bins(relation, features, edges, by) -%}
    {{ return(adapter.dispatch('count_bins', 'driftnet')(relation, features, edges, by)) }}
{%- endmacro %}

{#- Comparing whole vectors of numbers with a constant costs DuckDB less than finding the bin of each. NaN lies above all numbers there. -#}
{% macro default__count_bins(relation, features, edges, by) -%}
    {%- set groups = [] -%}
    {%- for expression in by -%}{%- do groups.append('group_' ~ loop.index) -%}{%- endfor -%}
    {%- set greatest_number = "cast('1.7976931348623157e308' as double)" -%}
    -- how many rows of each feature are minus infinity, at or below each edge, and below infinity
    with wide as (
        select
            {%- for expression in by %}
            {{ expression }} as group_{{ loop.index }},
            {%- endfor %}
            count(*) as row_count,
            {%- for feature in features %}
            {%- set number = 'cast(' ~ feature ~ ' as double)' %}
            [
                count_if({{ number }} < -{{ greatest_number }}),
                {%- for edge in edges[feature] %}
                count_if({{ number }} <= cast('{{ edge }}' as double)),
                {%- endfor %}
                count_if({{ number }} <= {{ greatest_number }})
            ] as {{ feature }}{{ "," if not loop.last }}
            {%- endfor %}
        from {{ relation }}
        group by {{ groups | join(', ') }}
    ),

    long as (
        {{ driftnet.unpivot('wide', keep=groups + ['row_count'], columns=features, name='feature_name', value='below_counts') }}
    ),

    bins as (
        select
            {{ groups | join(', ') }},
            feature_name,
            unnest(range(len(below_counts) - 1)) as bin_index,
            unnest(list_transform(range(1, len(below_counts)), lambda place: below_counts[place + 1] - below_counts[place])) as event_count
        from long
        union all
        select
            {{ groups | join(', ') }},
            feature_name,
            255 as bin_index,
            row_count - (below_counts[-1] - below_counts[1]) as event_count
        from long
    )

    select
        {{ groups | join(', ') }},
        feature_name,
        bin_index,
        cast(event_count as bigint) as event_count
    from bins
    where event_count > 0
{%- endmacro %}

{#
Counts of categorical features in one scan of a relation: a query, one row per group, feature and value that occurs.

Parameters
    relation   a relation (or CTE)
    features   names of columns
    by         expressions by which rows are grouped, at least one
Returns
    group_1, group_2, ... (the expressions of by), feature_name, category (text; NULL for no value), event_count (rows, > 0)
Errors
    none
Source
    grouping sets over all columns at once cost a quarter of a raw scan (measured)
#}
{% macro count_categories(relation, features, by) -%}
    {%- set groups = [] -%}
    {%- for expression in by -%}{%- do groups.append('group_' ~ loop.index) -%}{%- endfor -%}
    select
        {{ groups | join(', ') }},
        case
            {%- for feature in features %}
            when grouping({{ feature }}) = 0 then '{{ feature }}'
            {%- endfor %}
        end as feature_name,
        case
            {%- for feature in features %}
            when grouping({{ feature }}) = 0 then cast({{ feature }} as varchar)
            {%- endfor %}
        end as category,
        count(*) as event_count
    from (
        select
            {%- for expression in by %}
            {{ expression }} as group_{{ loop.index }},
            {%- endfor %}
            {{ features | join(', ') }}
        from {{ relation }}
    ) as grouped
    group by grouping sets (
        {%- for feature in features %}
        ({{ groups | join(', ') }}, {{ feature }}){{ "," if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}
