"""A retraining in a process of its own that says at which stage it is."""

import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ingest import model as models
from ingest.synthesize import START
from ops import learning
from ops.settings import read

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def main(home: Path) -> None:
    """Retrain by force as of week 21."""
    save = models.save

    def slowly(*words: Any, **names: Any) -> Any:
        print("saving", flush=True)
        card = save(*words, **names)
        print("saved", flush=True)
        return card

    models.save = slowly
    as_of = (START + timedelta(weeks=21)).replace(tzinfo=None)
    learning.retrain(
        replace(read({}), home=home),
        lambda: NOW,
        "urls",
        as_of=as_of,
        force=True,
        advance=lambda count: print("training", flush=True),
    )
    print("done", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
