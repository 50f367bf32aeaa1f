"""What the tests of the roof share."""

from pathlib import Path

import pytest

from tests.ops.demos import make_demo
from tests.ops.watched import make_watched


@pytest.fixture(scope="session")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home with marts and a verdict; tests may add to it."""
    return make_watched(tmp_path_factory.mktemp("watched"))


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Return the home of the demo on made-up traffic, and its story; tests may add to it."""
    return make_demo(tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="session")
def real(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Return the home of the demo on the real stream of 2020 to 2022, and its story."""
    events = shared_data / "url_stream_2019_2022.parquet"
    words = ("--events", str(events), "--train-until", "2020-01-01")
    return make_demo(tmp_path_factory.mktemp("real"), *words)
