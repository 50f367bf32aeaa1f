"""Events: what is written is read back, what breaks a rule is named."""

import json
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import InputError
from ingest.events import Label, Prediction, parse_label, parse_prediction

NOW = datetime(2026, 1, 1, tzinfo=UTC)
EVENT = Prediction(UUID(int=7), NOW, "churn", "3", 0.25, {"age": 41})

names = st.from_regex(r"[a-z_][a-z0-9_]{0,62}", fullmatch=True)
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=50)
finite = st.floats(allow_nan=False, allow_infinity=False)
shares = st.floats(0, 1)
moments = st.datetimes(
    datetime(2000, 1, 2), datetime(2100, 1, 1), timezones=st.sampled_from([UTC, timezone.min])
)
predictions = st.builds(
    Prediction,
    event_id=st.uuids(),
    occurred_at=moments,
    model_name=texts,
    model_version=texts,
    score=shares,
    features=st.dictionaries(names, st.none() | st.booleans() | finite | texts, max_size=5),
    threshold=st.none() | shares,
    is_predicted_positive=st.none() | st.booleans(),
    embedding=st.none()
    | st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=8),
    channel=st.none() | texts,
    subject=st.none() | texts,
    cluster=st.none() | texts,
    latency_ms=st.none() | st.floats(0, allow_infinity=False),
)


@given(predictions)
def test_a_prediction_is_read_back_as_it_was_written(event: Prediction) -> None:
    read = parse_prediction(event.to_json())
    for name in ("embedding",):
        written, found = getattr(event, name), getattr(read, name)
        assert (written is None) == (found is None)
        if written is not None:
            assert np.array_equal(np.float32(written), np.float32(found))
    assert replace(read, embedding=None) == replace(event, embedding=None)


@given(
    st.builds(
        Label,
        event_id=st.uuids(),
        model_name=texts,
        labelled_at=moments,
        is_actual_positive=st.booleans(),
        label_source=st.none() | texts,
    )
)
def test_a_label_is_read_back_as_it_was_written(label: Label) -> None:
    assert parse_label(label.to_json()) == label


def test_a_message_is_compact_and_leaves_out_what_is_absent() -> None:
    assert EVENT.to_json() == (
        b'{"schema_version":1,"event_id":"00000000-0000-0000-0000-000000000007",'
        b'"occurred_at":"2026-01-01T00:00:00Z","model_name":"churn","model_version":"3",'
        b'"score":0.25,"features":{"age":41}}'
    )


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (replace(EVENT, score=math.nan), "a number of the event is not finite"),
        (replace(EVENT, features={"a": math.inf}), "a number of the event is not finite"),
        (replace(EVENT, embedding=[0.0, -math.inf]), "embedding holds a number"),
        (replace(EVENT, occurred_at=datetime(2026, 1, 1)), "occurred_at has no time zone"),
        (replace(EVENT, subject="\ud800"), "is not Unicode"),
    ],
)
def test_what_json_cannot_say_is_refused_when_it_is_written(
    event: Prediction, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        event.to_json()


def test_feature_names_are_read_in_lower_case_and_the_first_of_two_counts() -> None:
    document = json.loads(EVENT.to_json())
    del document["features"]
    text = json.dumps(document)[:-1] + ', "features": {"Age": 1, "age": 2, "B": null}}'
    assert parse_prediction(text.encode()).features == {"age": 1, "b": None}


def test_an_absent_model_version_is_zero() -> None:
    document = json.loads(EVENT.to_json())
    del document["model_version"]
    assert parse_prediction(json.dumps(document).encode()).model_version == "0"


def test_a_time_in_the_future_is_told_when_the_time_of_landing_is_known() -> None:
    message = EVENT.to_json()
    assert parse_prediction(message, NOW - timedelta(minutes=5)).event_id == EVENT.event_id
    with pytest.raises(InputError, match="occurred_at lies more than 5 minutes after it landed"):
        parse_prediction(message, NOW - timedelta(minutes=5, microseconds=1))
