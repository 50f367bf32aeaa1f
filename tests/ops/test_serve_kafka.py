"""From a caller of the API to a published table, through a real broker that dies on the way."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pyarrow.parquet as pq
import pytest

from ops.settings import CHECKOUT
from tests.brokers import running
from tests.ingest.api_home import NAME, ONE, TOPICS, copy_home, make_models
from tests.landers import event_id, reachable, rows, until
from tests.ops.served import PATIENCE, Callers, serving

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

DRIFTNET = str(Path(sys.executable).with_name("driftnet"))
SUBJECT = "www.example.com/"  # what `Callers` ask about


def environment(home: Path, more: Mapping[str, str]) -> dict[str, str]:
    return {**os.environ, "DRIFTNET_HOME": str(home), **more}


@contextmanager
def lander(home: Path, more: Mapping[str, str]) -> Iterator["subprocess.Popen[str]"]:
    """Run a lander of a home; it is gone afterwards, whatever happens."""
    with subprocess.Popen(
        [DRIFTNET, "land", "--source", "kafka", "--every", "0.5"],
        cwd=CHECKOUT, env=environment(home, more), text=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


def run(home: Path, more: Mapping[str, str], *words: str) -> str:
    done = subprocess.run(
        [DRIFTNET, *words], cwd=CHECKOUT, env=environment(home, more), text=True,
        capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def refused(client: httpx.Client, body: Sequence[Mapping[str, Any]]) -> httpx.Response:
    """Ask until the answer is 503: what was acknowledged before the broker died may come first."""
    deadline = time.monotonic() + PATIENCE
    while (answer := client.post("/predict", json=body)).status_code != 503:
        assert time.monotonic() < deadline
    return answer


def test_what_the_api_acknowledges_lands_once_and_is_counted_though_the_broker_dies(
    tmp_path: Path,
) -> None:
    home = copy_home(make_models(tmp_path / "made"), tmp_path / "home")
    with running(tmp_path / "broker") as broker:
        more = {"DRIFTNET_KAFKA_SERVERS": broker.servers, "DRIFTNET_KAFKA_PARTITIONS": "2"}
        with (
            lander(home, more) as at_work,
            serving(home, "--acknowledge-seconds", "1", more=more) as process,
            httpx.Client(base_url=process.address, timeout=PATIENCE) as client,
        ):
            with Callers(process.address) as before:
                before.wait_until(lambda found: len(found) > 300)
            assert before.errors == []
            broker.kill()
            answer = refused(client, [ONE, ONE])
            assert answer.headers["retry-after"] == "1"
            assert client.get("/readyz").status_code == 503
            assert client.get("/healthz").status_code == 200
            broker.restart()
            retried = answer.json()["event_ids"]
            body = [{**ONE, "event_id": one} for one in retried]
            until(lambda: client.post("/predict", json=body).status_code == 200)
            assert client.get("/readyz").status_code == 200
            with Callers(process.address) as after:
                after.wait_until(lambda found: len(found) > 300)
            truth = [
                {"event_id": one["event_id"], "is_actual_positive": True}
                for one in after.answers[:50]
            ]
            assert client.post("/labels", json=truth).status_code == 202
            assert process.end(signal.SIGTERM) == 0
            until(lambda: len(rows(home / "landing", TOPICS.labels)) == 50)
            at_work.send_signal(signal.SIGTERM)
            assert at_work.wait(PATIENCE) == 0
        run(home, more, "land", "--once")
        assert "all landed" in run(home, more, "status")
    landed = rows(home / "landing", TOPICS.predictions, ["subject"])
    once = Counter(str(event_id(row)) for row in landed)
    acknowledged = [one["event_id"] for one in [*before.answers, *after.answers]]
    assert {once[one] for one in acknowledged} == {1}
    assert all(once[one] >= 1 for one in retried), "the try that got a 503 may have come through"
    assert all(row["_error"] is None for row in landed)
    assert len({(row["partition"], row["_offset"]) for row in landed}) == len(landed)
    assert reachable(home / "landing", TOPICS.predictions)
    assert sum(SUBJECT in row["subject"] for row in landed) >= len(acknowledged)

    run(home, {}, "build")
    copy = home / "published" / "current"
    with duckdb.connect(str(copy / "driftnet.duckdb"), read_only=True) as reader:
        counted = reader.execute(
            """
            select cast(sum(event_count) as bigint) from fct_histogram_bins
            where model_name = ? and window_grain = 'day' and segment_name = 'all'
                and feature_name = 'score' and drift_kind = 'prediction'
            """,
            [NAME],
        ).fetchone()
        labelled = reader.execute("select count(*) from fct_labelled_predictions").fetchone()
    assert counted == (len(once),)
    assert labelled == (50,)
    # No mart holds what was scored, though landing does.
    marts = sorted(copy.rglob("*.parquet"))
    assert len(marts) > 10
    for mart in marts:
        assert SUBJECT not in repr(pq.read_table(mart).to_pylist()), mart.name
