{#
What each bin contributes to the distance of two histograms: a query, one row per row of `bins`.

Parameters
    bins        a relation (or CTE) with one row per bin of a histogram, empty bins included, and the columns
                reference_count and current_count (rows, >= 0)
    by          names of the columns that say which histogram a row belongs to
    carry       names of further columns to pass on
    smoothing   pseudo-count of the smoothed shares (see smoothed_share)
Returns
    by, carry, reference_count, current_count, reference_share, current_share, pooled_share (raw, 0..1; of both sides
    together), psi_part, kl_part (nats), js_part (bits), chi_square_part. A bin that is empty on both sides contributes 0. Where one side has no row at
    all, its shares and all parts are NULL.
Errors
    none: empty histograms give NULL
Source
    psi_part, kl_part, js_part, chi_square_part
#}
{% macro bin_parts(bins, by, carry=[], smoothing=0.5) -%}
{%- set key = by | join(', ') -%}
{%- set columns = (by + carry) | join(', ') -%}
    select
        {{ columns }},
        reference_count,
        current_count,
        reference_share,
        current_share,
        pooled_share,
        case when is_empty then 0.0 else {{ driftnet.psi_part('smoothed_reference', 'smoothed_current') }} end as psi_part,
        case when is_empty then 0.0 else {{ driftnet.kl_part('smoothed_reference', 'smoothed_current') }} end as kl_part,
        {{ driftnet.js_part('reference_share', 'current_share', 'share_sum', 'share_contrast') }} as js_part,
        case
            when is_empty then 0.0
            else {{ driftnet.chi_square_part('reference_count', 'current_count', 'reference_total', 'current_total') }}
        end as chi_square_part
    from (
        select
            {{ columns }},
            reference_count,
            current_count,
            reference_total,
            current_total,
            reference_share,
            current_share,
            (reference_count + current_count) / (cast(reference_total as double) + current_total) as pooled_share,
            {{ driftnet.smoothed_share('reference_count', 'reference_total', 'bin_count', smoothing) }} as smoothed_reference,
            {{ driftnet.smoothed_share('current_count', 'current_total', 'bin_count', smoothing) }} as smoothed_current,
            reference_share + current_share as share_sum,
            (reference_share - current_share) / nullif(reference_share + current_share, 0) as share_contrast,
            reference_share + current_share = 0 as is_empty
        from (
            select
                {{ columns }},
                reference_count,
                current_count,
                reference_total,
                current_total,
                bin_count,
                reference_count / cast(reference_total as double) as reference_share,
                current_count / cast(current_total as double) as current_share
            from (
                select
                    {{ columns }},
                    reference_count,
                    current_count,
                    nullif(sum(reference_count) over (partition by {{ key }}), 0) as reference_total,
                    nullif(sum(current_count) over (partition by {{ key }}), 0) as current_total,
                    count(nullif(reference_count + current_count, 0)) over (partition by {{ key }}) as bin_count
                from {{ bins }}
            ) as totals
        ) as shares
    ) as contrasts
{%- endmacro %}
