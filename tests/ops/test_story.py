from dataclasses import replace
from datetime import datetime, timedelta

from ops.story import (
    Decision,
    Planted,
    calm,
    counts_by_window,
    find,
    lines_by_year,
    rises,
    sparkline,
)

MONDAY = datetime(2021, 3, 1)
WEEK = timedelta(days=7)


def week(number: int, severity: int, feature: str = "path_depth") -> Decision:
    start = MONDAY + number * WEEK
    return Decision(start, start + WEEK, "covariate", feature, severity)


def drift(**changes: object) -> Planted:
    values: dict[str, object] = {
        "kind": "covariate",
        "starts_at": MONDAY + WEEK + timedelta(days=3),
        "ends_at": MONDAY + 3 * WEEK,
        "features": frozenset({"path_depth"}),
    }
    return Planted(**{**values, **changes})  # type: ignore[arg-type]


def test_the_delay_runs_from_the_planted_start_to_the_end_of_the_window_that_shows_it() -> None:
    found = find(drift(), [week(0, 0), week(1, 1), week(2, 2), week(3, 2)])
    assert found.outcome == "seen"
    assert found.warned_at == MONDAY + 2 * WEEK
    assert found.failed_at == MONDAY + 3 * WEEK
    assert found.delay_days == 11.0


def test_a_warning_is_not_a_hit() -> None:
    found = find(drift(), [week(1, 1), week(2, 1)])
    assert found.outcome == "warned"
    assert found.delay_days == 4.0


def test_another_feature_and_another_time_do_not_count_as_seen() -> None:
    elsewhere = [week(1, 2, "scheme"), week(0, 2), week(3, 2)]
    assert find(drift(), elsewhere).outcome == "missed"
    assert find(drift(features=frozenset()), elsewhere).outcome == "seen"


def test_what_only_labels_can_show_is_not_looked_for_in_the_inputs() -> None:
    concept = drift(kind="concept", features=frozenset(), suites=frozenset({"quality"}))
    inputs = [week(1, 2), week(2, 2)]
    assert find(concept, inputs).outcome == "not looked for"
    calm_errors = replace(week(1, 0, "accuracy"), drift_kind="quality")
    assert find(concept, [*inputs, calm_errors]).outcome == "missed"
    assert find(concept, [*inputs, replace(calm_errors, severity=2)]).features == ("accuracy",)


def test_false_alarms_are_looked_for_where_no_planted_drift_is() -> None:
    rows = [week(number, 2) for number in range(5)]
    assert [row.window_start_at for row in calm([drift()], rows)] == [
        MONDAY,
        MONDAY + 3 * WEEK,
        MONDAY + 4 * WEEK,
    ]
    assert not calm([drift(starts_at=MONDAY, ends_at=None)], rows)


def test_a_window_counts_its_features_at_fail_and_all_that_were_judged() -> None:
    rows = [week(0, 2), week(0, 1, "scheme"), week(1, 2), week(1, 2, "scheme")]
    assert counts_by_window(rows) == {MONDAY: (1, 2), MONDAY + WEEK: (2, 2)}


def test_a_year_is_a_line_of_its_iso_weeks() -> None:
    counts = {datetime(2020, 12, 28): 1, datetime(2021, 1, 4): 8, datetime(2021, 1, 18): 0}
    first, second = lines_by_year(counts)
    assert first == (2020, "_" * 52 + ".")
    assert second == (2021, "#_ " + "_" * 49)


def test_a_line_without_any_drift_is_blank_and_an_empty_one_is_empty() -> None:
    assert sparkline([0, 0]) == "  "
    assert sparkline([]) == ""


def test_the_steepest_rise_is_told_from_the_highest_count() -> None:
    counts = {MONDAY + number * WEEK: value for number, value in enumerate([0, 0, 6, 7, 7, 8])}
    found = rises(counts)
    assert max(found, key=lambda at: found[at]) == MONDAY + 2 * WEEK
