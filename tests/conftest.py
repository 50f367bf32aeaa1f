"""What several rooms' tests share: the folder of real data, when it is there."""

import gc
import socket
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


@pytest.fixture
def lost_sockets() -> Iterator[None]:
    """Close the sockets that kafka-python leaves open when a connection is refused."""
    before = {id(held) for held in _open_sockets()}
    yield
    for left in _open_sockets():
        if id(left) not in before:
            left.close()


def _open_sockets() -> list[socket.socket]:
    return [x for x in gc.get_objects() if issubclass(type(x), socket.socket) and x.fileno() != -1]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line when there was no broker to test against."""
    skipped = terminalreporter.stats.get("skipped", [])
    count = sum(ABSENT in str(report.longrepr) for report in skipped)
    if count:
        terminalreporter.write_line(f"{count} tests skipped: {ABSENT}")
