"""A build refuses settings that it cannot honour, all of them at once, and before it writes."""

import json
from collections.abc import Callable

from tests.warehouse.home import Home

WRONG = {
    "gate_grain": "hour",
    "sample_grains": ["month"],
    "vector_grains": ["month", "week"],
    "sample_segments": ["country"],
    "segment_metrics": ["psi", "psy"],
    "segment_reference_kinds": ["training", "seasonal"],
    "bins": 126,
    "alpha": "low",
    "batch_rows": 0,
}


def test_settings_that_no_build_can_honour_are_named_and_refused(
    make_home: Callable[[], Home],
) -> None:
    home = make_home()
    said = home.refusal("--vars", json.dumps(WRONG))
    assert "gate_grain names hour, not one of day, week, month" in said
    assert "vector_grains names week, not one of month" in said
    assert "sample_segments names country, not one of channel, scheme, public_suffix" in said
    assert "segment_metrics names psy, not one of psi, kl_divergence" in said
    assert "bins is 126, not a number from 2 to 125" in said
    assert "alpha is low, not a number from 0 to 1" in said
    assert "batch_rows is 0, not a number from 1" in said
    assert "names month" not in said
    assert "segment_reference_kinds" not in said
    assert not (home.path / "warehouse" / "driftnet.duckdb").exists()
