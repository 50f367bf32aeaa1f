"""The bins of one feature, ready to show: which carry the score, the rest folded into one line."""

from collections.abc import Sequence
from dataclasses import dataclass

from reports.rows import BinRow

SHOWN = 14
MEANINGS = {
    "other": "rarer categories together",
    "new": "not seen when the bins were made",
    "null": "no value",
}


@dataclass(frozen=True)
class Bin:
    """One line of the comparison; shares in 0..1, `psi_share` is the part of the feature's psi."""

    label: str
    meaning: str
    reference_share: float | None
    current_share: float | None
    psi_part: float
    psi_share: float
    is_carrier: bool


@dataclass(frozen=True)
class Comparison:
    """The bins of a feature in one window; the parts of all lines sum to `psi`."""

    lines: tuple[Bin, ...]
    folded_count: int
    psi: float
    top_share: float

    @property
    def carriers(self) -> tuple[Bin, ...]:
        """The bins that together carry most of the score, the largest first."""
        found = (line for line in self.lines if line.is_carrier)
        return tuple(sorted(found, key=lambda line: -line.psi_part))


def compare(bins: Sequence[BinRow], shown: int = SHOWN) -> Comparison:
    """Return the bins in their order; of more than `shown`, those with the largest parts.

    Bins that are empty on both sides have no part and are left out. A bin is a
    carrier where its part is needed, largest first, to reach half of the score.
    """
    rows = [row for row in bins if row.reference_count or row.current_count]
    has_ranges = any(row.bin_kind == "range" for row in bins)
    psi = sum(row.psi_part or 0.0 for row in rows)
    by_part = sorted(rows, key=lambda row: -(row.psi_part or 0.0))
    kept = {row.bin_index for row in by_part[: shown if len(rows) > shown else len(rows)]}
    carrying, reached = set[int](), 0.0
    for row in by_part:
        if reached >= psi / 2:
            break
        carrying.add(row.bin_index)
        reached += row.psi_part or 0.0
    lines = [
        _line(row.bin_label, _meaning(row, has_ranges), [row], psi, row.bin_index in carrying)
        for row in rows
        if row.bin_index in kept
    ]
    rest = [row for row in rows if row.bin_index not in kept]
    if rest:
        lines.append(_line(f"{len(rest)} more bins", "", rest, psi, is_carrier=False))
    shares = [share for line in lines for share in (line.reference_share, line.current_share)]
    top = max((share for share in shares if share is not None), default=1.0)
    return Comparison(tuple(lines), len(rest), psi, top)


def _line(label: str, meaning: str, rows: Sequence[BinRow], psi: float, is_carrier: bool) -> Bin:
    part = sum(row.psi_part or 0.0 for row in rows)
    return Bin(
        label=label,
        meaning=meaning,
        reference_share=sum(row.reference_share or 0.0 for row in rows),
        current_share=sum(row.current_share or 0.0 for row in rows),
        psi_part=part,
        psi_share=part / psi if psi > 0 else 0.0,
        is_carrier=is_carrier,
    )


def _meaning(row: BinRow, has_ranges: bool) -> str:
    if row.bin_kind == "value" and has_ranges:
        return "exactly"
    return MEANINGS.get(row.bin_kind, "")
