"""Schemathesis asks the API what its OpenAPI allows, and what it does not: nothing is found.

And what the API acknowledged under this fire lands without one bad row.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import strategies as st

from ingest.features import FEATURES
from ingest.landing import land
from ingest.serving.limits import Limits
from tests.ingest.api_home import TOPICS, Api

KEY = "correct-horse-battery"
EXAMPLES = 1_000
WITH_BODIES = ("POST /predict", "POST /labels")
# The largest list of the longest texts fits the body: a valid request is never too large.
LIMITS = Limits(body_bytes=1 << 18, batch=20, text_length=1_000)


@pytest.fixture
def past_times() -> Iterator[None]:
    """Let times be drawn from the past: no schema can say that the future is refused."""
    from schemathesis import openapi
    from schemathesis.specs.openapi import formats

    before = dict(formats.STRING_FORMATS)
    past = st.datetimes(datetime(2000, 1, 2), datetime(2026, 1, 1))
    openapi.format("date-time", past.map(lambda moment: moment.isoformat() + "Z"))
    yield
    formats.STRING_FORMATS.clear()
    formats.STRING_FORMATS.update(before)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.usefixtures("past_times")
@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")
def test_schemathesis_finds_nothing(served_home: Path) -> None:
    import schemathesis
    from schemathesis.config import SchemathesisConfig
    from schemathesis.engine import events, from_schema

    api = Api(served_home, keys=[KEY], limits=LIMITS, clock=lambda: datetime.now(UTC))
    config = SchemathesisConfig.from_dict(
        {
            "seed": 7,
            "headers": {"Authorization": f"Bearer {KEY}"},
            "generation": {"max-examples": EXAMPLES, "database": "none"},
            "cache": {"enabled": False},
        }
    )
    schema = schemathesis.openapi.from_asgi("/openapi.json", api.app, config=config)
    found: list[str] = []
    cases: Counter[str] = Counter()
    checks: set[str] = set()
    for event in from_schema(schema).execute():
        if isinstance(event, events.NonFatalError):
            found.append(f"{event.label}: {event.value!r}")
        elif isinstance(event, events.FatalError):
            found.append(repr(event.exception))
        elif isinstance(event, events.ScenarioFinished) and event.label is not None:
            cases[event.label] += len(event.recorder.cases)
            for node in (node for nodes in event.recorder.checks.values() for node in nodes):
                checks.add(node.name)
                if node.failure_info is not None:
                    told = node.failure_info
                    found.append(f"{event.label}: {told.failure}\n{told.code_sample[:1000]}")
    assert found == []
    assert all(cases[label] >= EXAMPLES for label in WITH_BODIES), cases
    assert {"status_code_conformance", "ignored_auth", "negative_data_rejection"} <= checks
    assert len(checks) >= 14
    _all_landed_well(api, served_home / "landing")


def _all_landed_well(api: Api, landing: Path) -> None:
    landed = land(
        api.kept, TOPICS.predictions, "prediction", landing, FEATURES, lambda: datetime.now(UTC)
    )
    assert landed.row_count == len(api.events())
    assert landed.row_count > EXAMPLES / 4
    assert landed.error_count == 0
    labels = land(api.kept, TOPICS.labels, "label", landing, [], lambda: datetime.now(UTC))
    assert labels.row_count > EXAMPLES / 4
    assert labels.error_count == 0
