"""Small marts with known numbers: what the gate and the page read, made without dbt.

A warehouse here is a DuckDB file with tables of the contract's columns. Counts are drawn from a
seeded multinomial; psi, js and chi-square are computed from them, so the parts of the bins sum to
the scores and severities follow from bounds, as in the real marts.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from reports.rows import Query

ALPHA = 0.05
WEEK = timedelta(days=7)
FIRST = datetime(2021, 6, 7)
HOSTILE_LABELS = (
    "<script>alert('bin')</script>",
    "javascript:alert(1)",
    "http://paypal-login.evil.example/verify?id=1",
    '" onmouseover="alert(2)',
)
HOSTILE_MODEL = "<img src=x onerror=alert(3)>"

TABLES: dict[str, str] = {
    "dim_models": """model_name varchar, model_version varchar, kind varchar, is_champion boolean,
        created_at timestamp, threshold double, embedding_dimension integer,
        reference_from timestamp, reference_until timestamp, reference_count bigint,
        feature_count bigint, window_timezone varchar""",
    "dim_features": """model_name varchar, model_version varchar, drift_kind varchar,
        feature_name varchar, feature_kind varchar, unit varchar, description varchar,
        bin_spec_id varchar, reference_count bigint, rho double, block_count bigint,
        has_design_effect boolean""",
    "fct_histogram_bins": """model_name varchar, model_version varchar, window_grain varchar,
        window_start_at timestamp, segment_name varchar, segment_value varchar,
        drift_kind varchar, feature_name varchar, bin_index integer, bin_spec_id varchar,
        event_count bigint, labelled_count bigint, positive_count bigint, score_sum double""",
    "fct_drift_metrics": """model_name varchar, model_version varchar, window_grain varchar,
        window_start_at timestamp, window_end_at timestamp, is_complete boolean,
        reference_kind varchar, segment_name varchar, segment_value varchar, drift_kind varchar,
        feature_name varchar, metric_name varchar, metric_value double, expected_value double,
        min_detectable_value double, p_value double, q_value double, design_effect double,
        has_design_effect boolean, warn_bound double, fail_bound double, bound_kind varchar,
        is_decision boolean, is_significant boolean, is_breach boolean, severity integer,
        reference_count bigint, current_count bigint, reference_is_small boolean,
        bin_spec_id varchar, invocation_id varchar, computed_at timestamp, fold_id bigint""",
    "fct_drift_bins": """model_name varchar, model_version varchar, window_grain varchar,
        window_start_at timestamp, reference_kind varchar, segment_name varchar,
        segment_value varchar, drift_kind varchar, feature_name varchar, bin_index integer,
        bin_label varchar, bin_kind varchar, reference_count bigint, current_count bigint,
        reference_share double, current_share double, psi_part double, js_part double,
        chi_square_part double, bin_spec_id varchar""",
}


@dataclass(frozen=True)
class Shape:
    """A feature: its bins, its reference shares, and the shares from a window on."""

    name: str
    labels: tuple[str, ...]
    shares: tuple[float, ...]
    kind: str = "numeric"
    drift_kind: str = "covariate"
    bin_kinds: tuple[str, ...] = ()
    moved_from: int | None = None
    moved_shares: tuple[float, ...] = ()
    description: str = "A number of the event."
    unit: str = "count"


@dataclass(frozen=True)
class Model:
    """A model version and the weeks that its marts hold."""

    name: str
    version: str
    shapes: tuple[Shape, ...]
    week_count: int
    event_count: int = 4000
    reference_count: int = 20000
    incomplete_count: int = 0
    unjudged_count: int = 0
    seed: int = 1


@dataclass(frozen=True)
class Marts:
    """A closed DuckDB file and the way to ask it."""

    path: Path
    query: Query
    models: Mapping[str, Model] = field(default_factory=dict)


def _tenths(*, name: str, **more: object) -> Shape:
    labels = tuple(f"({i / 10:.1f}, {(i + 1) / 10:.1f}]" for i in range(10))
    shape = Shape(name, labels, (0.1,) * 10, bin_kinds=("range",) * 10)
    return replace(shape, **more)  # type: ignore[arg-type]


UP = (0.02, 0.02, 0.03, 0.05, 0.08, 0.1, 0.12, 0.14, 0.19, 0.25)
UP_A_LITTLE = (0.05, 0.06, 0.07, 0.08, 0.1, 0.1, 0.11, 0.13, 0.14, 0.16)

DRIFTING = (
    _tenths(name="host_length", moved_from=9, moved_shares=UP, unit="characters"),
    _tenths(name="path_depth", moved_from=10, moved_shares=UP_A_LITTLE),
    _tenths(name="digit_share"),
    Shape(
        "public_suffix",
        ("com", "net", "org", "other", "new", *HOSTILE_LABELS),
        (0.6, 0.15, 0.1, 0.05, 0.02, 0.02, 0.02, 0.02, 0.02),
        kind="categorical",
        bin_kinds=("category",) * 3 + ("other", "new") + ("category",) * 4,
        moved_from=10,
        moved_shares=(0.4, 0.1, 0.05, 0.05, 0.3, 0.03, 0.02, 0.02, 0.03),
        description="The end of the host <b>name</b>.",
        unit="",
    ),
    Shape(
        "age_days",
        ("[0, 10]", "(10, 20]", "no value"),
        (0.5, 0.4, 0.1),
        bin_kinds=("range", "range", "null"),
    ),
    _tenths(
        name="score", drift_kind="prediction", moved_from=11, moved_shares=UP, unit="probability"
    ),
    Shape(
        "decision",
        ("false", "true"),
        (0.8, 0.2),
        kind="boolean",
        drift_kind="prediction",
        bin_kinds=("value", "value"),
    ),
)
STEADY = tuple(replace(shape, moved_from=None) for shape in DRIFTING)


def _metric_values(x: np.ndarray, y: np.ndarray) -> dict[str, tuple[float, np.ndarray, float]]:
    """Value, parts and expected value of each metric from two rows of counts."""
    n, m = x.sum(), y.sum()
    seen = (x + y) > 0
    df = seen.sum() - 1
    a = 1 / n + 1 / m
    p = np.where(seen, (x + 0.5) / (n + 0.5 * (df + 1)), 0)
    q = np.where(seen, (y + 0.5) / (m + 0.5 * (df + 1)), 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        psi = np.where(seen, (q - p) * np.log(np.where(seen, q / p, 1)), 0)
        rp, rq = x / n, y / m
        mid = (rp + rq) / 2
        js = 0.5 * np.where(rp > 0, rp * np.log2(rp / mid), 0)
        js = js + 0.5 * np.where(rq > 0, rq * np.log2(rq / mid), 0)
        chi = np.where(seen, (x * m - y * n) ** 2 / np.where(seen, x + y, 1) / (n * m), 0)
    return {
        "psi": (float(psi.sum()), psi, float(a * df)),
        "js_distance": (
            float(np.sqrt(max(js.sum(), 0))),
            js,
            float(np.sqrt(a * (df - 0.5) / 5.545)),
        ),
        "chi_square": (float(chi.sum()), chi, float(df)),
    }


def _q_values(p: Sequence[float]) -> np.ndarray:
    return np.asarray(stats.false_discovery_control(np.asarray(p)))


def _rows_of(model: Model, tables: dict[str, list[dict[str, object]]]) -> None:
    rng = np.random.default_rng(model.seed)
    key = {"model_name": model.name, "model_version": model.version}
    spec = {shape.name: f"spec-{model.version}-{shape.name}" for shape in model.shapes}
    tables["dim_models"].append(
        key
        | {
            "kind": "trained",
            "is_champion": True,
            "created_at": FIRST,
            "threshold": 0.5,
            "embedding_dimension": 0,
            "reference_from": FIRST - 10 * WEEK,
            "reference_until": FIRST - WEEK,
            "reference_count": model.reference_count,
            "feature_count": sum(s.drift_kind == "covariate" for s in model.shapes),
            "window_timezone": "UTC",
        }
    )
    references = {}
    for shape in model.shapes:
        references[shape.name] = rng.multinomial(model.reference_count, shape.shares)
        tables["dim_features"].append(
            key
            | {
                "drift_kind": shape.drift_kind,
                "feature_name": shape.name,
                "feature_kind": shape.kind,
                "unit": shape.unit,
                "description": shape.description,
                "bin_spec_id": spec[shape.name],
                "reference_count": model.reference_count,
                "rho": 0.001,
                "block_count": 70,
                "has_design_effect": True,
            }
        )
    for week in range(model.week_count + model.unjudged_count):
        start = FIRST + week * WEEK
        window = key | {"window_grain": "week", "window_start_at": start}
        whole = {"segment_name": "all", "segment_value": "all"}
        judged = week < model.week_count
        of_week: list[dict[str, object]] = []
        for shape in model.shapes:
            moved = shape.moved_from is not None and week >= shape.moved_from
            count = model.event_count if judged else 40
            y = rng.multinomial(count, shape.moved_shares if moved else shape.shares)
            feature = {"drift_kind": shape.drift_kind, "feature_name": shape.name}
            tables["fct_histogram_bins"].extend(
                window
                | whole
                | feature
                | {
                    "bin_index": index,
                    "bin_spec_id": spec[shape.name],
                    "event_count": int(cell),
                    "labelled_count": 0,
                    "positive_count": 0,
                    "score_sum": 0.0,
                }
                for index, cell in enumerate(y)
                if cell
            )
            if not judged:
                continue
            x = references[shape.name]
            metrics = _metric_values(x, y)
            of_week.extend(
                _metric_rows(window | {"reference_kind": "training"} | whole | feature, metrics)
            )
            tables["fct_drift_bins"].extend(
                window
                | {"reference_kind": "training"}
                | whole
                | feature
                | {
                    "bin_index": index,
                    "bin_label": label,
                    "bin_kind": shape.bin_kinds[index],
                    "reference_count": int(x[index]),
                    "current_count": int(y[index]),
                    "reference_share": float(x[index] / x.sum()),
                    "current_share": float(y[index] / y.sum()),
                    "psi_part": float(metrics["psi"][1][index]),
                    "js_part": float(metrics["js_distance"][1][index]),
                    "chi_square_part": float(metrics["chi_square"][1][index]),
                    "bin_spec_id": spec[shape.name],
                }
                for index, label in enumerate(shape.labels)
            )
        if judged:
            _judge(of_week)
            complete = week < model.week_count - model.incomplete_count
            for row in of_week:
                row |= {
                    "window_end_at": start + WEEK,
                    "is_complete": complete,
                    "design_effect": 1.6,
                    "has_design_effect": True,
                    "bound_kind": "fixed",
                    "reference_count": model.reference_count,
                    "current_count": model.event_count,
                    "reference_is_small": False,
                    "bin_spec_id": spec[str(row["feature_name"])],
                    "invocation_id": "run-1",
                    "computed_at": start + 2 * WEEK,
                    "fold_id": 1,
                }
            tables["fct_drift_metrics"].extend(of_week)


def _metric_rows(
    key: Mapping[str, object], metrics: Mapping[str, tuple[float, np.ndarray, float]]
) -> list[dict[str, object]]:
    chi, _, df = metrics["chi_square"]
    p = float(stats.chi2.sf(chi / 1.6, df)) if df > 0 else None
    limits = {"psi": (0.1, 0.25), "js_distance": (0.1, 0.2), "chi_square": None}
    rows = []
    for name, (value, _, expected) in metrics.items():
        limit = limits[name]
        rows.append(
            dict(key)
            | {
                "metric_name": name,
                "metric_value": value,
                "expected_value": expected,
                "min_detectable_value": None if name == "chi_square" else expected * 2.1,
                "p_value": p,
                "warn_bound": None if limit is None else limit[0] + expected,
                "fail_bound": None if limit is None else limit[1] + 2 * expected,
                "is_decision": name == "psi",
            }
        )
    return rows


def _judge(rows: list[dict[str, Any]]) -> None:
    """Give the rows of one window their q, significance and severity, as the SQL does."""
    for kind in {row["drift_kind"] for row in rows}:
        family = [row for row in rows if row["drift_kind"] == kind]
        names = list(dict.fromkeys(row["feature_name"] for row in family))
        p = {row["feature_name"]: row["p_value"] for row in family}
        q = dict(zip(names, _q_values([float(p[n]) for n in names]), strict=True))
        for row in family:
            row["q_value"] = float(q[row["feature_name"]])
            significant = row["q_value"] <= ALPHA
            value, warn, fail = row["metric_value"], row["warn_bound"], row["fail_bound"]
            over_warn = warn is not None and value > warn
            over_fail = fail is not None and value > fail
            row["is_significant"] = significant
            row["is_breach"] = bool(over_warn and significant)
            row["severity"] = int(significant and over_warn) + int(significant and over_fail)


def _write(path: Path, models: Sequence[Model]) -> Marts:
    tables: dict[str, list[dict[str, object]]] = {name: [] for name in TABLES}
    for model in models:
        _rows_of(model, tables)
    with duckdb.connect(str(path)) as connection:
        for name, columns in TABLES.items():
            connection.execute(f"create table {name} ({columns})")
            if tables[name]:
                connection.register("rows", pa.Table.from_pylist(tables[name]))
                connection.execute(f"insert into {name} by name select * from rows")
                connection.unregister("rows")
        connection.execute(
            "create table fct_drift_breaches as select * from fct_drift_metrics where severity > 0"
        )
    return Marts(path, query_on(path), {model.name: model for model in models})


def query_on(path: Path) -> Query:
    def query(sql: str, parameters: Sequence[object] = ()) -> pa.Table:
        with duckdb.connect(str(path), read_only=True) as connection:
            return connection.sql(sql, params=list(parameters) or None).to_arrow_table()

    return query


@pytest.fixture(scope="session")
def marts(tmp_path_factory: pytest.TempPathFactory) -> Marts:
    """One warehouse with five models: steady, drifting, hostile by name, unfinished and blind."""
    return _write(
        tmp_path_factory.mktemp("marts") / "driftnet.duckdb",
        [
            Model("steady", "1", STEADY, week_count=12, seed=5),
            Model("drifting", "2", DRIFTING, week_count=13, incomplete_count=1, seed=2),
            Model(HOSTILE_MODEL, "1", DRIFTING, week_count=12, seed=3),
            Model("unfinished", "1", STEADY, week_count=1, incomplete_count=1),
            Model("blind", "1", STEADY, week_count=3, unjudged_count=3),
            Model("silent", "1", STEADY, week_count=0, unjudged_count=2),
        ],
    )


@pytest.fixture(scope="session")
def empty_marts(tmp_path_factory: pytest.TempPathFactory) -> Marts:
    """A warehouse whose marts hold no row."""
    return _write(tmp_path_factory.mktemp("empty") / "driftnet.duckdb", [])


@pytest.fixture(scope="session")
def large_marts(tmp_path_factory: pytest.TempPathFactory) -> Marts:
    """40 features in 90 weeks, a fifth of them moved for the last forty."""
    shapes = tuple(
        _tenths(name=f"feature_{i:02d}", moved_from=50 if i % 5 == 0 else None, moved_shares=UP)
        for i in range(38)
    )
    model = Model("large", "1", shapes + DRIFTING[-2:], week_count=90)
    return _write(tmp_path_factory.mktemp("large") / "driftnet.duckdb", [model])


@pytest.fixture(scope="session")
def clock() -> Callable[[], datetime]:
    """Return a clock that stands still."""
    return lambda: datetime(2021, 9, 6, 12, tzinfo=UTC)
