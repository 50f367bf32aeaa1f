"""Homes for the tests of the warehouse."""

from collections.abc import Callable

import pytest

from tests.warehouse.home import Home


@pytest.fixture(scope="module")
def make_home(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Home]:
    """Return a maker of homes, each in a fresh folder."""

    def make() -> Home:
        return Home(tmp_path_factory.mktemp("home"))

    return make
