"""The service set on this machine: it runs, mends itself, and stops cleanly."""

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from ops import cli
from ops.services import SERVICES, TIMETABLE, environment
from ops.settings import read
from ops.supervisor import Program, Supervisor
from ops.timetable import read_timetable
from tests.ingest.api_home import ONE, Told, make_models
from tests.ops.upped import is_alive, post, up

QUICK = (0.01,)
KEY = "a-key-of-the-test-0123456789"


def program(script: str, name: str = "one") -> Program:
    return Program(name, [sys.executable, "-c", script], dict(os.environ))


def run(supervisor: Supervisor, is_enough: Callable[[], bool]) -> int:
    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(supervisor.run()))
    thread.start()
    deadline = time.monotonic() + 60
    while thread.is_alive() and not is_enough():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    supervisor.stop()
    thread.join(60)
    return codes[0]


def test_what_ends_is_started_again_and_its_lines_bear_its_name() -> None:
    lines: list[tuple[str, str]] = []
    ending = program("print('here')")
    supervisor = Supervisor([ending], lambda *line: lines.append(line), Told(), 5, QUICK)
    assert run(supervisor, lambda: len(lines) >= 3) == 0
    assert set(lines) == {("one", "here")}


def test_a_service_that_was_wrongly_used_ends_all() -> None:
    told = Told()
    programs = [program("import sys; sys.exit(2)"), program("import time; time.sleep(99)", "two")]
    assert run(Supervisor(programs, lambda *line: None, told, 5, QUICK), lambda: False) == 2
    ends = {
        fields["service"]: fields["exit_code"] for name, fields in told.events if name == "exited"
    }
    assert ends == {"one": 2, "two": -signal.SIGTERM}


def test_one_that_does_not_end_is_killed_after_its_grace() -> None:
    deaf = program(
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        " print('deaf', flush=True); time.sleep(99)"
    )
    lines: list[str] = []
    told = Told()
    supervisor = Supervisor([deaf], lambda name, line: lines.append(line), told, 0.1, QUICK)
    assert run(supervisor, lambda: bool(lines)) == 0
    assert told.events[-1][1]["exit_code"] == -signal.SIGKILL


def test_only_the_api_is_handed_its_keys() -> None:
    settings = read({"DRIFTNET_API_KEYS": "one,two"})
    found = {each.name: environment(settings, each) for each in SERVICES}
    assert [name for name, values in found.items() if "DRIFTNET_API_KEYS" in values] == ["api"]
    assert found["api"]["DRIFTNET_API_KEYS"] == "one,two"
    assert all(values["DRIFTNET_SCHEDULE"] == TIMETABLE for values in found.values())
    assert {job.name for job in read_timetable(TIMETABLE)} == {"run", "compact"}


def test_a_home_without_a_champion_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DRIFTNET_HOME", str(tmp_path))
    assert cli.call(["up"]) == 2
    assert "driftnet retrain --initial" in capsys.readouterr().err


@pytest.mark.slow
def test_the_services_run_mend_themselves_and_stop_on_ctrl_c(tmp_path: Path) -> None:
    make_models(tmp_path)
    landing = tmp_path / "landing" / "phishing_logs"

    def landed() -> int:
        return sum(pq.read_metadata(path).num_rows for path in landing.glob("*/p=*/*.parquet"))

    secrets = {
        "DRIFTNET_API_KEYS": f"{KEY},another-key-of-somebody",
        "DRIFTNET_ALERT_URLS": "json://somebody:secret-token@127.0.0.1:9/",
        "DRIFTNET_SCHEDULE": "land=* * * * *",
    }
    with up(tmp_path, **secrets) as services:
        services.until(services.is_ready)
        post(f"{services.api}/predict", ONE, KEY)
        services.until(lambda: landed() == 1)
        services.until(lambda: services.told("scheduler", "scheduling"))
        first = dict(services.pids)
        assert set(first) == {service.name for service in SERVICES}
        for pid in first.values():
            os.kill(pid, signal.SIGKILL)
        services.until(lambda: set(services.pids.values()).isdisjoint(first.values()))
        services.until(services.is_ready)
        post(f"{services.api}/predict", ONE, KEY)
        services.until(lambda: landed() == 2)
        assert services.end() == 0
        assert not [name for name, pid in services.pids.items() if is_alive(pid)]
        told = [json.loads(line) for line in services.lines if line.startswith("{")]
        last = {line["service"]: line["exit_code"] for line in told if line["event"] == "exited"}
        assert last == {service.name: 0 for service in SERVICES}
    assert not [
        line for line in services.lines if not isinstance(json.loads(line.split(" | ")[-1]), dict)
    ]
    said = "\n".join(services.lines)
    for word in ("login.example.com", KEY, "another-key", "secret-token", "://"):
        assert word not in said
