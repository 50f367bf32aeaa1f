"""What several rooms' tests share: the folder of real data, when it is there."""

from pathlib import Path

import pytest

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real data; the test is skipped where the folder is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"no real data: {SHARED_DATA.parent.name}/{SHARED_DATA.name} is absent")
    return SHARED_DATA
