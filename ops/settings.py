"""What the surroundings say: the only module that reads the environment.

Every variable has a default, and a DRIFTNET_* variable that nobody reads is refused by name, so
that a typo never works silently.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.errors import DriftnetError, InputError
from ingest.subjects import SubjectStorage, subject_storage
from ops import settings_kafka, settings_listen
from ops.settings_listen import Listen

if TYPE_CHECKING:
    from ingest.kafka.client import Kafka

CHECKOUT = Path(__file__).resolve().parents[1]

#: name of the variable -> what it sets. profiles.yml and dbt_project.yml read the same names.
KNOWN: Mapping[str, str] = {
    "DRIFTNET_HOME": "folder of everything that is made (default: data)",
    "DRIFTNET_PREDICTIONS_TOPIC": "topic of predictions (default: phishing_logs)",
    "DRIFTNET_LABELS_TOPIC": "topic of labels (default: phishing_labels)",
    "DRIFTNET_SUBJECT_STORAGE": "what is kept of what is scored: full, host, hash (default: full)",
    "DRIFTNET_SCHEDULE": "what `driftnet schedule` runs (default: land each minute, run hourly)",
    "DRIFTNET_API_KEYS": "keys of the scoring API, with commas between (default: none)",
    "DRIFTNET_THREADS": "threads of dbt (default: 2)",
    "DRIFTNET_MEMORY_LIMIT": "memory of DuckDB before it spills to disk (default: 4GB)",
    **settings_listen.KNOWN,
    **settings_kafka.KNOWN,
    "DRIFTNET_ALERT_URLS": "addresses of apprise to tell incidents to, with blanks between them",
}

#: Variables that no other program is handed.
_ALERTS = ("DRIFTNET_ALERT_URLS", "SLACK_WEBHOOK_URL")
SECRET = frozenset({"DRIFTNET_API_KEYS", *_ALERTS, *settings_kafka.SECRET})

_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")
_SIZE = re.compile(r"\d+(\.\d+)?\s*([KMGT]i?B|%)", re.IGNORECASE)


@dataclass(frozen=True)
class Settings:
    """Where things are and how much they may take; made once by `read`, handed down as a value."""

    home: Path
    predictions_topic: str = "phishing_logs"
    labels_topic: str = "phishing_labels"
    threads: int = 2
    memory_limit: str = "4GB"
    subject_storage: SubjectStorage = "full"
    timetable: str = ""
    api_keys: tuple[str, ...] = field(default=(), repr=False)
    kafka: "Kafka | None" = None
    listen: Listen = field(default_factory=Listen)
    checkout: Path = CHECKOUT
    surroundings: Mapping[str, str] = field(default_factory=dict, repr=False)
    slack_webhook: str = field(default="", repr=False)
    alert_urls: tuple[str, ...] = field(default=(), repr=False)

    @property
    def log(self) -> Path:
        """Return the folder of the local event log."""
        return self.home / "log"

    @property
    def landing(self) -> Path:
        """Return the folder of the landed Parquet files."""
        return self.home / "landing"

    @property
    def models(self) -> Path:
        """Return the folder of the model folders."""
        return self.home / "models"

    @property
    def warehouse(self) -> Path:
        """Return the DuckDB file that only dbt writes."""
        return self.home / "warehouse" / "driftnet.duckdb"

    @property
    def published(self) -> Path:
        """Return the folder of the published copies."""
        return self.home / "published"

    @property
    def current(self) -> Path:
        """Return the link to the newest published copy."""
        return self.published / "current"

    @property
    def reports(self) -> Path:
        """Return the folder of the pages."""
        return self.home / "reports"

    @property
    def docs(self) -> Path:
        """Return the folder of the gate's data docs."""
        return self.home / "docs"

    @property
    def alerts(self) -> Path:
        """Return the folder of the incident log."""
        return self.home / "alerts"

    @property
    def schedule(self) -> Path:
        """Return the folder of what the scheduler ran."""
        return self.home / "schedule"

    @property
    def temporary(self) -> Path:
        """Return the folder of what may be deleted while nothing runs."""
        return self.home / "tmp"

    @property
    def project_dir(self) -> Path:
        """Return the dbt project of this checkout.

        Raises
        ------
        DriftnetError
            When Driftnet was installed without its checkout.
        """
        folder = self.checkout / "dbt_project"
        if not (folder / "dbt_project.yml").is_file():
            raise DriftnetError(
                f"no dbt project at {folder}: Driftnet runs from its checkout,"
                " install it there with `pip install -e .`"
            )
        return folder

    def at(self, home: Path) -> "Settings":
        """Return the same settings with another home."""
        return replace(self, home=home.absolute())

    def with_kafka(self, servers: str) -> "Settings":
        """Return the same settings with the event log in Kafka at these servers."""
        return replace(self, kafka=settings_kafka.at(servers, self.surroundings))

    def child_environment(self) -> dict[str, str]:
        """Return the environment of a verb that another verb runs."""
        kept = {name: x for name, x in self.surroundings.items() if name != "DRIFTNET_API_KEYS"}
        return {**kept, "DRIFTNET_HOME": str(self.home)}

    def dbt_environment(self) -> dict[str, str]:
        """Return the environment of a dbt process: ours, these settings, and no telemetry."""
        kept = {name: x for name, x in self.surroundings.items() if name not in SECRET}
        return {
            "OPENBLAS_NUM_THREADS": "1",  # DuckDB has the threads
            **kept,
            "DRIFTNET_HOME": str(self.home),
            "DRIFTNET_PREDICTIONS_TOPIC": self.predictions_topic,
            "DRIFTNET_LABELS_TOPIC": self.labels_topic,
            "DRIFTNET_THREADS": str(self.threads),
            "DRIFTNET_MEMORY_LIMIT": self.memory_limit,
            "DO_NOT_TRACK": "1",
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        }


def read(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from an environment.

    Parameters
    ----------
    environ
        Names and values; by default this process's own environment.

    Raises
    ------
    InputError
        For an unknown DRIFTNET_* variable or a value that cannot be used.

    Examples
    --------
    >>> read({}).home.name
    'data'
    >>> read({"DRIFTNET_HOEM": "data"})
    Traceback (most recent call last):
    ...
    ingest.errors.InputError: unknown setting DRIFTNET_HOEM; known are DRIFTNET_HOME, ...
    """
    values = os.environ if environ is None else environ
    unknown = sorted(name for name in values if name.startswith("DRIFTNET_") and name not in KNOWN)
    if unknown:
        raise InputError(f"unknown setting {', '.join(unknown)}; known are {', '.join(KNOWN)}")
    memory_limit = values.get("DRIFTNET_MEMORY_LIMIT", "4GB").strip()
    if not _SIZE.fullmatch(memory_limit):
        raise InputError(f"DRIFTNET_MEMORY_LIMIT is {memory_limit!r}; give a size such as 4GB")
    return Settings(
        home=Path(values.get("DRIFTNET_HOME") or "data").absolute(),
        predictions_topic=_topic(values, "DRIFTNET_PREDICTIONS_TOPIC", "phishing_logs"),
        labels_topic=_topic(values, "DRIFTNET_LABELS_TOPIC", "phishing_labels"),
        threads=_threads(values.get("DRIFTNET_THREADS", "2")),
        memory_limit=memory_limit,
        timetable=values.get("DRIFTNET_SCHEDULE", ""),
        subject_storage=subject_storage(values.get("DRIFTNET_SUBJECT_STORAGE") or "full"),
        api_keys=tuple(
            filter(None, map(str.strip, values.get("DRIFTNET_API_KEYS", "").split(",")))
        ),
        kafka=settings_kafka.kafka(values),
        listen=settings_listen.listen(values),
        surroundings=dict(values),
        slack_webhook=values.get("SLACK_WEBHOOK_URL", "").strip(),
        alert_urls=tuple(values.get("DRIFTNET_ALERT_URLS", "").split()),
    )


def use_one_thread() -> None:
    """Let the numeric libraries that this process loads from now on use one thread.

    For single rows that is the fastest: 5 ms against 69 ms at the 95th percentile.
    """
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = "1"


def _topic(values: Mapping[str, str], name: str, default: str) -> str:
    topic = values.get(name, default)
    if not _TOPIC.fullmatch(topic) or topic in {".", ".."}:
        raise InputError(f"{name} is {topic!r}; a topic has letters, digits, '.', '_' and '-'")
    return topic


def _threads(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise InputError(f"DRIFTNET_THREADS is {text!r}; give a whole number from 1 on")
    return int(text)
