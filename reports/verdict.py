"""What a verdict is: pass, warn or fail, with the rows that made it so."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

Status = Literal["pass", "warn", "fail"]

STATUSES: tuple[Status, Status, Status] = ("pass", "warn", "fail")


@dataclass(frozen=True)
class Offender:
    """A deciding row that is out of bounds: the value, the bounds it was judged by, how sure."""

    suite: str
    feature_name: str
    metric_name: str
    segment_name: str
    segment_value: str
    metric_value: float | None
    expected_value: float | None
    warn_bound: float | None
    fail_bound: float | None
    q_value: float | None
    severity: int
    mute: str = ""
    is_higher_better: bool = False

    @property
    def side(self) -> str:
        """On which side of its bound the value is, in a word."""
        return "under" if self.is_higher_better else "over"

    @property
    def bound(self) -> float | None:
        """The bound that was crossed: fail's at severity 2, else warn's."""
        return self.fail_bound if self.severity > 1 else self.warn_bound


@dataclass(frozen=True)
class Verdict:
    """The judgement of one window of one model version; times are UTC.

    `severities` holds the greatest severity (0, 1, 2) of each suite that was judged; `muted` are
    rows out of bounds that a mute keeps from deciding; `reason` says in words why, also where
    nothing could be judged; `evaluated_count` counts the results of Great Expectations and
    `deciding_count` those among them that decide; `is_stale` says that events have stopped to come;
    `data_docs` is the first page of the static site.
    """

    model_name: str
    model_version: str
    window_grain: str
    window_start_at: datetime | None
    window_end_at: datetime | None
    status: Status
    reason: str
    judged_at: datetime
    data_docs: Path
    severities: Mapping[str, int] = field(default_factory=dict)
    offenders: tuple[Offender, ...] = ()
    muted: tuple[Offender, ...] = ()
    evaluated_count: int = 0
    deciding_count: int = 0
    is_stale: bool = False

    @property
    def is_blind(self) -> bool:
        """Whether nothing could be judged."""
        return self.evaluated_count == 0
