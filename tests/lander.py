"""A lander in a process of its own, to be killed and frozen: `python -m tests.lander JSON`.

It says READY, then each line of the lander; with `widen` it says LINKING and waits between the
write of a file and its link. With `rename` the link is replaced by a rename, which fences nobody.
"""

import json
import os
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from ingest.durable import sync
from ingest.kafka.client import Kafka
from ingest.kafka.lander import KafkaLander
from ingest.kafka.share import Landing
from ingest.landed import chain


def say(line: str) -> None:
    print(line, flush=True)


def main(told: dict[str, object]) -> None:
    asked: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: asked.append(number))
    widen = float(str(told["widen"]))
    if widen:
        commit = _rename if told["rename"] else chain.commit

        def slow(temporary: Path, folder: Path, position: int) -> Path:
            say("LINKING")
            time.sleep(widen)
            return commit(temporary, folder, position)

        chain.commit = slow
    kafka = Kafka(**told["kafka"])  # type: ignore[arg-type]
    landing = Landing(
        dict(told["topics"]),  # type: ignore[call-overload]
        Path(str(told["folder"])),
        list,
        lambda: datetime.now(UTC),
        float(str(told["max_age"])),
    )
    lander = KafkaLander(kafka, landing, once=False, is_ending=lambda: bool(asked), tell=say)
    say("READY")
    landed = lander.run()
    say(f"DONE {sum(count.row_count for count in landed.values())}")


def _rename(temporary: Path, folder: Path, position: int) -> Path:
    final = folder / chain.file_name(position)
    sync(temporary)
    os.replace(temporary, final)  # noqa: PTH105
    sync(folder)
    return final


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
