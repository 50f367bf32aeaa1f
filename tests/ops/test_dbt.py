import json
import sys
from pathlib import Path

import pytest

from ingest.errors import DriftnetError
from ops import dbt
from ops.settings import CHECKOUT, Settings

SPEAKER = """
import json, os, sys
lines = json.loads(open(sys.argv[1]).read())
for line in lines:
    print(line if isinstance(line, str) else json.dumps(line))
print(os.environ["DRIFTNET_HOME"], os.environ["DO_NOT_TRACK"], os.getcwd())
sys.exit(int(sys.argv[2]))
"""


def said(name: str, message: str, level: str = "info", **data: object) -> dict[str, object]:
    return {"info": {"name": name, "msg": message, "level": level}, "data": data}


def node(index: int, total: int, name: str, status: str) -> dict[str, object]:
    return said(
        "LogModelResult", "", index=index, total=total, status=status, node_info={"node_name": name}
    )


@pytest.fixture
def speak(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    settings = Settings(home=tmp_path / "home")

    def run(lines: list[object], code: int = 0) -> tuple[dbt.Outcome, list[dbt.Step], Path]:
        script, text = tmp_path / "dbt.py", tmp_path / "lines.json"
        script.write_text(SPEAKER)
        text.write_text(json.dumps(lines))
        command = [sys.executable, str(script), str(text), str(code)]
        monkeypatch.setattr(dbt, "command", lambda settings, verb: command)
        steps: list[dbt.Step] = []
        outcome = dbt.run(settings, "build", steps.append)
        return outcome, steps, settings.temporary / "dbt" / "build.log"

    return run


def test_finished_nodes_become_steps(speak) -> None:  # type: ignore[no-untyped-def]
    outcome, steps, _ = speak([node(1, 2, "int_folds", "OK"), node(2, 2, "a_test", "pass")])
    assert [(step.index, step.total, step.name) for step in steps] == [
        (1, 2, "int_folds"),
        (2, 2, "a_test"),
    ]
    assert outcome.counts == {"ok": 1, "pass": 1}


def test_a_failure_is_the_first_errors_in_one_line_each_and_the_log(speak) -> None:  # type: ignore[no-untyped-def]
    errors = [said("RunResultError", f"Error {n}\n\n  in\tmodel", "error") for n in range(6)]
    with pytest.raises(DriftnetError) as failure:
        speak([node(1, 1, "x", "error"), *errors], code=1)
    lines = str(failure.value).splitlines()
    assert lines[0] == "dbt failed, nothing was published"
    assert lines[1].strip() == "Error 0 in model"
    assert lines[5].strip() == "and 2 more"
    assert lines[6].strip().endswith("build.log")


def test_a_failure_without_a_word_of_dbt_shows_the_last_lines(speak) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(DriftnetError, match="No module named nothing"):
        speak(["ImportError: No module named nothing"], code=1)


def test_lines_that_are_not_of_dbt_are_kept_in_the_log(speak) -> None:  # type: ignore[no-untyped-def]
    _, _, log = speak(["a stray line", said("MainReportVersion", "Running with dbt=1.11")])
    written = log.read_text()
    assert "a stray line" in written
    assert "Running with dbt=1.11" in written
    assert f"1 {CHECKOUT}" in written


def test_the_command_keeps_what_dbt_makes_out_of_the_source(tmp_path: Path) -> None:
    words = dbt.command(Settings(home=tmp_path), "build")
    for option in ("--target-path", "--log-path"):
        assert Path(words[words.index(option) + 1]).is_relative_to(tmp_path)
    assert Path(words[0]).exists()
