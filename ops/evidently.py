"""Evidently's page of the windows that a verdict compared, for teams that know it.

Evidently pins an older pandas than ours, so it runs in an environment of its own: two Parquet files
go in, one HTML file comes out.
"""

import subprocess
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ingest import model as models
from ingest.card import Feature
from ingest.engine import connect
from ingest.errors import DriftnetError, InputError
from ingest.landed import chain
from ingest.landed.compaction import chains
from ingest.quoting import column, text
from ops.settings import Settings
from ops.target import Target
from reports import evidently_script
from reports.defang import defang
from reports.verdict import Verdict

ROWS = 20_000
SECONDS = 900
_TYPES = {"numeric": "double", "boolean": "boolean", "categorical": "varchar"}


def python_of(settings: Settings, named: Path | None) -> Path:
    """Return the Python that has Evidently: the named one, or that of `make evidently`.

    Raises
    ------
    InputError
        When there is none.
    """
    python = named or settings.checkout / "build" / "evidently" / "bin" / "python"
    if not python.is_file():
        raise InputError(
            f"no Python at {python}: Evidently needs an environment of its own (an older pandas);"
            " `make evidently` makes it, or name one with --evidently-python"
        )
    return python


def write_page(settings: Settings, target: Target, verdict: Verdict, python: Path) -> Path:
    """Let Evidently compare the judged window with the reference and return its page.

    Parameters
    ----------
    verdict
        Its window is compared, by at most `ROWS` rows a side.
    python
        Of an environment with Evidently.

    Raises
    ------
    DriftnetError
        Where no window was judged, its rows are not landed any more, or Evidently fails.
    """
    if verdict.window_start_at is None or verdict.window_end_at is None:
        raise DriftnetError("no window was judged: there is nothing for Evidently to compare")
    name = f"evidently_report_{verdict.window_start_at:%Y-%m-%d}.html"
    settings.temporary.mkdir(parents=True, exist_ok=True)
    settings.reports.mkdir(parents=True, exist_ok=True)
    _, features = models.describe(settings.models, target.model_name, target.model_version)
    with tempfile.TemporaryDirectory(dir=settings.temporary) as folder:
        files = [Path(folder) / f"{side}.parquet" for side in ("reference", "current")]
        path = settings.models / target.model_name / target.model_version / "reference.parquet"
        window = (verdict.window_start_at, verdict.window_end_at)
        _write(files[0], _selected(settings, [path], features, "true"))
        _write(files[1], _landed(settings, target, features, *window))
        page = Path(folder) / name
        _run(settings, python, [*map(str, files), str(page)])
        return page.replace(settings.reports / name)


def _landed(
    settings: Settings, target: Target, features: Sequence[Feature], start: datetime, end: datetime
) -> pa.Table:
    files = [
        link.path
        for folder in chains(settings.landing, [settings.predictions_topic])
        for link in chain.walk(folder)
    ]
    where = (
        f"_error is null and model_name = {text(target.model_name)}"
        f" and model_version = {text(target.model_version)}"
        f" and occurred_at >= timestamptz '{start}+00' and occurred_at < timestamptz '{end}+00'"
    )
    table = _selected(settings, files, features, where) if files else pa.table({"score": []})
    if not table.num_rows:
        raise DriftnetError(f"the rows of the window from {start:%Y-%m-%d} are not landed any more")
    return table


def _selected(
    settings: Settings, files: Sequence[Path], features: Sequence[Feature], where: str
) -> pa.Table:
    """Return the score and the features of some rows, each event once."""
    reader = f"read_parquet([{', '.join(text(str(file)) for file in files)}], union_by_name = true)"
    with connect(settings.temporary, memory_limit="1GB") as connection:
        described = connection.execute(f"describe select * from {reader}").fetchall()
        names = {name.lower() for name, *_ in described}
        values = ", ".join(_value(feature, names) for feature in features)
        return connection.sql(
            f"select score, {values} from {reader} where {where}"
            " qualify row_number() over (partition by event_id) = 1"
            f" order by md5(lower(cast(event_id as varchar))) limit {ROWS}"
        ).to_arrow_table()


def _value(feature: Feature, names: set[str]) -> str:
    kind, name = _TYPES[feature.kind], f"feature_{feature.name}"
    found = [f"try_cast({column(name)} as {kind})"] if name.lower() in names else []
    if "features_other" in names:
        found.append(f"try_cast(features_other ->> {text(feature.name)} as {kind})")
    return f"coalesce({', '.join([*found, 'null'])})::{kind} as {column(feature.name)}"


def _write(path: Path, table: pa.Table) -> None:
    """Write rows; Evidently's page escapes little, so text goes in defanged and without tags."""
    for place, field in enumerate(table.schema):
        if pa.types.is_string(field.type):
            words = table.column(place).combine_chunks().dictionary_encode()
            safe = [_harmless(word) for word in words.dictionary.to_pylist()]
            table = table.set_column(
                place, field, pc.take(pa.array(safe, pa.string()), words.indices)
            )
        elif pa.types.is_boolean(field.type):
            table = table.set_column(place, field.name, table.column(place).cast(pa.string()))
    pq.write_table(table, path)


def _harmless(word: str) -> str:
    return "".join(" " if sign in "<>\"'&`\\" else sign for sign in defang(word))


def _run(settings: Settings, python: Path, words: Sequence[str]) -> None:
    script = str(evidently_script.__file__)
    done = subprocess.run(
        [str(python), "-P", "-W", "ignore", script, *words],
        env=settings.dbt_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        raise DriftnetError(f"Evidently failed ({python}): {last}")
