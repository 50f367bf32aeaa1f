"""The verb import: batch predictions of any model, straight into landing."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ops.verbs import show
from ops.verbs.options import FILE, example, now

if TYPE_CHECKING:
    from ops.settings import Settings


@click.command(
    "import",
    epilog=example(
        "driftnet import scores.parquet --model churn --map score=p,occurred_at=time,label=left",
        "driftnet import scores.csv --model churn --map score=p,occurred_at=time,threshold=0.5"
        " --reference past.csv",
    ),
)
@click.argument("file", type=FILE, required=False)
@click.option("--model", "model_name", required=True, metavar="NAME", help="Whose predictions.")
@click.option("--model-version", default="0", show_default=True, help="Which version of it.")
@click.option(
    "--map",
    "mapping",
    multiple=True,
    required=True,
    metavar="KEY=COLUMN,...",
    help="Which column is what: score and occurred_at; optionally label, labelled_at, event_id,"
    " threshold (a number too), decision, channel, cluster, embedding.",
)
@click.option("--features", metavar="A,B", help="Columns that are features; default: the rest.")
@click.option("--ignore", metavar="A,B", default="", help="Columns to leave out.")
@click.option("--where", metavar="SQL", help="Take only rows of this condition.")
@click.option("--sample", type=click.IntRange(1), help="Take at most so many rows.")
@click.option("--query", metavar="SQL", help="A SELECT instead of FILE; see --database.")
@click.option("--database", type=FILE, help="The DuckDB file that --query reads.")
@click.option("--reference", type=FILE, help="Rows to compare with: gives the model a reference.")
@click.option("--reference-where", metavar="SQL", help="Of --reference only these rows.")
@click.pass_obj
def import_(
    settings: "Settings",
    file: Path | None,
    model_name: str,
    model_version: str,
    mapping: tuple[str, ...],
    features: str | None,
    ignore: str,
    where: str | None,
    sample: int | None,
    query: str | None,
    database: Path | None,
    reference: Path | None,
    reference_where: str | None,
) -> None:
    """Land batch predictions of any model from FILE (Parquet or CSV) or a query.

    The same import again changes nothing. Labels in the same rows land as labels.
    """
    if file is None and query is None and reference is None:
        raise click.UsageError("give a FILE, a --query or a --reference")
    from ingest.batch import import_file, import_reference
    from ingest.log import Topics

    meaning: dict[str, Any] = {
        "model_name": model_name,
        "model_version": model_version,
        "mapping": _pairs(mapping),
        "features": _names(features) if features is not None else None,
        "ignore": _names(ignore),
    }
    if reference is not None:
        with show.bar("import reference", "rows") as advance:
            card = import_reference(
                reference,
                models=settings.models,
                scratch=settings.temporary,
                clock=now,
                where=reference_where,
                advance=advance,
                **meaning,
            )
        show.say(
            f"model {card.name} version {card.version} has a reference of"
            f" {card.reference_row_count:,} rows"
        )
    if file is None and query is None:
        return
    with show.bar("import", "rows") as advance:
        done = import_file(
            file,
            landing=settings.landing,
            topics=Topics(settings.predictions_topic, settings.labels_topic),
            models=settings.models,
            clock=now,
            where=where,
            sample=sample,
            query=query,
            database=database,
            storage=settings.subject_storage,
            advance=advance,
            **meaning,
        )
    bad = f", {done.error_count:,} of them bad (kept as rows)" if done.error_count else ""
    known = "" if done.is_new else "; all of it had landed before: nothing was changed"
    show.say(f"imported {done.row_count:,} predictions{bad}, {done.label_count:,} labels{known}")


def _pairs(texts: tuple[str, ...]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for part in ",".join(texts).split(","):
        key, sign, column = part.partition("=")
        if not sign or not key.strip() or not column.strip():
            raise click.UsageError(f"--map {part!r} is no KEY=COLUMN")
        if key.strip() in pairs:
            raise click.UsageError(f"--map names {key.strip()} twice")
        pairs[key.strip()] = column.strip()
    return pairs


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]
