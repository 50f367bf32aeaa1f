"""Streams by name, and what is told of them: alarms and advice."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from ingest.happenings import Happening, identify
from stream.gap import Gap
from stream.panel import Sign
from stream.policy import Kind

WHOLE: Final = "all"
ERRORS: Final = "errors"
SCORE: Final = "score"
_FEATURE: Final = "feature:"


class Stream(NamedTuple):
    """Which values: of a model version, and there of a segment.

    `signal` is errors, score, or feature:<name>.
    """

    model_name: str
    model_version: str
    signal: str
    segment_name: str = WHOLE
    segment_value: str = WHOLE

    @property
    def kind(self) -> Kind:
        """Return what kind of values it has."""
        return "error" if self.signal == ERRORS else "value"

    @property
    def whole(self) -> "Stream":
        """Return the same signal of the whole model version."""
        return self._replace(segment_name=WHOLE, segment_value=WHOLE)

    @property
    def subject_name(self) -> str:
        """Return how incidents and suites call it.

        Examples
        --------
        >>> Stream("m", "1", "errors", "channel", "mail").subject_name
        'errors (channel mail)'
        """
        name = self.signal.removeprefix(_FEATURE)
        segment = "" if self == self.whole else f" ({self.segment_name} {self.segment_value})"
        return name + segment


def feature_signal(name: str) -> str:
    """Return the signal of a feature."""
    return _FEATURE + name


@dataclass(frozen=True)
class Alarm:
    """One alarm or advice, or a gap in what was watched, fit for the checkpoint.

    Parameters
    ----------
    stream, kind, detectors, epoch, count, usual, recent
        As `Stream` and `stream.panel.Sign`.
    happened_at
        Time of the value that raised it, by its own clock; RFC 3339.
    position
        Where that value stands in the log or the warehouse.
    is_told
        Whether it goes to the alert channel at once: an alarm does; that of a segment only when
        the whole has not just alarmed.
    note
        Of a gap: what is missing; `count` are its messages.
    """

    stream: Stream
    kind: str
    detectors: tuple[str, ...]
    epoch: int
    count: int
    usual: float
    recent: float
    happened_at: str
    position: str
    is_told: bool = False
    note: str = ""

    @property
    def alarm_id(self) -> UUID:
        """Return its id: the same facts give the same id, however often they are seen."""
        who = "" if self.kind == "alarm" else "+".join(self.detectors)
        return identify("stream", self.kind, *self.stream, who, self.epoch, self.position)

    @property
    def severity(self) -> int:
        """Return 2 for an alarm of a whole version, 1 for that of a segment or a gap, else 0."""
        if self.kind == "alarm":
            return 1 if self.stream != self.stream.whole else 2
        return int(self.kind == "gap")

    @property
    def summary(self) -> str:
        """Return one line for people."""
        stream = self.stream
        name = f"{stream.model_name} version {stream.model_version}, {stream.subject_name}"
        if self.note:
            return f"{name}: {self.note}"
        who = ", ".join(self.detectors)
        said = f"{who} agree" if self.kind == "alarm" else f"{who} alone advises a look"
        if stream.kind == "error":
            what = f"error rate {self.usual:.1%} -> {self.recent:.1%}"
        else:
            what = f"mean place among the reference {self.usual:.2f} -> {self.recent:.2f}"
        return f"{name}: {what} ({said})"

    def happening(self) -> Happening:
        """Return it as it lands."""
        return Happening(
            happening_id=self.alarm_id,
            happened_at=datetime.fromisoformat(self.happened_at),
            room="stream",
            kind=self.kind,
            model_name=self.stream.model_name,
            model_version=self.stream.model_version,
            subject_name=self.stream.subject_name,
            severity=self.severity,
            summary=self.summary,
            detail={
                "signal": self.stream.signal,
                "segment_name": self.stream.segment_name,
                "segment_value": self.stream.segment_value,
                "detectors": list(self.detectors),
                "epoch": self.epoch,
                "value_count": self.count,
                "usual": self.usual,
                "recent": self.recent,
            },
            source_position=self.position,
        )

    def to_json(self) -> dict[str, Any]:
        """Return it fit for JSON."""
        return {**asdict(self), "stream": list(self.stream), "detectors": list(self.detectors)}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "Alarm":
        """Return the alarm that `to_json` wrote."""
        told = {**found, "stream": Stream(*found["stream"]), "detectors": tuple(found["detectors"])}
        return cls(**told)


def alarm_of(stream: Stream, sign: Sign, moment: datetime, position: str) -> Alarm:
    """Return what is told of a sign of a stream's panel.

    Parameters
    ----------
    stream, sign
        Which stream; what its panel said.
    moment
        Of the value; naive is UTC.
    position
        Of the value.
    """
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return Alarm(
        stream,
        sign.kind,
        sign.detectors,
        sign.epoch,
        sign.count,
        sign.usual,
        sign.recent,
        aware.isoformat(),
        position,
    )


def gap_alarm(stream: Stream, gap: Gap, now: datetime) -> Alarm:
    """Return what is told of a gap in the values of a stream, noticed now (aware)."""
    count = gap.end - gap.begin
    at, place = now.astimezone(UTC).isoformat(), f"{gap.place}/{gap.begin}"
    return Alarm(stream, "gap", (), 0, count, 0.0, 0.0, at, place, note=gap.line)
