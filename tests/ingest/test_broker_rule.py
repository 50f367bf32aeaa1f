"""The tests of the broker: skipped where there is no Java, failing there under CI, and told of."""

import re
import shutil
from typing import Any

import pytest

from tests import brokers


@pytest.mark.parametrize(("is_ci", "outcome"), [(False, pytest.skip), (True, pytest.fail)])
def test_without_java_broker_tests_are_skipped_and_under_ci_they_fail(
    monkeypatch: pytest.MonkeyPatch, is_ci: bool, outcome: Any
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.delenv("CI", raising=False)
    if is_ci:
        monkeypatch.setenv("CI", "true")
    with pytest.raises(outcome.Exception, match="no broker: Java 17 and Maven are needed"):
        brokers.fetch_jars()


def test_the_faults_that_the_readme_names_have_their_tests() -> None:
    text = (brokers.ROOT / "ingest" / "README.md").read_text()
    files = list((brokers.ROOT / "tests" / "ingest").glob("test_*.py"))
    known = " ".join(re.findall(r"def test_(\w+)", "".join(path.read_text() for path in files)))
    table = text.partition("| fault | test |")[2]
    named = re.findall(r"`([a-z0-9]+_[a-z_0-9]+)(?:\.\.)?`", table)
    assert len(named) > 15
    assert [name for name in named if not re.search(rf"\b{name}", known)] == []
    for file in re.findall(r"`(?:tests/ops/)?(test_\w+\.py)`", table):
        assert list((brokers.ROOT / "tests").glob(f"*/{file}")), file
