"""Drift of vectors: the embedding and all numeric features at once, and along which components."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from reports import axes, plots, rows
from reports.axes import TimeAxis
from reports.history import Track
from reports.rows import MetricRow, Query, Scope

KIND = "embedding"
METRICS = ("mmd_squared", "pca_wasserstein")


@dataclass(frozen=True)
class ComponentRow:
    """One component of the embedding in one window, from `fct_embedding_components`.

    `wasserstein` and `mean_shift` are in standard deviations of the component; the contributions
    of all components sum to `pca_wasserstein`.
    """

    window_start_at: datetime
    component_number: int
    wasserstein: float
    mean_shift: float
    weight: float
    contribution: float


@dataclass(frozen=True)
class Cloud:
    """One metric of one space of vectors: its row of the window and its history."""

    row: MetricRow
    scale: axes.ValueAxis
    history: Markup


@dataclass(frozen=True)
class Component:
    """One component: its row of the window, its part of the distance, where it leant and leans."""

    row: ComponentRow
    share: float
    lean: Markup
    sway: Markup
    is_carrier: bool


@dataclass(frozen=True)
class Embedding:
    """What the page's section of vectors shows; `components` are in the order of their variance."""

    clouds: tuple[Cloud, ...]
    components: tuple[Component, ...]
    top_shift: float

    @property
    def carriers(self) -> tuple[Component, ...]:
        """The components that together carry most of the distance, the largest first."""
        found = (component for component in self.components if component.is_carrier)
        return tuple(sorted(found, key=lambda component: -component.share))


def embedding(
    query: Query, scope: Scope, axis: TimeAxis | None, at: datetime | None
) -> Embedding | None:
    """Return what is known of vectors, None where nothing was compared in the window `at`.

    Parameters
    ----------
    query, scope
        Which marts, and what of them.
    axis
        The page's axis of time.
    at
        The start of the judged window.
    """
    if axis is None or at is None:
        return None
    tracks = _tracks(query, scope)
    clouds = [cloud for track in tracks if (cloud := _cloud(track, axis, at)) is not None]
    if not clouds:
        return None
    found = _component_rows(query, scope)
    ends = {row.window_start_at: row.window_end_at for track in tracks for row in track.rows}
    top = max((abs(row.mean_shift) for row in found), default=0.0)
    return Embedding(tuple(clouds), tuple(_components(found, ends, axis, at, top)), top)


def _tracks(query: Query, scope: Scope) -> list[Track]:
    """Return the history of each metric of vectors, those of the embedding first."""
    where = (
        "model_name = ? and model_version = ? and window_grain = ? and reference_kind = ?"
        f" and segment_name = '{rows.ALL}' and metric_name in ('{METRICS[0]}', '{METRICS[1]}')"
        f" order by drift_kind <> '{KIND}', metric_name, window_start_at"
    )
    grouped: dict[tuple[str, str, str], list[MetricRow]] = {}
    for row in rows.fetch(query, MetricRow, "fct_drift_metrics", where, _values(scope)):
        grouped.setdefault((row.drift_kind, row.feature_name, row.metric_name), []).append(row)
    return [Track(kind, name, tuple(of)) for (kind, name, _), of in grouped.items()]


def _cloud(track: Track, axis: TimeAxis, at: datetime) -> Cloud | None:
    row = track.at(at)
    if row is None:
        return None
    scale = axes.value_axis(track.rows)
    return Cloud(row, scale, plots.history(track, axis, scale, at))


def _component_rows(query: Query, scope: Scope) -> list[ComponentRow]:
    table = "fct_embedding_components"
    if table not in rows.tables(query):
        return []
    where = (
        "model_name = ? and model_version = ? and window_grain = ? and reference_kind = ?"
        f" and segment_name = '{rows.ALL}' order by component_number, window_start_at"
    )
    return rows.fetch(query, ComponentRow, table, where, _values(scope))


def _components(
    found: Sequence[ComponentRow],
    ends: Mapping[datetime, datetime],
    axis: TimeAxis,
    at: datetime,
    top: float,
) -> list[Component]:
    now = [row for row in found if row.window_start_at == at]
    whole = sum(row.contribution for row in now)
    carriers, reached = set[int](), 0.0
    for row in sorted(now, key=lambda row: -row.contribution):
        if reached >= whole / 2:
            break
        carriers.add(row.component_number)
        reached += row.contribution
    made = []
    for row in now:
        points = [
            (past.window_start_at, ends[past.window_start_at], past.mean_shift)
            for past in found
            if past.component_number == row.component_number and past.window_start_at in ends
        ]
        made.append(
            Component(
                row=row,
                share=row.contribution / whole if whole > 0 else 0.0,
                lean=plots.lean(row.mean_shift, top),
                sway=plots.sway(points, axis, top, f"component {row.component_number}"),
                is_carrier=row.component_number in carriers,
            )
        )
    return made


def _values(scope: Scope) -> list[object]:
    return [scope.model_name, scope.model_version, scope.window_grain, scope.reference_kind]
