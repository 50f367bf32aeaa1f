"""Retraining: decide, train, challenge, promote; each decision lands as a happening.

Nothing of the champion is touched before the challenger's folder is whole; the promotion itself is
one replaced file. So a run that fails or is killed anywhere leaves the champion as it was.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import Any

import pyarrow as pa

from ingest import model as models
from ingest.card import Card
from ingest.model import Model
from ingest.progress import Advance, ignore
from retrain import checks
from retrain.card_page import card_page
from retrain.challenge import Challenger, Split, compare, split, train
from retrain.estimator import LIBRARIES, Recipe, measure
from retrain.facts import coverage, gather
from retrain.policy import Challenge, Decision, Facts, Policy, decide, wins
from retrain.record import record, record_missing
from retrain.rows import Query, Rows, known_labels, logged_rows, positions_held


@dataclass(frozen=True)
class Job:
    """A retraining: of what, by which rules, from where.

    Parameters
    ----------
    name, recipe, policy
        The model (it needs a champion), what to train, when and how.
    as_of
        UTC without a zone: nothing later is looked at.
    query, landing, topic, models
        The published marts; the landing zone and its topic of predictions; the model folders.
    clock
        Tells when a model is made.
    grain, lateness
        Length of the windows whose verdicts count, and how long after its end one does.
    threads, memory_limit
        The most it may use.
    advance
        Is told the rows read.
    """

    name: str
    recipe: Recipe
    policy: Policy
    as_of: datetime
    query: Query
    landing: Path
    topic: str
    models: Path
    clock: Callable[[], datetime]
    grain: str = "week"
    lateness: timedelta = timedelta(0)
    threads: int = 1
    memory_limit: str = "1GB"
    advance: Advance = ignore


@dataclass(frozen=True)
class Outcome:
    """What came of it.

    Parameters
    ----------
    kind
        waiting (not due), refused (rows not fit), lost (the champion stays), promoted; of a dry
        run what would have come of it.
    facts, reasons
        What it rests on; in words, with numbers.
    challenge, card
        How the challenger did; the new champion, if there is one.
    """

    kind: str
    facts: Facts
    reasons: tuple[str, ...]
    challenge: Challenge | None = None
    card: Card | None = None


def retrain(job: Job, *, force: bool = False, dry_run: bool = False) -> Outcome:
    """Train a new version when the policy asks for it; promote it when it is surely better.

    Parameters
    ----------
    job
        What to do.
    force
        Train whatever the policy says of when; it still has to win.
    dry_run
        Say what would be done; nothing is written.

    Raises
    ------
    InputError
        No champion.
    DriftnetError
        The champion's folder was changed; labelled rows are not landed any more.
    """
    champion = models.load(job.models, job.name)
    if not dry_run:
        record_missing(job.landing, champion.card)
    card, policy = champion.card, job.policy
    facts = gather(job.query, job.landing, card, job.as_of, job.grain, policy, job.lateness)
    due = decide(policy, facts, force)
    outcome = Outcome("waiting", facts, due.reasons)
    if due.is_due:
        try:
            outcome = _try(job, champion, facts, due, dry_run)
        except checks.Refused as refusal:
            outcome = Outcome("refused", facts, (*due.reasons, str(refusal)))
    if not dry_run:
        numbers = {"facts": dataclasses.asdict(facts)}
        if outcome.challenge:
            numbers["challenge"] = dataclasses.asdict(outcome.challenge)
        told = (outcome.kind, job.as_of, outcome.reasons, outcome.card, numbers)
        record(job.landing, champion.card, *told)
    return outcome


def learnable(job: Job, champion: Model) -> Rows:
    """Return the rows of the policy's window as they were known and logged, checked."""
    policy, as_of = job.policy, job.as_of
    labelled, events = coverage(job.query, job.name, as_of, policy)
    checks.check_coverage(labelled, events, policy.minimum_coverage)
    known = known_labels(job.query, job.name, as_of, policy.window_days, policy.maximum_rows)
    names = {item.name: item for item in (*champion.features, *job.recipe.features)}
    folder = job.landing / job.topic
    rows = logged_rows(known, folder, list(names.values()), job.memory_limit)
    job.advance(len(rows))
    checks.check_times(rows, as_of)
    checks.check_labels(rows, job.recipe.features)
    return rows


def _try(job: Job, champion: Model, facts: Facts, due: Decision, dry_run: bool) -> Outcome:
    rows = learnable(job, champion)
    parts = split(rows, job.policy)
    checks.check_leaks(parts.training, job.recipe.features)
    challenger = train(job.recipe, parts, champion, job.policy, job.threads)
    challenge = compare(job.recipe, parts, champion, challenger, job.policy)
    verdict = wins(job.policy, challenge)
    reasons = (*due.reasons, *verdict.reasons)
    if not verdict.is_due or dry_run:
        return Outcome("promoted" if verdict.is_due else "lost", facts, reasons, challenge)
    made = _card(job, champion, parts, challenger, challenge, reasons)
    reference = _reference(job.recipe, parts.held_out, challenger)
    card = models.save(
        job.models,
        made,
        job.recipe.features,
        reference,
        challenger.estimator,
        champion.embedding,
        page=card_page,
    )
    models.promote(job.models, job.name, card.version)
    return Outcome("promoted", facts, reasons, challenge, card)


def _card(
    job: Job,
    champion: Model,
    parts: Split,
    challenger: Challenger,
    challenge: Challenge,
    reasons: tuple[str, ...],
) -> Card:
    moments = parts.training.table.column("occurred_at").to_pylist()
    held_out = parts.held_out
    half_life = job.policy.half_life_days
    return Card(
        job.name,
        models.next_version(job.models, job.name),
        "trained",
        job.clock(),
        challenger.threshold,
        embedding_dimension=champion.card.embedding_dimension,
        seed=job.policy.seed,
        trained_from=moments[0].replace(tzinfo=UTC),
        trained_until=moments[-1].replace(tzinfo=UTC),
        training_row_count=len(parts.training),
        metrics=measure(held_out.truth, challenger.held_out_score, challenger.threshold)
        | {"positive_share": float(held_out.truth.mean())},
        libraries={"python": python_version()} | {item: version(item) for item in LIBRARIES},
        estimator=job.recipe.name,
        recipe=job.recipe.path or None,
        history={
            "as_of": job.as_of.isoformat(),
            "champion_version": champion.card.version,
            "reasons": list(reasons),
            "challenge": dataclasses.asdict(challenge),
            "split": {
                name: _said(part)
                for name, part in (
                    ("training", parts.training),
                    ("threshold", parts.tuning),
                    ("challenge", parts.test),
                    ("reference", held_out),
                )
            },
            "known_cluster_count": parts.known_cluster_count,
            "recency": f"A training row {half_life} days older than the newest counts half."
            if half_life
            else "All training rows count alike.",
            "positions": positions_held(parts.training.table),
            "policy": dataclasses.asdict(job.policy),
        },
    )


def _said(rows: Rows) -> dict[str, Any]:
    moments = rows.table.column("occurred_at").to_pylist()
    return {
        "row_count": len(rows),
        "positive_share": float(rows.truth.mean()),
        "from": f"{moments[0]:%Y-%m-%d}",
        "until": f"{moments[-1]:%Y-%m-%d}",
    }


def _reference(recipe: Recipe, held_out: Rows, challenger: Challenger) -> pa.Table:
    """Return the held-out rows as `ingest.reference.shape_reference` takes them."""
    keep = ["event_id", "occurred_at", "is_actual_positive", "channel", "cluster", "embedding"]
    keep += [f"feature_{feature.name}" for feature in recipe.features]
    table = held_out.table.select(keep)
    return table.append_column("score", pa.array(challenger.held_out_score))
