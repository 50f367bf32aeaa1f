"""What a build costs: by history, by rows, and by what it reads of landing."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import duckdb
import numpy as np

from ingest.engine import write_parquet
from ingest.landed import chain
from tests.measured import Say, table
from tests.warehouse.home import BEGIN, CHECKOUT, Home, draw

TITLE = "Cost of a build: history, memory, bytes read"
FOLDER = Path("build/state").resolve()
A_DAY = 2_000  # events
SHORT, LONG, NEW_DAYS, TIMES = 7, 365, 1, 10
TOPIC, SOURCE = "phishing_logs", "bench"
VALUES = {
    "_offset": "i",
    "_landed_at": "occurred_at + interval 1 second",
    "event_id": "cast(md5('{day}-' || i) as uuid)",
    "occurred_at": "occurred_at",
    "model_name": "'toy'",
    "model_version": "'1'",
    "score": "hash(i) % 1000 / 1000",
    "threshold": "0.5",
    "is_predicted_positive": "hash(i) % 1000 >= 500",
    "feature_amount": "exp(hash(i + 1) % 1000 / 300)",
    "feature_item_count": "hash(i + 2) % 6",
    "feature_is_new": "hash(i + 3) % 10 = 0",
    "feature_kind": "cast(hash(i + 4) % 40 as varchar)",
}


@dataclass
class Cost:
    """What a build took."""

    cpu: float
    wall: float
    peak: float
    models: dict[str, float] = field(default_factory=dict)
    read: int = 0


class Source(Home):
    """A home whose landed files are written without a log."""

    def begin(self) -> list[tuple[str, str]]:
        """Register the model, and learn the columns of a landed file from a real one."""
        shutil.rmtree(self.path, ignore_errors=True)
        rng = np.random.default_rng(1)
        self.register("toy", draw(rng, 3_000, BEGIN - timedelta(days=60), 60))
        self.send("toy", draw(rng, 1, BEGIN - timedelta(days=1), 1))
        self.land()
        (real,) = (self.path / "landing" / TOPIC).rglob("*.parquet")
        with duckdb.connect() as connection:
            columns = connection.execute(
                f"describe select * from read_parquet('{real}')"
            ).fetchall()
        shutil.rmtree(self.path / "landing")
        return [(name, kind) for name, kind, *_ in columns]

    def write(self, days: Iterable[int], a_day: int, columns: list[tuple[str, str]]) -> int:
        """Land one file a day; return its bytes."""
        place = chain.partition_folder(self.path / "landing", TOPIC, SOURCE, 0)
        place.mkdir(parents=True, exist_ok=True)
        size = 0
        with duckdb.connect() as connection:
            for day in days:
                first, end = day * a_day, (day + 1) * a_day
                fields = ", ".join(
                    f"cast({VALUES.get(name, 'null').format(day=day)} as {kind}) as {name}"
                    for name, kind in columns
                )
                begin = f"timestamp '{BEGIN + timedelta(days=day):%Y-%m-%d}'"
                path = place / chain.file_name(first)
                facts = {"topic": TOPIC, "source_id": SOURCE, "partition": "0"}
                facts |= {"position": str(first), "next_offset": str(end), "reason": ""}
                write_parquet(
                    connection,
                    f"select {fields} from (select i, {begin}"
                    f" + to_milliseconds((i - {first}) * 86400000 // {a_day}) as occurred_at"
                    f" from range({first}, {end}) as numbers (i)) order by i",
                    path,
                    facts,
                )
                size = path.stat().st_size
        return size

    def cost(self) -> Cost:
        """Build without dbt's tests, and measure."""
        log = self.path / "build.log"
        shutil.rmtree(self.path / "target", ignore_errors=True)
        began = time.perf_counter()
        with log.open("w") as output:
            child = subprocess.Popen(
                self.command("--exclude-resource-type", "test"),
                env={**os.environ, "DRIFTNET_HOME": str(self.path)},
                cwd=CHECKOUT,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            sys.exit(log.read_text())
        results = json.loads((self.path / "target" / "run_results.json").read_text())["results"]
        models = {
            result["unique_id"].split(".")[-1]: result["execution_time"] for result in results
        }
        return Cost(
            usage.ru_utime + usage.ru_stime,
            time.perf_counter() - began,
            usage.ru_maxrss / 1024,
            models,
            self._read(),
        )

    def _read(self) -> int:
        """Return the bytes of the landed files whose rows the SQL of the build names.

        A view counts as often as a model names it, whole, though it takes only some columns.
        """
        texts = {p.stem: p.read_text() for p in (self.path / "target/compiled").rglob("*.sql")}
        named = re.compile(rf"'([^'*]*/landing/{TOPIC}/[^'*]*\.parquet)'")
        total = 0
        for name, sql in texts.items():
            if "read_parquet(" in sql:
                readers = [text for text in texts.values() if re.search(rf"\b{name}\b", text)]
                files = set(named.findall(sql))
                times = len(readers) if name.startswith("stg_") else 1
                total += times * sum(Path(path).stat().st_size for path in files)
        return total


def run(say: Say) -> str:
    """Measure and return the page's section."""
    load = os.getloadavg()[0]
    histories: dict[int, list[Cost]] = {}
    firsts: dict[int, Cost] = {}
    landed = 0
    for days in (SHORT, LONG):
        home = Source(FOLDER / f"days-{days}")
        columns = home.begin()
        home.write(range(days), A_DAY, columns)
        firsts[days] = home.cost()
        say(f"{days} days at once: {firsts[days].cpu:.1f} s of CPU, {firsts[days].peak:.0f} MB")
        histories[days] = []
        for new in range(NEW_DAYS):
            landed = home.write([days + new], A_DAY, columns)
            histories[days].append(home.cost())
            last = histories[days][-1]
            say(f"one day onto {days}: {last.cpu:.1f} s of CPU, {last.wall:.1f} s")
    home = Source(FOLDER / "rows")
    home.write(range(SHORT), A_DAY * TIMES, home.begin())
    many = home.cost()
    say(f"{TIMES} times the rows: {many.cpu:.1f} s of CPU, {many.peak:.0f} MB")
    return _section(load, histories, firsts[SHORT], many, landed)


def _section(
    load: float, histories: dict[int, list[Cost]], few: Cost, many: Cost, landed: int
) -> str:
    short, long = (histories[days] for days in (SHORT, LONG))
    rows = [
        ["CPU s of the whole build", *_best([c.cpu for c in short], [c.cpu for c in long])],
        ["wall s", *_best([c.wall for c in short], [c.wall for c in long])],
        [
            "s of all models",
            *_best([sum(c.models.values()) for c in short], [sum(c.models.values()) for c in long]),
        ],
        *(
            [
                f"s of {name}",
                *_best([c.models[name] for c in short], [c.models[name] for c in long]),
            ]
            for name in ("int_folds", "int_predictions", "int_histograms", "int_event_days")
        ),
        ["peak MB", *_best([c.peak for c in short], [c.peak for c in long])],
    ]
    worst = sorted(long[-1].models, key=lambda name: -long[-1].models[name])[:5]
    read = max(cost.read for cost in (*short, *long))
    return "\n\n".join(
        [
            (
                f"A model of four features, {A_DAY:,} events a day in one landed file; plain `dbt"
                f" build` without tests, whole process, the best of {NEW_DAYS}. {os.cpu_count()}"
                f" cores, load {load:.1f} at the beginning: compare ratios and CPU, not seconds."
            ),
            table(
                ["one new day", f"onto {SHORT} days", f"onto {LONG} days", "ratio (goal 1.2)"], rows
            ),
            f"Slowest models onto {LONG} days: "
            + ", ".join(f"{name} {long[-1].models[name]:.2f} s" for name in worst)
            + ".",
            table(
                [
                    "first build",
                    f"{SHORT * A_DAY:,} rows",
                    f"{SHORT * A_DAY * TIMES:,} rows",
                    "ratio",
                ],
                [["peak MB", few.peak, many.peak, many.peak / few.peak]],
            ),
            (
                f"Of {landed:,} bytes landed, a build reads at most {read:,}:"
                f" {read / landed:.1f} times (whole files whose rows the SQL names, once for each"
                " model that reads them; footers apart)."
            ),
        ]
    )


def _best(short: list[float], long: list[float]) -> list[float]:
    return [min(short), min(long), min(long) / min(short)]
