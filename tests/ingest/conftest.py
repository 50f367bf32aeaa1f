"""What the tests of the scoring API share: a home with a champion."""

from pathlib import Path

import pytest

from tests.ingest.api_home import copy_home, make_models


@pytest.fixture(scope="session")
def served_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_models(tmp_path_factory.mktemp("served"))


@pytest.fixture
def served_home(served_models: Path, tmp_path: Path) -> Path:
    return copy_home(served_models, tmp_path / "home")
