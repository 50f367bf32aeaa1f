"""Verbs that bring events in: replay, land."""

import signal
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ops.verbs import show
from ops.verbs.options import DAY, FILE, example, model_option, now, utc

if TYPE_CHECKING:
    from ingest.landing import Landed
    from ingest.replay import Replayed
    from ops.settings import Settings

COUNTED = 50_000  # rows a batch when a file is counted for the bar


@click.command(epilog=example("driftnet replay events.parquet --from 2020-01-01"))
@click.argument("file", type=FILE)
@model_option
@click.option("--from", "from_", type=DAY, help="Only events from this day on (UTC).")
@click.option("--until", type=DAY, help="Only events before this day (UTC).")
@click.option(
    "--labels-from",
    type=DAY,
    help="Also labels of events since this day: where an earlier replay began.",
)
@click.option("--seed", default=7, show_default=True, help="Seed of drawn label delays.")
@click.pass_obj
def replay(
    settings: "Settings",
    file: Path,
    model: str | None,
    from_: datetime | None,
    until: datetime | None,
    labels_from: datetime | None,
    seed: int,
) -> None:
    """Send past URLs of FILE through scorer and log as if they had arrived.

    FILE is Parquet or CSV with ts_utc and url, and optionally label, source and label_known_at.
    No URL is ever opened.
    """
    play(settings, file, model, utc(from_), utc(until), utc(labels_from), seed)


def play(
    settings: "Settings",
    file: Path,
    model: str | None,
    from_: datetime | None = None,
    until: datetime | None = None,
    labels_from: datetime | None = None,
    seed: int = 7,
) -> "Replayed":
    """Replay a file and say what was written."""
    from ingest.event_file import open_events, read_events
    from ingest.model import default_name
    from ingest.replay import Topics
    from ingest.replay import replay as replay_file
    from ingest.scorer import Scorer
    from ops import pipeline

    scorer = Scorer.load(settings.models, model or default_name(settings.models))
    held = open_events(file, now())
    total = sum(batch.num_rows for batch in read_events(held, from_, until, COUNTED))
    with show.bar("replay", "events", total) as advance:
        done = replay_file(
            file,
            scorer,
            pipeline.open_log(settings, show.note),
            Topics(settings.predictions_topic, settings.labels_topic),
            from_=from_,
            until=until,
            labels_from=labels_from,
            seed=seed,
            clock=now,
            advance=advance,
            storage=settings.subject_storage,
        )
    show.say(
        f"replayed {done.prediction_count:,} predictions of {done.first_at:%Y-%m-%d} to"
        f" {done.newest_at:%Y-%m-%d} and {done.label_count:,} labels"
        f" ({done.pending_label_count:,} known only later)"
    )
    return done


@click.command(
    epilog=example("driftnet land", "driftnet land --follow", "driftnet land --source kafka")
)
@click.option(
    "--source",
    type=click.Choice(["local", "kafka"]),
    help="Which event log; default: kafka when DRIFTNET_KAFKA_SERVERS is set, else local.",
)
@click.option(
    "--follow/--once",
    default=None,
    help="Run on, or catch up with what is there now and end; default: follow Kafka, not files.",
)
@click.option(
    "--every",
    type=click.FloatRange(min=0.1),
    default=10.0,
    show_default=True,
    help="When following: seconds until what came is landed, however little it is.",
)
@click.pass_obj
def land(settings: "Settings", source: str | None, follow: bool | None, every: float) -> None:
    """Bring what the event log holds to rest as Parquet.

    The local log is landed up to its end, or followed. From Kafka the lander runs on as one member
    of a consumer group, any number of which may run, until it is told to end (SIGTERM, Ctrl-C); it
    then lands what it has read. Each message lands once, whatever is killed when.
    """
    if source == "local":
        settings = replace(settings, kafka=None)
    elif source == "kafka" and settings.kafka is None:
        raise click.UsageError(
            "where is Kafka? set DRIFTNET_KAFKA_SERVERS, for instance localhost:9092"
        )
    if follow is None:
        follow = settings.kafka is not None
    if follow:
        _run_on(settings, every)
    else:
        rest(settings)


def _run_on(settings: "Settings", every: float) -> None:
    from ops import pipeline

    asked: list[int] = []

    def ask(number: int, frame: object) -> None:
        if asked:  # asked twice: at once
            raise KeyboardInterrupt
        asked.append(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask)
    kafka = settings.kafka
    show.tell("landing", source=f"Kafka at {kafka.servers}" if kafka else "the local log")
    landed = pipeline.follow(
        settings,
        now,
        max_age=every,
        is_ending=lambda: bool(asked),
        tell=lambda line: show.tell("lander", what=line),
    )
    for topic, count in landed.items():
        show.tell("landed", topic=topic, rows=count.row_count, bad=count.error_count)


def rest(settings: "Settings") -> None:
    """Land what there is now, and say what was landed."""
    from ops import pipeline

    with show.bar("land", "rows") as advance:
        landed = pipeline.land(settings, now, advance, show.note)
    _say_landed(landed)


def _say_landed(landed: "Mapping[str, Landed]") -> None:
    for topic, count in landed.items():
        bad = f", {count.error_count:,} of them bad (kept as rows)" if count.error_count else ""
        show.say(f"landed {topic}: {count.row_count:,} rows in {count.file_count:,} files{bad}")
