"""The scoring API as a process: killed, told to end, given other champions, all under load."""

import asyncio
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from ingest import model
from ops import cli
from ops.settings import CHECKOUT
from tests.ingest.api_home import (
    NAME,
    ONE,
    TOPICS,
    add_broken_version,
    add_version,
    copy_home,
    events,
    make_models,
)
from tests.ops.served import PATIENCE, Callers, serving

KEY = "correct-horse-battery"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_models(tmp_path_factory.mktemp("served"))


@pytest.fixture
def home(models: Path, tmp_path: Path) -> Path:
    return copy_home(models, tmp_path / "home")


@contextmanager
def held(home: Path) -> Iterator[None]:
    """Hold the lock that appenders of the predictions take: nothing is acknowledged."""
    folder = home / "log" / TOPICS.predictions
    folder.mkdir(parents=True, exist_ok=True)
    file = os.open(folder / "p=0.log", os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)


def ids(home: Path) -> Counter[str]:
    return Counter(event["event_id"] for event in events(home))


@pytest.mark.slow
def test_at_sigterm_everything_under_way_is_answered_and_nothing_new_is_taken(home: Path) -> None:
    async def ask(address: str, end: object) -> list[httpx.Response]:
        async with httpx.AsyncClient(base_url=address, timeout=PATIENCE) as client:
            asked = [asyncio.create_task(client.post("/predict", json=ONE)) for _ in range(20)]
            while True:
                shown = (await client.get(process.metrics)).text
                if "driftnet_api_requests_in_flight 20.0" in shown:
                    break
                await asyncio.sleep(0.05)
            process.process.send_signal(signal.SIGTERM)
            await asyncio.to_thread(process.wait_for, "draining")
            await refused(address)
            assert not any(task.done() for task in asked)
            lock.__exit__(None, None, None)
            return await asyncio.gather(*asked)

    async def refused(address: str) -> None:
        for _ in range(PATIENCE * 10):
            try:
                async with httpx.AsyncClient(base_url=address, timeout=PATIENCE) as client:
                    await client.get("/healthz")
            except httpx.TransportError:
                return
            await asyncio.sleep(0.1)
        raise AssertionError("new connections are still taken")

    with serving(home, "--acknowledge-seconds", "60") as process:
        lock = held(home)
        lock.__enter__()
        answers = asyncio.run(ask(process.address, lock))
        assert process.wait() == 0
    assert [answer.status_code for answer in answers] == [200] * 20
    assert ids(home) == Counter(answer.json()["event_id"] for answer in answers)


@pytest.mark.slow
def test_other_champions_are_taken_up_under_load_and_no_request_is_dropped(home: Path) -> None:
    models = home / "models"
    for version in ("2", "3"):
        add_version(models, version, 0.1 * int(version))
    with serving(home) as process:
        with Callers(process.address) as callers:
            callers.wait_until(lambda found: len(found) > 20)
            for version in ("2", "3", "1", "3"):
                model.promote(models, NAME, version)
                callers.wait_until(lambda found, v=version: found[-1]["model_version"] == v)  # type: ignore[misc]
            add_broken_version(models, "4")
            process.wait_for("champion_refused")
            ready = httpx.get(process.address + "/readyz").json()
            shown = httpx.get(process.metrics).text
            since = len(callers.answers)
            callers.wait_until(lambda found: len(found) > since + 20)
        assert process.process.poll() is None
        assert process.end(signal.SIGTERM) == 0
    assert callers.errors == []
    assert "urls/4 was changed: model.skops differs" in ready["champion_refusal"]
    assert ready["model_version"] == "3"
    assert "driftnet_api_champion_is_refused 1.0" in shown
    assert {answer["model_version"] for answer in callers.answers} == {"1", "2", "3"}
    assert {(a["event_id"], a["model_version"], a["threshold"]) for a in callers.answers} == {
        (e["event_id"], e["model_version"], e["threshold"]) for e in events(home)
    }
    assert max(ids(home).values()) == 1
    assert "example" not in process.text, "no subject in the log"


@pytest.mark.slow
def test_what_was_acknowledged_survives_kills_exactly_once(home: Path) -> None:
    acknowledged: list[str] = []
    for _ in range(3):
        with serving(home) as process:
            with Callers(process.address) as callers:
                callers.wait_until(lambda found: len(found) > 100)
                assert process.end(signal.SIGKILL) == -signal.SIGKILL
            acknowledged += [answer["event_id"] for answer in callers.answers]
    found = ids(home)
    assert len(acknowledged) > 300
    assert all(found[event_id] == 1 for event_id in acknowledged)
    assert max(found.values()) == 1


@pytest.mark.slow
def test_a_log_that_hangs_is_a_503_and_the_retry_carries_its_ids(home: Path) -> None:
    with serving(home, "--acknowledge-seconds", "0.3", keys=f"{KEY},{KEY[::-1]}") as process:
        headers = {"authorization": f"Bearer {KEY}"}
        client = httpx.Client(base_url=process.address, headers=headers, timeout=PATIENCE)
        with client, held(home):
            refused = client.post("/predict", json=[ONE, ONE])
            assert refused.status_code == 503
            assert client.get("/readyz").status_code == 503
            assert client.get("/healthz").status_code == 200
        retry = refused.json()["event_ids"]
        with httpx.Client(base_url=process.address, headers=headers, timeout=PATIENCE) as client:
            body = [{**ONE, "event_id": event_id} for event_id in retry]
            deadline = time.monotonic() + PATIENCE
            while (answer := client.post("/predict", json=body)).status_code == 503:
                assert time.monotonic() < deadline
            assert client.get("/readyz").status_code == 200
        assert httpx.post(process.address + "/predict", json=ONE).status_code == 401
        assert process.end(signal.SIGINT) == 0
    assert [one["event_id"] for one in answer.json()] == retry
    assert set(ids(home)) == set(retry)
    assert KEY not in process.text


@pytest.mark.slow
def test_the_server_drains_for_a_while_and_a_second_signal_ends_it_at_once(home: Path) -> None:
    with serving(home, "--drain-seconds", "3600") as process:
        process.process.send_signal(signal.SIGTERM)
        process.wait_for("draining")
        assert httpx.get(process.address + "/readyz").status_code == 503
        assert httpx.post(process.address + "/predict", json=ONE).status_code == 200
        assert process.end(signal.SIGTERM) == 0
    assert len(events(home)) == 1


def test_what_cannot_be_served_is_one_line_and_exit_code_2(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DRIFTNET_HOME", str(home))
    cases = [
        (["--host", "0.0.0.0"], "", "set DRIFTNET_API_KEYS"),  # noqa: S104
        ([], "short", "API key 1 cannot be used"),
        (["--model", "nobody", "--metrics-port", "0", "--port", "0"], "", "has no champion"),
        (["--port", "1x"], "", "1x"),
    ]
    for words, keys, told in cases:
        monkeypatch.setenv("DRIFTNET_API_KEYS", keys)
        assert cli.call(["serve", *words]) == 2
        assert told in capsys.readouterr().err


def test_a_port_that_is_taken_is_named(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import socket

    monkeypatch.setenv("DRIFTNET_HOME", str(home))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert cli.call(["serve", "--port", port, "--metrics-port", "0"]) == 2
        assert f"cannot listen on 127.0.0.1 port {port}" in capsys.readouterr().err
        assert cli.call(["serve", "--port", "0", "--metrics-port", port]) == 2
        assert f"cannot show metrics on port {port}" in capsys.readouterr().err


def test_a_server_uses_one_thread_of_the_numeric_libraries() -> None:
    script = (
        "from ops.settings import use_one_thread; use_one_thread(); import sklearn.ensemble; "
        "from threadpoolctl import threadpool_info; "
        "print({pool['num_threads'] for pool in threadpool_info()})"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=CHECKOUT, check=True
    )
    assert done.stdout.strip() == "{1}"
