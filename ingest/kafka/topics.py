"""Topics of Kafka: made with stated partitions, and known by the id of their incarnation."""

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, Self

from kafka import OffsetAndMetadata, TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError, TopicAlreadyExistsError

from ingest.errors import DriftnetError
from ingest.fields import MAX_MESSAGE_BYTES
from ingest.kafka.client import Kafka, explained, opened

MAX_REQUEST_BYTES: Final = MAX_MESSAGE_BYTES + (1 << 16)
"""The longest message with what Kafka puts around it."""


class Replaced(DriftnetError):  # noqa: N818 - a state of a topic, named as it is spoken of
    """A topic was deleted, or deleted and made again, while it was being landed."""


class KafkaTopics:
    """What is asked and told about topics.

    Parameters
    ----------
    kafka
        Where.
    """

    def __init__(self, kafka: Kafka) -> None:
        self._kafka = kafka
        self._admin = opened(kafka, KafkaAdminClient)
        with explained(kafka):
            self._cluster = str(self._admin.describe_cluster()["cluster_id"])

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connection."""
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._admin.close()

    def make(self, names: Iterable[str]) -> None:
        """Make the topics that are not there, with the partitions of the settings."""
        absent = [name for name in names if self._describe(name) is None]
        if not absent:
            return
        options = {
            "num_partitions": self._kafka.partitions,
            "replication_factor": self._kafka.replication,
            "configs": {"max.message.bytes": str(MAX_REQUEST_BYTES)},
        }
        with explained(self._kafka):
            with suppress(TopicAlreadyExistsError):  # another was quicker
                self._admin.create_topics(dict.fromkeys(absent, options))
            self._admin.wait_for_topics(absent)

    def source_id(self, name: str) -> str | None:
        """Return the incarnation of a topic, fit for a folder; None when it is not there."""
        found = self._describe(name)
        if found is None:
            return None
        return re.sub(r"[^A-Za-z0-9_-]", "-", self._cluster) + "." + str(found["topic_id"])

    def partitions(self, name: str) -> list[int]:
        """Return the partitions there are now; none of a topic that is not there."""
        found = self._describe(name)
        return sorted(part["partition_index"] for part in found["partitions"]) if found else []

    def check(self, name: str, source_id: str) -> None:
        """Refuse a topic that is not the one that was read.

        Raises
        ------
        Replaced
            With the remedy.
        """
        found = self.source_id(name)
        if found == source_id:
            return
        what = "deleted" if found is None else "deleted and made again"
        raise Replaced(
            f"topic {name} was {what} while it was being landed: nothing more was added to"
            f" {source_id}; start the lander again, and it lands the topic that is there now from"
            " its beginning, as a source of its own"
        )

    def hint(self, group: str, offsets: Mapping[TopicPartition, int]) -> None:
        """Tell a group without members how far it is; nothing depends on it."""
        told = {place: OffsetAndMetadata(offset, "", -1) for place, offset in offsets.items()}
        with suppress(KafkaError):
            self._admin.alter_group_offsets(group, told)

    def _describe(self, name: str) -> dict[str, Any] | None:
        with explained(self._kafka):
            found = dict(self._admin.describe_topics([name])[0])
        if found["error_code"] == 3 or (not found["error_code"] and not found["partitions"]):
            return None
        if found["error_code"]:
            raise DriftnetError(f"Kafka says error {found['error_code']} of topic {name}")
        return found
