"""The package's macros run on tables of counts in this process.

What dbt makes of them is tested by a project of its own (`stranger`); here they answer in
milliseconds, so that thousands of tables can be tried.
"""

from typing import Any, cast

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tests.sql.rendered import package
from udfs.registry import REGISTRY

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
METRICS = {
    "psi": ("1", "false"),
    "kl_divergence": ("2", "false"),
    "js_distance": ("8 * ln(2)", "true"),
    "hellinger": ("8", "true"),
    "total_variation": ("null", "false"),
    "l_infinity": ("null", "false"),
    "chi_square": ("null", "false"),
    "cramers_v": ("4", "true"),
}


def connect() -> duckdb.DuckDBPyConnection:
    """Return a connection that knows the registered functions."""
    connection: Any = duckdb.connect()
    for function in REGISTRY:
        if function.name in {"chi2_sf", "noncentral_chi2_isf"}:
            connection.create_function(
                function.name,
                function.arrow(),
                [kind for _, kind in function.parameters],
                function.returns,
                type="arrow",
                null_handling="special",
            )
    return cast(duckdb.DuckDBPyConnection, connection)


def bins_table(reference: Counts, current: Counts, families: Counts | None = None) -> pa.Table:
    """Return one row per case and bin of two (cases, bins) tables; -1 in `reference` is no bin."""
    cases, width = reference.shape
    kept = reference.ravel() >= 0
    family = np.zeros(cases, dtype=np.int64) if families is None else families
    return pa.table(
        {
            "case_id": np.repeat(np.arange(cases), width)[kept],
            "family_id": np.repeat(family, width)[kept],
            "bin_index": np.tile(np.arange(width), cases)[kept],
            "reference_count": reference.ravel()[kept],
            "current_count": current.ravel()[kept],
        }
    )


def statistics(
    reference: Counts,
    current: Counts,
    design_effect: Floats | None = None,
    families: Counts | None = None,
) -> dict[str, Floats]:
    """Compare histograms, one a row, and return each column of the answer by case.

    Parameters
    ----------
    reference, current : array of shape (cases, bins)
        Counts; a reference count of -1 leaves the bin out.
    design_effect : array of shape (cases,)
        By how much the sampling variance is inflated; 1 when left out.
    families : array of shape (cases,)
        Which family of tests a case is of; one for all when left out.
    """
    macros = package()
    effects = np.ones(len(reference)) if design_effect is None else design_effect
    key = ["family_id", "case_id"]
    laws = [
        f"{macros.expected_effect('a', 'degrees_of_freedom', k, root)} as expected_{name},"
        f"{macros.detectable_effect('a', 'degrees_of_freedom', k, root)} as detectable_{name},"
        f"{macros.fail_bound('0.1', 'a', 'degrees_of_freedom', k, root)} as fail_{name},"
        for name, (k, root) in METRICS.items()
        if k != "null"
    ]
    columns = [
        *("reference_count", "current_count", "bin_count", "degrees_of_freedom"),
        *(*METRICS, "pooled_deviation", "pearson_mean", "pearson_variance", "a", "p_value"),
        "approximate_p_value",
    ]
    sql = f"""
        with parts as ({macros.bin_parts("bins", by=key, carry=["bin_index"])}),
        distances as ({macros.drift_statistics("parts", by=key)}),
        varied as (
            select distances.*, effects.design_effect,
                effects.design_effect * (1.0 / nullif(reference_count, 0)
                + 1.0 / nullif(current_count, 0)) as a
            from distances inner join effects on distances.case_id = effects.case_id
        ),
        scaled as (
            select *,
                chi_square / design_effect * 2 * pearson_mean / nullif(pearson_variance, 0) as x,
                2 * pearson_mean * pearson_mean / nullif(pearson_variance, 0) as f
            from varied
        ),
        tests as (
            select *, {
        macros.pearson_p_value(
            "chi_square", "design_effect", "bin_count", "pearson_mean", "pearson_variance"
        )
    } as p_value, case when f > 0 then {macros.chi2_tail("x", "f")} end as approximate_p_value
            from scaled
        ),
        corrected as ({
        macros.benjamini_hochberg("tests", family=["family_id"], columns=key + columns)
    })
        select {", ".join(columns)}, {" ".join(laws)}
            {macros.expected_total_variation("a", "pooled_deviation")} as expected_total_variation,
            q_value
        from corrected order by case_id
    """
    connection = connect()
    connection.register("bins", bins_table(reference, current, families))
    connection.register(
        "effects",
        pa.table({"case_id": np.arange(len(effects)), "design_effect": effects.astype(np.float64)}),
    )
    found = connection.execute(sql).fetchnumpy()
    return {
        name: np.ma.filled(np.ma.asarray(column, dtype=np.float64), np.nan)
        for name, column in found.items()
    }


def parts(reference: Counts, current: Counts) -> pa.Table:
    """Return what each bin adds: case_id, bin_index and the parts, in order."""
    connection = connect()
    connection.register("bins", bins_table(reference, current))
    sql = package().bin_parts("bins", by=["case_id"], carry=["bin_index"])
    return connection.sql(f"select * from ({sql}) order by case_id, bin_index").to_arrow_table()
