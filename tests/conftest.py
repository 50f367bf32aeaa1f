"""What several rooms' tests share: the folder of real data, when it is there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.brokers import ABSENT, Running, running

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real data; the test is skipped where the folder is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"no real data: {SHARED_DATA.parent.name}/{SHARED_DATA.name} is absent")
    return SHARED_DATA


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Give a broker that tests share; each uses topics and groups of its own."""
    with running(tmp_path_factory.mktemp("broker")) as found:
        yield found


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line when there was no broker to test against."""
    skipped = terminalreporter.stats.get("skipped", [])
    count = sum(ABSENT in str(report.longrepr) for report in skipped)
    if count:
        terminalreporter.write_line(f"{count} tests skipped: {ABSENT}")
