"""The whole drift report of two Parquet files, by the package's macros in one DuckDB.

Run as a process of its own: `python -m tests.bench._ours REFERENCE CURRENT MEMORY_LIMIT`. It prints
how many histograms it compared.
"""

import sys

import duckdb

from tests.bench._columns import CATEGORIES, NUMBERS
from tests.sql.rendered import package

METRICS = [
    *("psi", "kl_divergence", "js_distance", "hellinger"),
    *("total_variation", "l_infinity", "chi_square", "cramers_v"),
]


def report(reference: str, current: str, memory_limit: str) -> int:
    """Compare the whole and every day: all metrics, expectation, p and q; return the row count."""
    macros = package()
    connection = duckdb.connect()
    connection.execute(f"set memory_limit = '{memory_limit}'; set preserve_insertion_order = false")
    connection.execute(f"create view reference_rows as from read_parquet('{reference}')")
    connection.execute(f"create view current_rows as from read_parquet('{current}')")
    connection.execute(
        f"create table sampled as select {', '.join(NUMBERS)} from reference_rows"
        " using sample reservoir(50000 rows) repeatable (42)"
    )
    found = connection.execute(macros.quantile_edges("sampled", NUMBERS)).fetchone()
    edges = dict(zip(NUMBERS, found or (), strict=True))
    for side in ("reference", "current"):
        rows = f"{side}_rows"
        connection.execute(
            f"""create table {side}_bins as
            select group_1 as day, feature_name, cast(bin_index as varchar) as bin,
                event_count from ({macros.count_bins(rows, NUMBERS, edges, ["day"])})
            union all
            select group_1, feature_name, coalesce('=' || category, 'null'), event_count
            from ({macros.count_categories(rows, CATEGORIES, ["day"])})"""
        )
    # categories are chosen on even days and counted on odd ones
    connection.execute(
        """create table kept as
        select feature_name, bin,
            row_number() over (partition by feature_name order by sum(event_count) desc, bin)
            <= 50 as is_kept
        from reference_bins where bin[1] = '=' and day % 2 = 0 group by feature_name, bin"""
    )
    for side in ("reference", "current"):
        honest = "and day % 2 = 1" if side == "reference" else ""
        connection.execute(
            f"""create table {side}_counts as
            select day, feature_name, bin, event_count from {side}_bins where bin[1] != '='
            union all
            select day, {side}_bins.feature_name,
                case when is_kept then {side}_bins.bin when kept.bin is null then 'new'
                else 'other' end, sum(event_count)
            from {side}_bins left join kept
                on {side}_bins.feature_name = kept.feature_name and {side}_bins.bin = kept.bin
            where {side}_bins.bin[1] = '=' {honest}
            group by 1, 2, 3"""
        )
    connection.execute(
        """create table compared as
        with reference_bins as (
            select feature_name, bin, sum(event_count) as n from reference_counts group by 1, 2
        ),
        current_bins as (
            select -1 as day, feature_name, bin, sum(event_count) as m from current_counts
            group by 2, 3
            union all
            select day, feature_name, bin, sum(event_count) from current_counts group by 1, 2, 3
        ),
        days as (select distinct day from current_bins),
        bins as (
            select day, feature_name, bin from days cross join reference_bins
            union select day, feature_name, bin from current_bins
        )
        select bins.day, bins.feature_name, bins.bin,
            cast(coalesce(n, 0) as bigint) as reference_count,
            cast(coalesce(m, 0) as bigint) as current_count
        from bins left join reference_bins using (feature_name, bin)
        left join current_bins using (day, feature_name, bin)"""
    )
    key = ["day", "feature_name"]
    made = [*key, *METRICS, "expected_psi", "detectable_psi"]
    columns = [*made, "p_value"]
    variance = "(1.0 / reference_count + 1.0 / current_count)"
    psi = (variance, "degrees_of_freedom", "1", "false")
    statistic = "chi_square * 2 * pearson_mean / nullif(pearson_variance, 0)"
    freedom = "2 * pearson_mean * pearson_mean / nullif(pearson_variance, 0)"
    # the tail in SQL alone, as in the macros of the published file
    connection.execute(
        f"""create table report as
        with parts as ({macros.bin_parts("compared", by=key)}),
        distances as ({macros.drift_statistics("parts", by=key)}),
        deviates as (
            select {", ".join([*key, *METRICS])},
                {macros.expected_effect(*psi)} as expected_psi,
                {macros.detectable_effect(*psi)} as detectable_psi,
                {macros.chi2_deviate(statistic, freedom)} as deviate
            from distances
        ),
        tests as (
            select {", ".join(made)}, {macros.normal_tail("deviate")} as p_value from deviates
        )
        {macros.benjamini_hochberg("tests", family=["day"], columns=columns)}"""
    )
    found = connection.execute("select count(*) from report where psi is not null").fetchone()
    return int(found[0]) if found else 0


if __name__ == "__main__":
    print(report(*sys.argv[1:4]))
