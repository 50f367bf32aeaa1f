"""A real BI tool, Superset, reads the published file while builds publish."""

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ops import warehouse
from ops.settings import CHECKOUT, read
from tests.ops.peers import python
from tests.ops.watched import driftnet

PACKAGES = (
    "apache-superset==6.1.0",
    "duckdb==2.0.0",
    "duckdb-engine==0.17.0",
    "rich",
    "cachetools",
    "flask-caching==2.3.1",
)
PUBLICATIONS = 5
SQL = "select max(computed_at) as computed_at, count(*) as row_count from fct_pipeline_checks"


class Superset:
    """A process of Superset that answers SQL."""

    def __init__(self, folder: Path, home: Path) -> None:
        config = folder / "superset_config.py"
        config.write_text(
            f"SECRET_KEY = {'k' * 42!r}\n"
            f"SQLALCHEMY_DATABASE_URI = 'sqlite:///{folder}/superset.db'\n"
        )
        self._log = (folder / "superset.log").open("w")
        script = CHECKOUT / "tests" / "ops" / "superset_reader.py"
        self.process = subprocess.Popen(
            [
                python("superset", *PACKAGES) / "python",
                script,
                home / "published" / "current" / "driftnet.duckdb",
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            env={**os.environ, "SUPERSET_CONFIG_PATH": str(config)},
        )
        try:
            assert self._answer() == "ready", (folder / "superset.log").read_text()[-3000:]
        except ValueError:
            pytest.fail((folder / "superset.log").read_text()[-3000:])

    def ask(self, sql: str) -> Any:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{sql}\n")
        self.process.stdin.flush()
        return self._answer()

    def end(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()
        self._log.close()

    def _answer(self) -> Any:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith(("[", '"')) and not line.startswith("[/"):
                return json.loads(line)
        raise ValueError("it ended")


@contextmanager
def superset(folder: Path, home: Path) -> Iterator[Superset]:
    """Run Superset; it is gone afterwards."""
    found = Superset(folder, home)
    try:
        yield found
    finally:
        found.end()


def published(home: Path) -> tuple[str, int]:
    path = str(home / "published" / "current" / "driftnet.duckdb")
    with duckdb.connect(path, read_only=True) as reader:
        [(computed_at, count)] = reader.execute(SQL).fetchall()
    return str(computed_at), count


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_superset_reads_on_while_builds_publish_and_sees_the_new_one(
    watched: Path, tmp_path: Path
) -> None:
    settings = read({}).at(watched)
    with superset(tmp_path, watched) as tool:
        [before] = tool.ask(SQL)
        assert (before["computed_at"], before["row_count"]) == published(watched)

        def publish() -> None:
            for _ in range(PUBLICATIONS):
                warehouse.publish(settings, lambda: datetime.now(UTC))

        publishing = threading.Thread(target=publish)
        publishing.start()
        answers = []
        while publishing.is_alive():
            answers.append(tool.ask(SQL))
        publishing.join()
        assert len(answers) > 1
        assert all(answer == [before] for answer in answers)

        driftnet(watched, "build")
        [after] = tool.ask(SQL)
        assert after["computed_at"] > before["computed_at"]
        assert (after["computed_at"], after["row_count"]) == published(watched)
