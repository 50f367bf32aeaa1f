"""Where there is no Java the tests of the broker are skipped; under CI they fail instead."""

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
