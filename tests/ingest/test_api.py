"""The scoring API, asked in this process: what it answers, what it logs, what it refuses."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from time import monotonic

import httpx
import pytest

from ingest.errors import DriftnetError
from ingest.events import parse_label, parse_prediction
from ingest.log import Position, Unavailable
from ingest.scorer import Scorer
from ingest.serving.limits import Limits
from ingest.subjects import SubjectStorage
from tests.ingest.api_home import NAME, NOW, ONE, TOPICS, Api, copy_home

KEY = "correct-horse-battery"
LABEL = {"event_id": str(uuid.UUID(int=7)), "is_actual_positive": True}


class Deaf:
    """A log that acknowledges nothing, or refuses."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    async def append(self, topic: str, values: Sequence[bytes]) -> list[Position]:
        if self.error:
            raise self.error
        await asyncio.sleep(3600)
        return []

    async def close(self) -> None:
        return None


@pytest.fixture(scope="module")
def still(served_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Api:
    """Return an API for requests that log nothing."""
    return Api(copy_home(served_models, tmp_path_factory.mktemp("still")))


def problem(answer: httpx.Response, status: int) -> dict[str, object]:
    """Hold an answer to RFC 9457 and return it."""
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    told: dict[str, object] = answer.json()
    assert told["status"] == status
    assert str(told["type"]).startswith("urn:driftnet:problem:")
    assert told["title"]
    assert told["detail"]
    return told


def test_one_item_gets_one_answer_and_the_log_holds_the_same(served_home: Path) -> None:
    api = Api(served_home)
    answer = api.ask("POST", "/predict", json={**ONE, "channel": "mail"}).json()
    [event] = api.events()
    for name in ("event_id", "model_name", "model_version", "score", "threshold"):
        assert answer[name] == event[name]
    assert answer["is_predicted_positive"] is (answer["score"] >= answer["threshold"])
    read = parse_prediction(json.dumps(event).encode(), NOW)
    assert (read.subject, read.channel, read.occurred_at) == (ONE["url"], "mail", NOW)
    assert read.latency_ms is not None
    assert read.latency_ms > 0


def test_a_list_gets_a_list_in_its_order_and_the_scores_of_the_scorer(served_home: Path) -> None:
    api = Api(served_home)
    texts = [f"https://www.example{n}.com/{'a' * n}" for n in range(300)]
    answers = api.ask("POST", "/predict", json=[{"url": text} for text in texts]).json()
    found = Scorer.load(served_home / "models", NAME).score(texts)
    assert [answer["score"] for answer in answers] == found.score.tolist()
    assert [answer["is_predicted_positive"] for answer in answers] == found.is_positive.tolist()
    assert [event["subject"] for event in api.events()] == texts
    assert [event["event_id"] for event in api.events()] == [a["event_id"] for a in answers]


def test_a_retry_carries_its_own_event_id(served_home: Path) -> None:
    api = Api(served_home)
    own = "16FD2706-8BAF-433B-82EB-8C7FADA847DA"
    for _ in range(2):
        assert api.ask("POST", "/predict", json={**ONE, "event_id": own}).json()["event_id"] == (
            own.lower()
        )
    assert [event["event_id"] for event in api.events()] == [own.lower()] * 2


def test_labels_are_accepted_and_logged_with_what_was_left_out(served_home: Path) -> None:
    api = Api(served_home)
    full = {**LABEL, "labelled_at": "2026-01-31T12:00:00+01:00", "label_source": "analyst",
            "model_name": "other"}  # fmt: skip
    answer = api.ask("POST", "/labels", json=[LABEL, full])
    assert (answer.status_code, answer.json()) == (202, {"accepted_count": 2})
    first, second = (parse_label(json.dumps(e).encode(), NOW) for e in api.events(TOPICS.labels))
    assert (first.model_name, first.labelled_at, first.label_source) == (NAME, NOW, None)
    assert (second.model_name, second.label_source) == ("other", "analyst")
    assert second.labelled_at == datetime(2026, 1, 31, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    "moment", [(NOW + timedelta(minutes=6)).isoformat(), "1999-12-31T23:59:59Z",
               "2026-02-30T00:00:00Z"],
)  # fmt: skip
def test_a_label_that_would_land_as_a_bad_row_is_refused(still: Api, moment: str) -> None:
    answer = still.ask("POST", "/labels", json=[LABEL, {**LABEL, "labelled_at": moment}])
    assert "labelled_at" in str(problem(answer, 422)["detail"])
    assert still.events(TOPICS.labels) == []


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/url"),
        ({"url": ""}, "/url"),
        ({"url": 1}, "/url"),
        ({"url": None}, "/url"),
        ([], ""),
        ("text", ""),
        (True, ""),
        ([ONE, {"url": "x", "channel": ""}], "/1/channel"),
        ({**ONE, "channel": "c" * 201}, "/channel"),
        ({**ONE, "event_id": "7"}, "/event_id"),
        ({**ONE, "event_id": uuid.UUID(int=7).hex}, "/event_id"),
        ({**ONE, "score": 0.5}, "/score"),
        ({"subject": "x"}, "/url"),
        ([ONE] * 1001, ""),
        ({"url": "x" * 65_537}, "/url"),
        ([[ONE]], "/0"),
    ],
)
def test_a_body_that_breaks_a_rule_is_refused_with_its_place(
    still: Api, body: object, pointer: str
) -> None:
    told = problem(still.ask("POST", "/predict", json=body), 422)
    errors = told["errors"]
    assert isinstance(errors, list)
    assert pointer in [error["pointer"] for error in errors]
    assert still.events() == []


def test_a_problem_repeats_no_value_that_was_sent(still: Api) -> None:
    sent = "https://secret.example/token"
    answer = still.ask("POST", "/predict", json={"url": sent, "channel": "", "event_id": sent})
    problem(answer, 422)
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"url": "x"} x',
        b"\xff",
        b'{"url": "\\ud800"}',
        b"[" * 100_000,
        b'\xef\xbb\xbf{"url": "x"}',
    ],
)
def test_a_body_that_is_no_json_is_malformed(still: Api, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    problem(still.ask("POST", "/predict", content=body, headers=headers), 400)
    assert still.events() == []


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "application/json", "content-encoding": "gzip"},
    ],
)
def test_another_kind_of_body_is_refused(still: Api, headers: dict[str, str]) -> None:
    problem(still.ask("POST", "/predict", content=json.dumps(ONE).encode(), headers=headers), 415)


def test_a_body_is_json_whatever_the_case_and_parameters_of_its_kind(served_home: Path) -> None:
    headers = {"content-type": "Application/JSON; charset=utf-8"}
    content = json.dumps(ONE).encode()
    assert Api(served_home).ask("POST", "/predict", content=content, headers=headers).is_success


def test_a_large_body_is_refused_by_its_header_and_by_its_bytes(served_home: Path) -> None:
    api = Api(served_home, limits=Limits(body_bytes=100))
    headers = {"content-type": "application/json"}

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b" " * 40

    problem(api.ask("POST", "/predict", json={"url": "x" * 100}), 413)
    problem(api.ask("POST", "/predict", content=pieces(), headers=headers), 413)
    assert api.ask("POST", "/predict", json=ONE).is_success


def test_a_body_that_does_not_arrive_is_not_waited_for(served_home: Path) -> None:
    async def never() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(3600)

    api = Api(served_home, limits=Limits(body_seconds=0.05))
    headers = {"content-type": "application/json"}
    problem(api.ask("POST", "/predict", content=never(), headers=headers), 408)


@pytest.mark.parametrize(
    "error", [None, Unavailable("does not keep up"), DriftnetError("the disk is full")]
)
def test_what_the_log_does_not_acknowledge_is_a_503_that_names_the_ids_to_retry_with(
    served_home: Path, error: Exception | None
) -> None:
    api = Api(served_home, log=Deaf(error), limits=Limits(acknowledge_seconds=0.05))
    answer = api.ask("POST", "/predict", json=[{**ONE, "event_id": str(uuid.UUID(int=1))}, ONE])
    told = problem(answer, 503)
    ids = told["event_ids"]
    assert isinstance(ids, list)
    assert ids[0] == str(uuid.UUID(int=1))
    assert uuid.UUID(ids[1]).version == 4
    assert answer.headers["retry-after"] == "1"
    assert "disk" not in answer.text
    assert api.told.names()[-1] == "log_failed"
    assert api.count("log_failures_total") == 1
    assert api.count("predictions_total", model_version="1", decision="positive") == 0
    problem(api.ask("GET", "/readyz"), 503)


def test_the_server_is_ready_again_once_the_log_acknowledged(served_home: Path) -> None:
    api = Api(served_home)
    api.service.health.failed_at = monotonic()
    problem(api.ask("GET", "/readyz"), 503)
    api.ask("POST", "/predict", json=ONE)
    assert api.ask("GET", "/readyz").json()["status"] == "ready"


def test_a_server_that_ends_is_alive_but_not_ready(served_home: Path) -> None:
    api = Api(served_home)
    api.service.health.is_draining = True
    problem(api.ask("GET", "/readyz"), 503)
    assert api.ask("GET", "/healthz").json() == {"status": "ok"}


def test_only_a_valid_key_is_let_in_and_before_anything_is_read(served_home: Path) -> None:
    api = Api(served_home, keys=[KEY, KEY[::-1]])
    for path in ("/predict", "/labels"):
        for text in ("", KEY, f"Bearer {KEY}x", "Bearer ", f"Basic {KEY}"):
            headers = {"authorization": text} if text else {}
            answer = api.ask("POST", path, content=b"{", headers=headers)
            problem(answer, 401)
            assert answer.headers["www-authenticate"] == "Bearer"
    problem(api.ask("GET", "/model"), 401)
    for key in (KEY, KEY[::-1]):
        headers = {"authorization": f"Bearer {key}"}
        assert api.ask("POST", "/predict", json=ONE, headers=headers).is_success
        assert api.ask("GET", "/model", headers=headers).is_success
    for path in ("/healthz", "/readyz", "/openapi.json"):
        assert api.ask("GET", path).is_success


def test_the_model_tells_of_its_card(still: Api) -> None:
    told = still.ask("GET", "/model").json()
    assert (told["name"], told["version"], told["serving_since"]) == (
        NAME, "1", "2026-03-01T12:00:00Z",
    )  # fmt: skip
    assert {feature["name"] for feature in told["features"]} >= {"url_length", "public_suffix"}
    assert told["metrics"]["roc_auc"] > 0.5


def test_what_is_not_there_is_a_problem_too(still: Api) -> None:
    problem(still.ask("GET", "/nothing"), 404)
    problem(still.ask("POST", "/predict/", json=ONE), 404)
    answer = still.ask("GET", "/predict")
    problem(answer, 405)
    assert answer.headers["allow"] == "POST"


def test_a_failure_of_ours_says_nothing_of_what_was_sent(
    served_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = Api(served_home)

    def fail(self: Scorer, texts: Sequence[str]) -> None:
        raise ValueError(texts[0])

    monkeypatch.setattr(Scorer, "score", fail)
    answer = api.ask("POST", "/predict", json=ONE)
    problem(answer, 500)
    assert "example" not in answer.text
    assert api.events() == []


@pytest.mark.parametrize(
    ("storage", "subject"),
    [
        ("full", ONE["url"]),
        ("host", "login.example.com"),
        ("hash", "sha256:" + sha256(ONE["url"].encode()).hexdigest()),
    ],
)
def test_the_log_keeps_of_a_subject_what_it_is_told_to(
    served_home: Path, storage: SubjectStorage, subject: str
) -> None:
    api = Api(served_home, storage=storage)
    plain = Api(served_home).ask("POST", "/predict", json=ONE).json()
    answer = api.ask("POST", "/predict", json=ONE).json()
    first, second = api.events()
    assert second["subject"] == subject
    assert answer["score"] == plain["score"]
    for name in ("features", "embedding", "cluster", "score"):
        assert second[name] == first[name]


def test_no_data_frame_is_made_on_the_way(
    served_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pandas as pd

    def refuse(*words: object, **more: object) -> None:
        raise AssertionError("pandas is ten times slower than the model for one row")

    api = Api(served_home)
    monkeypatch.setattr(pd.DataFrame, "__init__", refuse)
    monkeypatch.setattr(pd.Series, "__init__", refuse)
    assert api.ask("POST", "/predict", json=ONE).is_success


def test_requests_and_events_are_counted(served_home: Path) -> None:
    api = Api(served_home)
    answers = api.ask("POST", "/predict", json=[ONE, {"url": "example.org"}]).json()
    api.ask("POST", "/predict", json=[])
    api.ask("POST", "/labels", json=LABEL)
    api.ask("GET", "/%F0%9F%98%80")
    positive = sum(answer["is_predicted_positive"] for answer in answers)
    assert api.count("predictions_total", model_version="1", decision="positive") == positive
    assert api.count("predictions_total", model_version="1", decision="negative") == 2 - positive
    assert api.count("labels_total") == 1
    assert api.count("requests_total", route="/predict", status="200") == 1
    assert api.count("requests_total", route="/predict", status="422") == 1
    assert api.count("requests_total", route="/labels", status="202") == 1
    assert api.count("requests_total", route="other", status="404") == 1
    assert api.count("requests_in_flight") == 0
    assert api.count("champion", model=NAME, version="1") == 1


def test_openapi_tells_all_and_its_examples_are_what_it_says(served_home: Path) -> None:
    from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

    told = Api(served_home, keys=[KEY]).ask("GET", "/openapi.json").json()
    assert set(told["paths"]) == {"/predict", "/labels", "/model", "/healthz", "/readyz"}
    count = 0
    for path, operations in told["paths"].items():
        for operation in operations.values():
            assert operation["summary"]
            assert operation["description"]
            assert ("401" in operation["responses"]) == (not path.endswith("z"))
            parts = [operation.get("requestBody", {}), *operation["responses"].values()]
            for content in (kind for part in parts for kind in part.get("content", {}).values()):
                whole = {**content["schema"], "components": told["components"]}
                examples = [x["value"] for x in content.get("examples", {}).values()]
                examples += [content["example"]] if "example" in content else []
                for example in examples:
                    Draft202012Validator(whole).validate(example)
                    count += 1
    assert count >= 20
    assert told["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    assert (
        "securitySchemes" not in Api(served_home).ask("GET", "/openapi.json").json()["components"]
    )
