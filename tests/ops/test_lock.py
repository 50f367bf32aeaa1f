import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.errors import InputError
from ops import lock

NOON = datetime(2021, 5, 1, 12, tzinfo=UTC)


def test_the_second_holder_is_told_who_holds_since_when(tmp_path: Path) -> None:
    with (
        lock.hold(tmp_path, "build", lambda: NOON),
        pytest.raises(InputError) as refusal,
        lock.hold(tmp_path, "publish", lambda: NOON),
    ):
        pass
    assert f"build by process {os.getpid()}" in str(refusal.value)
    assert "2021-05-01T12:00:00+00:00" in str(refusal.value)
    assert refusal.value.exit_code == 2


def test_the_lock_is_free_again_after_an_error_and_after_a_kill(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), lock.hold(tmp_path, "build", lambda: NOON):
        _ = 1 // 0
    script = (
        "import os, signal, sys; from datetime import datetime, UTC; from pathlib import Path\n"
        "from ops import lock\n"
        "with lock.hold(Path(sys.argv[1]), 'build', lambda: datetime.now(UTC)):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    with lock.hold(tmp_path, "build", lambda: NOON):
        assert (tmp_path / "warehouse" / "build.holder").is_file()
    assert not (tmp_path / "warehouse" / "build.holder").exists()
