"""A fresh home for a demo: made from nothing, never by emptying a folder that is not a demo's."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from ingest.errors import InputError
from ops.settings import Settings

MARK = "DEMO.txt"


def fresh_home(home: Path, keep: bool) -> Path:
    """Make an empty home for a demo.

    Parameters
    ----------
    home
        Where; what a former demo left there is removed.
    keep
        Refuse instead of removing.

    Raises
    ------
    InputError
        The folder holds something that is not a demo's, or a former demo that is to be kept.
    """
    if home.exists() and not home.is_dir():
        raise InputError(f"{home} is a file: give --home a folder")
    if home.is_dir() and any(home.iterdir()):
        if not (home / MARK).is_file():
            raise InputError(f"{home} is not empty and not a demo's: give --home a new folder")
        if keep:
            raise InputError(f"{home} holds a former demo: give --home a new folder, or not --keep")
        # The mark goes last: a removal that was cut off can be taken up again.
        for path in sorted(home.iterdir(), key=lambda path: path.name == MARK):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
    home.mkdir(parents=True, exist_ok=True)
    (home / MARK).write_text("Made by `driftnet demo`, which may remove this folder again.\n")
    return home


def fresh_topics(settings: Settings, servers: str) -> Settings:
    """Return settings for a demo through Kafka, with topics of its own.

    Other events may stand in the usual topics of that Kafka, and a demo removes nothing there: so
    its topics bear the time at which it began.
    """
    mark = f"{datetime.now(UTC):%Y%m%d-%H%M%S}"
    return replace(
        settings.with_kafka(servers),
        predictions_topic=f"demo-{mark}-predictions",
        labels_topic=f"demo-{mark}-labels",
    )
