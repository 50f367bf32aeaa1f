"""What the tests of the roof share."""

from pathlib import Path

import pytest

from tests.ops.watched import make_watched


@pytest.fixture(scope="session")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home with marts and a verdict; tests may add to it."""
    return make_watched(tmp_path_factory.mktemp("watched"))
