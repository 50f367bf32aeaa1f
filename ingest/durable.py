"""Folders and writes that survive a power cut once the call returns."""

import os
from pathlib import Path

from ingest.sealed import sync

__all__ = ["make_folder", "sync", "write_all"]


def make_folder(folder: Path) -> None:
    """Make a folder with its parents, and make their names durable."""
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        sync(path.parent)


def write_all(file: int, data: bytes, at: int) -> None:
    """Write all of `data` at position `at` of an open file (a write may take only a part)."""
    view = memoryview(data)
    while view:
        done = os.pwrite(file, view, at)
        view, at = view[done:], at + done
