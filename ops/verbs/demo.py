"""The demo: everything from nothing in a fresh home, told as it goes."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ops.verbs import show
from ops.verbs.options import DAY, FILE, example, utc

if TYPE_CHECKING:
    from ops.settings import Settings

SEED = 1
MODEL = "phishing"


class Times:
    """How long each step took, in the order in which they ran."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, float]] = []

    @contextmanager
    def of(self, step: str) -> Iterator[None]:
        """Time a step."""
        began = time.monotonic()
        yield
        self.steps.append((step, time.monotonic() - began))

    def told(self) -> str:
        """Return one line: each step and the sum, seconds."""
        steps = ", ".join(f"{step} {seconds:.0f}" for step, seconds in self.steps)
        return f"seconds: {steps}; in all {sum(seconds for _, seconds in self.steps):.0f}"


@click.command(
    epilog=example(
        "driftnet demo",
        "driftnet demo --events events.parquet --train-until 2020-01-01",
        "driftnet demo --kafka localhost:9092",
    )
)
@click.option("--events", type=FILE, help="Real labelled events instead of synthetic ones.")
@click.option("--train-until", type=DAY, help="With --events: train before, replay from this day.")
@click.option(
    "--home", type=click.Path(path_type=Path), help="A fresh folder; default: demo in the home."
)
@click.option("--keep", is_flag=True, help="Do not remove a former demo; stop instead.")
@click.option(
    "--kafka",
    metavar="HOST:PORT",
    help="Send the events through this Kafka (`make kafka`) instead of the local log.",
)
@click.option("--seed", default=SEED, show_default=True, help="Seed of everything random.")
@click.pass_obj
def demo(
    settings: "Settings",
    events: Path | None,
    train_until: datetime | None,
    home: Path | None,
    keep: bool,
    kafka: str | None,
    seed: int,
) -> None:
    """Do everything from nothing in a fresh folder and tell the story.

    Without --events URL traffic is made up, with drifts planted in it; the story then holds what
    was planted against what was seen. Exits 0 when the path ran through, whatever the verdict.
    """
    if (events is None) != (train_until is None):
        raise click.UsageError("--events and --train-until go together")
    from ops.fresh import fresh_home, fresh_topics

    at = settings.at(fresh_home((home or settings.home / "demo").absolute(), keep))
    at = fresh_topics(at, kafka) if kafka else at
    times = Times()
    if events is None:
        _made_up(at, seed, times)
    else:
        limit = utc(train_until)
        assert limit is not None  # noqa: S101  (they go together)
        _real(at, events.absolute(), limit, seed, times)


def _made_up(settings: "Settings", seed: int, times: Times) -> None:
    from ingest.synthesize import synthesize
    from ops.planting import read_truth
    from ops.verbs.story import tell_planted

    headline("1. Traffic with planted drifts")
    with times.of("make"), show.bar("synthesize", "events") as advance:
        traffic = synthesize(settings.home / "demo", seed, advance=advance)
    planted = read_truth(traffic.truth)
    show.say(
        f"{traffic.row_count:,} made-up URLs of {traffic.start:%Y-%m-%d} to {traffic.end:%Y-%m-%d}"
        f" with {len(planted)} drifts planted after {traffic.train_until:%Y-%m-%d}"
    )
    _path(settings, traffic.events, traffic.train_until, seed, times)
    headline("6. What was planted, what was seen")
    tell_planted(settings, MODEL, planted)
    _end(settings, times)


def _real(settings: "Settings", events: Path, until: datetime, seed: int, times: Times) -> None:
    from ops.verbs.story import tell_counts, tell_weeks

    headline("1. Real events")
    show.say(f"{events.name}: trained on the rows before {until:%Y-%m-%d}, watched from there on")
    _path(settings, events, until, seed, times)
    headline("6. What landed, what was seen")
    tell_counts(settings, MODEL, events, until)
    tell_weeks(settings, MODEL)
    _end(settings, times)


def _path(settings: "Settings", events: Path, until: datetime, seed: int, times: Times) -> None:
    from ops.target import choose
    from ops.verbs import events as event_verbs
    from ops.verbs import judge as judge_verbs
    from ops.verbs import retrain as retrain_verbs

    headline("2. Train the first champion on what came before")
    with times.of("train"):
        retrain_verbs.train(settings, events, until, MODEL, seed)
    headline("3. Replay what came after, through scorer and log; land it as Parquet")
    with times.of("replay"):
        event_verbs.play(settings, events, MODEL, from_=until, seed=seed)
    with times.of("land"):
        event_verbs.rest(settings)
    headline("4. Fold, compare and judge in the warehouse; publish")
    with times.of("build"):
        judge_verbs.fold(settings, [])
    headline("5. The gate on the newest complete week, and the page")
    target = choose(settings, MODEL)
    with times.of("gate"):
        verdict = judge_verbs.judge(settings, target)
    with times.of("report"):
        judge_verbs.draw(settings, target, verdict)


def _end(settings: "Settings", times: Times) -> None:
    from ops.verbs.story import tell_places

    headline("Where to look")
    tell_places(settings, MODEL)
    show.say("")
    show.say(times.told())


def headline(text: str) -> None:
    """Say what comes next."""
    show.say("")
    show.say(click.style(text, bold=True))
