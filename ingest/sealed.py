"""A sealed folder: whole when it is visible, and it tells when it was touched.

Every file of it has its sha256 in ``checksums.json``. It is written under a hidden name beside its
final one, synced, and renamed: a reader sees nothing or all of it.
"""

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from ingest.errors import DriftnetError, InputError

CHECKSUMS = "checksums.json"


def sync(path: Path) -> None:
    """Make a file's bytes, or a folder's names, durable."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sha256(path: Path) -> str:
    """Return the sha256 of a file as hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def replace_text(path: Path, text: str) -> None:
    """Replace a small file at once: a reader sees the old text or the new one, never a part."""
    temporary = path.with_name(f".{path.name}-{uuid.uuid4().hex}")
    try:
        temporary.write_text(text, encoding="utf-8")
        sync(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync(path.parent)


def seal(folder: Path, files: Mapping[str, Callable[[Path], object]]) -> None:
    """Write a folder of files and make it visible by one rename.

    Parameters
    ----------
    folder
        Where the folder shall stand; it must not be there yet.
    files
        For each file name a function that writes the file to the path it is given.

    Raises
    ------
    InputError
        `folder` is there already (also when another process was faster).
    """
    taken = InputError(f"{folder.name} of {folder.parent.name} exists already: choose another name")
    if folder.exists():
        raise taken
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = folder.with_name(f".{folder.name}-{uuid.uuid4().hex}")
    temporary.mkdir()
    try:
        sums = {}
        for name, write in sorted(files.items()):
            write(temporary / name)
            sync(temporary / name)
            sums[name] = sha256(temporary / name)
        text = json.dumps(sums, indent=2) + "\n"
        (temporary / CHECKSUMS).write_text(text, encoding="utf-8")
        sync(temporary / CHECKSUMS)
        sync(temporary)
        try:
            temporary.rename(folder)
        except OSError as error:
            if folder.exists():
                raise taken from error
            raise
        sync(folder.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def unseal(folder: Path, required: Collection[str], only: Collection[str] | None = None) -> None:
    """Check that a sealed folder is whole and untouched.

    Parameters
    ----------
    folder
        The folder.
    required
        Names of files that must be in it.
    only
        Check the content of these files alone (a quick look); None checks every file.

    Raises
    ------
    DriftnetError
        A file is missing, is new or has changed; the message names it and the remedy.
    """
    label = f"{folder.parent.name}/{folder.name}"
    remedy = f"restore folder {label} from a copy, or remove it and make it again"
    try:
        sums = json.loads((folder / CHECKSUMS).read_text(encoding="utf-8"))
        present = {path.name for path in folder.iterdir()} - {CHECKSUMS}
    except (OSError, ValueError):
        raise DriftnetError(f"{label} is not whole: no readable {CHECKSUMS}; {remedy}") from None
    if not isinstance(sums, dict):
        raise DriftnetError(f"{label} is not whole: no readable {CHECKSUMS}; {remedy}")
    missing = sorted((set(required) | set(sums)) - present)
    if missing:
        raise DriftnetError(f"{label} is not whole: {missing[0]} is missing; {remedy}")
    unsigned = sorted(present - set(sums))
    if unsigned:
        raise DriftnetError(f"{label} holds {unsigned[0]}, which has no checksum; {remedy}")
    for name in sorted(sums if only is None else only):
        if sha256(folder / name) != sums[name]:
            raise DriftnetError(f"{label} was changed: {name} differs from its checksum; {remedy}")
