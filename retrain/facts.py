"""What the published marts and our own past runs say about whether a new model is due."""

from datetime import datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq

from ingest.card import Card
from ingest.errors import DriftnetError
from retrain.policy import Facts, Policy
from retrain.rows import Query

ROOM = "retrain"
TRIES = ("promoted", "lost", "refused", "rolled_back")

_FAILING = """
    select count(distinct window_start_at) as found
    from fct_drift_metrics
    where model_name = ? and model_version = ? and window_grain = ?
        and window_start_at >= ? and window_end_at <= ?
        and is_complete and is_decision and severity = 2
        and reference_kind = 'training' and segment_name = 'all'
"""
_QUALITY = """
    select count(distinct window_start_at) as found
    from fct_quality_metrics
    where model_name = ? and model_version = ? and window_grain = ?
        and window_start_at >= ? and window_end_at <= ?
        and is_complete and basis = 'realised' and segment_name = 'all'
        and (
            is_breach
            or metric_name = 'roc_auc' and warn_bound is null and is_mature and upper_limit < ?
        )
"""
_ALARMS = """
    select count(*) as found
    from fct_timeline
    where room = 'stream' and kind = 'alarm'
        and model_name = ? and model_version = ? and happened_at > ? and happened_at <= ?
"""
_LABELS = """
    select count(*) as found
    from fct_labelled_predictions
    where model_name = ? and label_known_at > ? and label_known_at <= ?
"""
_EVENTS = """
    select coalesce(sum(event_count), 0) as found
    from fct_histogram_bins
    where model_name = ? and window_grain = 'day' and segment_name = 'all'
        and drift_kind = 'prediction' and feature_name = 'decision'
        and window_start_at > ? and window_start_at <= ?
"""
_KNOWN = """
    select count(*) as found
    from fct_labelled_predictions
    where model_name = ? and window_start_at > ? and window_start_at <= ? and label_known_at <= ?
"""


def known_since(card: Card) -> datetime:
    """Return when the knowledge of a model ends: its newest training or reference row (UTC)."""
    ends = [end for end in (card.trained_until, card.reference_until) if end is not None]
    if not ends:
        raise DriftnetError(f"{card.name} version {card.version} does not say what it has seen")
    return max(ends).replace(tzinfo=None)


def gather(
    query: Query,
    landing: Path,
    card: Card,
    as_of: datetime,
    grain: str,
    policy: Policy,
    lateness: timedelta = timedelta(0),
) -> Facts:
    """Return what is known at a time about the champion of a name.

    Parameters
    ----------
    query
        Asks the published marts.
    landing
        Our own past runs stand in its folder ``retrain``.
    card
        The champion's.
    as_of
        UTC without a zone; nothing later is counted.
    grain
        Length of the windows that count.
    policy
        Says how long a sign asks, and what a loss of quality is where the reference is too short to
        have learnt a bound.
    lateness
        A window counts when it ended so long before `as_of`.
    """
    since = known_since(card)
    asked = max(since, as_of - timedelta(days=policy.sign_days))
    version = [card.name, card.version]
    windows = [*version, grain, asked, as_of - lateness]
    usual = card.metrics.get("roc_auc")
    least = None if usual is None else usual - policy.quality_loss
    return Facts(
        as_of,
        since,
        asked,
        failing_windows=_count(query, _FAILING, windows),
        alarms=_count(query, _ALARMS, [*version, asked, as_of]),
        quality_breaches=_count(query, _QUALITY, [*windows, least]),
        new_labels=_count(query, _LABELS, [card.name, since, as_of]),
        last_try_at=last_try(landing, card.name, as_of),
    )


def coverage(query: Query, model_name: str, as_of: datetime, policy: Policy) -> tuple[int, int]:
    """Return how many events of the policy's window have a label by now, and how many there are."""
    days = [model_name, as_of - timedelta(days=policy.window_days), as_of]
    return _count(query, _KNOWN, [*days, as_of]), _count(query, _EVENTS, days)


def last_try(landing: Path, model_name: str, as_of: datetime) -> datetime | None:
    """Return when a model was last trained, refused or rolled back, as our own files say."""
    newest = None
    for path in sorted((landing / ROOM).glob(f"{model_name}-*.parquet")):
        if is_waiting(path):  # most files, none of them a try
            continue
        for row in pq.read_table(path).to_pylist():
            at = row["happened_at"].replace(tzinfo=None)
            if row["model_name"] == model_name and row["kind"] in TRIES and at <= as_of:
                newest = max(newest or at, at)
    return newest


def is_waiting(path: Path) -> bool:
    """Tell by its name whether a file says that nothing was due."""
    return path.stem.split("-")[-2] == "waiting"


def _count(query: Query, sql: str, values: list[object]) -> int:
    return int(query(sql, values).column(0)[0].as_py())
