"""Judging what is published: the gate's verdict, kept and told, and the page. None prints.

A verdict of fail means that the world moved: that is an answer, not an error.
"""

import dataclasses
import json
import os
from collections.abc import Callable, Collection
from datetime import datetime
from pathlib import Path
from typing import Any

from ingest.errors import DriftnetError
from ingest.happenings import Happening, identify, land_happenings
from ingest.sealed import replace_text
from ops import project, warehouse
from ops.settings import Settings
from ops.target import Target
from reports.verdict import Verdict

Clock = Callable[[], datetime]


def gate(
    settings: Settings,
    clock: Clock,
    target: Target,
    window: datetime | None = None,
    suites: Collection[str] | None = None,
    metrics: Collection[str] | None = None,
) -> Verdict:
    """Judge a window of the published marts, by default the newest complete one.

    Parameters
    ----------
    window
        The instant that the window starts at, UTC, without a zone.
    suites, metrics
        Judge only these drift kinds; let these metrics decide. A verdict on a part is not kept.
    """
    from reports.gate import judge

    with warehouse.reader(settings) as query:
        verdict = judge(
            query,
            settings.docs / target.model_name,
            model_name=target.model_name,
            model_version=target.model_version,
            window_grain=target.grain,
            window_start_at=window,
            suites=suites,
            metrics=metrics,
            kept_runs=int(project.variables(settings)["data_docs_runs"]),
            clock=clock,
        )
    if window is None and suites is None and metrics is None:
        settings.reports.mkdir(parents=True, exist_ok=True)
        text = json.dumps(_plain(verdict), indent=2) + "\n"
        replace_text(_verdict_file(settings, target.model_name), text)
        told = _told(verdict)
        land_happenings(settings.landing, f"verdict-{told.happening_id}", [told])
    return verdict


def report(
    settings: Settings, clock: Clock, target: Target, verdict: Verdict | None = None
) -> Path:
    """Write the page of a model from the published marts and return its path.

    Parameters
    ----------
    verdict
        What `gate` said of these marts; None: it is asked.
    """
    from reports.page import render

    verdict = verdict or gate(settings, clock, target)
    settings.reports.mkdir(parents=True, exist_ok=True)
    kept = settings.reports / f"{target.model_name}.page.json"
    with warehouse.reader(settings) as query:
        made = render(
            query,
            model_name=target.model_name,
            model_version=target.model_version,
            window_grain=target.grain,
            now=clock(),
            verdict=verdict,
            docs_link=Path(os.path.relpath(verdict.data_docs, settings.reports)).as_posix(),
            former=_former(kept),
        )
    page = settings.reports / f"{target.model_name}.html"
    replace_text(page, made.text)
    replace_text(kept, json.dumps(made.state, indent=2) + "\n")
    return page


def _former(path: Path) -> dict[str, Any] | None:
    """Return the state of the page before; None where there is none that can be read."""
    try:
        return dict(json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def last_verdict(settings: Settings, model_name: str) -> dict[str, Any] | None:
    """Return the last verdict on a model as written by `gate`, None when there is none."""
    path = _verdict_file(settings, model_name)
    try:
        return dict(json.loads(path.read_text()))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise DriftnetError(
            f"{path} cannot be read: remove it, `driftnet gate` makes it"
        ) from error


def _verdict_file(settings: Settings, model_name: str) -> Path:
    return settings.reports / f"{model_name}.verdict.json"


def _told(verdict: Verdict) -> Happening:
    """Return a verdict as a happening: the warehouse learns of it with the next build."""
    at = verdict.judged_at
    scope = (verdict.model_name, verdict.model_version, verdict.window_grain)
    return Happening(
        identify("verdict", *scope, verdict.window_start_at, at),
        at,
        "reports",
        "verdict",
        verdict.model_name,
        verdict.model_version,
        "",
        {"pass": 0, "warn": 1, "fail": 2}[verdict.status],
        f"{verdict.status}: {verdict.reason}",
        {
            "status": verdict.status,
            "window_grain": verdict.window_grain,
            "window_start_at": verdict.window_start_at,
            "severities": dict(verdict.severities),
            "offenders": [f"{o.suite} {o.feature_name}" for o in verdict.offenders],
        },
    )


def _plain(verdict: Verdict) -> dict[str, Any]:
    def text(value: object) -> str:
        return value.isoformat() if isinstance(value, datetime) else str(value)

    return dict(json.loads(json.dumps(dataclasses.asdict(verdict), default=text)))
