"""The bins that carry a score, and what stands for the rest."""

import pytest

from reports.bins import compare
from reports.rows import BinRow


def _bin(index: int, part: float, kind: str = "category", count: int = 10) -> BinRow:
    share = count / 1000
    return BinRow("covariate", "f", index, f"label {index}", kind, count, count, share, share, part)


def test_the_carriers_are_the_fewest_bins_with_half_of_the_score() -> None:
    found = compare([_bin(0, 0.1), _bin(1, 0.3), _bin(2, 0.2), _bin(3, 0.01)])
    assert [line.label for line in found.carriers] == ["label 1", "label 2"]
    assert [line.label for line in found.lines] == [f"label {i}" for i in range(4)]


def test_many_bins_are_folded_and_nothing_is_lost() -> None:
    found = compare([_bin(index, index / 100) for index in range(50)], shown=5)
    assert (len(found.lines), found.folded_count) == (6, 45)
    assert found.lines[-1].label == "45 more bins"
    assert sum(line.psi_part for line in found.lines) == pytest.approx(found.psi)
    assert sum(line.current_share or 0 for line in found.lines) == pytest.approx(0.5)


def test_bins_empty_on_both_sides_are_left_out_and_single_values_named() -> None:
    found = compare([_bin(0, 0.1, "range"), _bin(1, 0.2, "value"), _bin(2, 0.0, "null", count=0)])
    assert [(line.label, line.meaning) for line in found.lines] == [
        ("label 0", ""),
        ("label 1", "exactly"),
    ]


def test_no_drift_has_no_carriers() -> None:
    assert compare([_bin(0, 0.0), _bin(1, 0.0)]).carriers == ()
