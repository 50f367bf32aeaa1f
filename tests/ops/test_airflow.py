"""A real Airflow 3 loads the DAG and runs it on a small home."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from ops.settings import CHECKOUT
from tests.ops.peers import python
from tests.ops.watched import NAME

FOLDER = CHECKOUT / "ops" / "airflow"
DRIFTNET = Path(sys.executable).with_name("driftnet")
TASKS = ["alert", "build", "gate", "land", "report", "retrain"]


@pytest.fixture(scope="module")
def programs() -> Path:
    return python("airflow", "apache-airflow==3.3.2")


def surroundings(folder: Path, home: Path) -> Mapping[str, str]:
    return {
        **{k: x for k, x in os.environ.items() if not k.startswith(("DRIFTNET_", "AIRFLOW"))},
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW__CORE__DAGS_FOLDER": str(FOLDER),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "AIRFLOW_VAR_DRIFTNET": str(DRIFTNET),
        "DRIFTNET_HOME": str(home),
    }


def run(environment: Mapping[str, str], *words: str | Path) -> str:
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    return done.stdout


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_dag_runs_and_takes_the_way_of_the_verdict(
    programs: Path, watched: Path, tmp_path: Path
) -> None:
    environment = surroundings(tmp_path, watched)
    shutil.rmtree(watched / "published")  # the build publishes again
    run(environment, programs / "airflow", "db", "migrate")
    run(environment, programs / "airflow", "dags", "test", "driftnet", "2026-01-01")
    with sqlite3.connect(tmp_path / "airflow.db") as metadata:
        states = dict(metadata.execute("select task_id, state from task_instance").fetchall())
    verdict = json.loads((watched / "reports" / f"{NAME}.verdict.json").read_text())
    ways = ["drifted", "steady"] if verdict["status"] == "fail" else ["steady", "drifted"]
    assert states == dict.fromkeys([*TASKS, ways[0]], "success") | {ways[1]: "skipped"}
    assert (watched / "published" / "current" / "driftnet.duckdb").is_file()
    assert (watched / "reports" / f"{NAME}.html").is_file()


@pytest.mark.slow
def test_exit_code_3_is_a_way_and_a_crash_is_none(programs: Path, tmp_path: Path) -> None:
    command = tmp_path / "driftnet"
    command.write_text('#!/bin/sh\ntest "$1" = gate && exit $CODE\n')
    command.chmod(0o755)
    script = (
        "import os, sys; sys.path.insert(0, sys.argv[1])\n"
        "from driftnet_dag import branch\n"
        "for code in '0', '3', '1':\n"
        "    os.environ['CODE'] = code\n"
        "    try:\n"
        "        print(branch(sys.argv[2]))\n"
        "    except Exception as error:\n"
        "        print(type(error).__name__, error)\n"
    )
    environment = surroundings(tmp_path, tmp_path)
    said = run(environment, programs / "python", "-c", script, FOLDER, command)
    assert said.splitlines()[-3:] == [
        "steady",
        "drifted",
        "AirflowException driftnet gate ended with exit code 1",
    ]
