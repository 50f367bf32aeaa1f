"""Alerts reach a local server once, survive its failures, and keep secrets and old news to us."""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ingest.errors import InputError
from ingest.happenings import Happening, identify
from ops.alerting import slack_address
from reports import alerts
from reports.alerts import Told
from reports.channels import Channel, channels

from .conftest import FIRST, HOSTILE_LABELS, WEEK, Marts
from .more_marts import incident, with_tables

SECRET = "s3cr3t-t0ken"  # noqa: S105  (a made-up one)


class Webhook:
    """A local server that answers as it is told and keeps what it was sent."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.answers: list[int | str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                answer = outer.answers.pop(0) if outer.answers else 200
                if answer == "hang":
                    time.sleep(2)
                    return
                if answer == 200:
                    outer.got.append(json.loads(body))
                self.send_response(int(answer))
                self.end_headers()

            def log_message(self, *words: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/services/{SECRET}"


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    made = Webhook()
    yield made
    made.server.shutdown()
    made.server.server_close()


def now() -> datetime:
    return datetime(2021, 9, 1, tzinfo=UTC)


Tell = Callable[..., Told]


@pytest.fixture
def tell(marts: Marts, tmp_path: Path, webhook: Webhook) -> Tell:
    """Tell of these incidents to the webhook without waiting."""

    def told(*incidents: dict[str, Any], clock: Callable[[], datetime] = now) -> Told:
        more = with_tables(marts, tmp_path, {"fct_incidents": incidents})
        return alerts.tell(
            more.query,
            tmp_path / "alerts",
            channels([slack_address(webhook.url)]),
            clock=clock,
            waits=(0.0, 0.0),
            sleep=lambda seconds: None,
        )

    return told


def logged(tmp_path: Path) -> list[dict[str, Any]]:
    lines = (tmp_path / "alerts" / "incident_log.json").read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_an_opened_incident_is_told_once_with_all_that_one_asks(
    tell: Tell, webhook: Webhook, tmp_path: Path
) -> None:
    assert tell(incident()).told_count == 1
    assert tell(incident()).told_count == 0
    [message] = webhook.got
    text = message["text"]
    for answer in (
        "FAIL public_suffix (covariate) opened: psi 0.967 over its bound 0.255",
        "chance alone about 0.002, q <0.0001",
        "since the week of 23 August 2021",
        "Bins that carry it: new 2.0% -> 31.3%",
        "Next: ask what changed at the source of public_suffix",
    ):
        assert answer in text
    assert len(logged(tmp_path)) == 1
    # An incident that goes on is no change.
    assert tell(incident(status="ongoing", window_count=4)).told_count == 0


def test_a_resolved_and_a_reopened_incident_are_changes(tell: Tell, webhook: Webhook) -> None:
    tell(incident())
    resolved = incident(status="resolved", is_open=False, resolved_at=FIRST + 13 * WEEK)
    assert tell(resolved).told_count == 1
    again = incident(incident_id="two", previous_incident_id="one", status="reopened")
    assert tell(resolved, again).told_count == 1
    assert "RESOLVED public_suffix" in webhook.got[1]["text"]
    assert "public_suffix (covariate) reopened" in webhook.got[2]["text"]


def test_changes_of_a_model_come_in_one_message(tell: Tell, webhook: Webhook) -> None:
    many = [incident(incident_id=str(n), feature_name=f"f{n}", severity=1) for n in range(12)]
    tell(*many)
    [message] = webhook.got
    assert message["text"].count("WARN") == 8
    assert "and 4 more" in message["text"]


def test_a_backfill_of_years_sends_nothing_and_logs_everything(
    tell: Tell, webhook: Webhook, tmp_path: Path
) -> None:
    old = [incident(incident_id=str(n)) for n in range(50)]
    told = tell(*old, clock=lambda: datetime(2026, 1, 1, tzinfo=UTC))
    assert (told.logged_count, told.told_count, webhook.got) == (50, 0, [])
    assert {line["not_told_because"] for line in logged(tmp_path)} == {
        "older than the alert horizon"
    }


def test_a_muted_incident_is_logged_and_not_told(
    tell: Tell, webhook: Webhook, tmp_path: Path
) -> None:
    tell(incident(is_muted=True))
    assert webhook.got == []
    assert [line["not_told_because"] for line in logged(tmp_path)] == ["muted"]


def test_a_server_that_fails_is_tried_again_and_told_once(tell: Tell, webhook: Webhook) -> None:
    webhook.answers = [500, 503]
    assert tell(incident()) == Told(1, 1, 1, ())
    assert len(webhook.got) == 1


def test_a_dead_server_fails_nothing_and_hears_of_it_when_it_is_back(
    tell: Tell, webhook: Webhook
) -> None:
    webhook.answers = [500, 500, 500]
    first = tell(incident())
    assert (first.told_count, len(first.failed)) == (0, 1)
    assert tell(incident()).told_count == 1
    assert len(webhook.got) == 1


def test_a_server_that_hangs_holds_nobody_for_long(
    marts: Marts, tmp_path: Path, webhook: Webhook
) -> None:
    webhook.answers = ["hang"]
    more = with_tables(marts, tmp_path, {"fct_incidents": [incident()]})
    quick = Channel(channels([slack_address(webhook.url)])[0].address + "&rto=0.3&cto=0.3")
    told = alerts.tell(
        more.query, tmp_path / "alerts", [quick], clock=now, waits=(0.0,), sleep=lambda s: None
    )
    assert (told.told_count, len(webhook.got)) == (1, 1)


def test_nothing_that_is_written_holds_the_secret(
    tell: Tell, webhook: Webhook, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    webhook.answers = [500, 500, 500]
    told = tell(incident())
    tell(incident())
    written = "".join(path.read_text() for path in (tmp_path / "alerts").iterdir())
    assert SECRET not in written + caplog.text + repr(told) + repr(
        channels([slack_address(webhook.url)])
    )
    with pytest.raises(InputError) as refused:
        channels([f"nonsense://{SECRET}"])
    assert SECRET not in str(refused.value)


def test_text_of_the_data_is_defanged_in_a_message(tell: Tell, webhook: Webhook) -> None:
    tell(incident(feature_name=HOSTILE_LABELS[2], severity=1))
    [message] = webhook.got
    assert "evil.example" not in message["text"]
    assert "hxxp://paypal-login[.]evil[.]example" in message["text"]


def test_an_alarm_is_told_at_once_and_its_incident_is_not_told_to_open(
    tell: Tell, webhook: Webhook, tmp_path: Path
) -> None:
    alarm = Happening(
        identify("alarm", 1), now(), "stream", "alarm", "drifting", "2", "errors", 2, "errors rose"
    )
    where = channels([slack_address(webhook.url)])
    for _ in range(2):
        alerts.tell_alarm(alarm, tmp_path / "alerts", where, clock=now)
    [message] = webhook.got
    assert "FAIL errors of version 2: errors rose, at 2021-09-01 00:00 UTC" in message["text"]
    concept = incident(
        drift_kind="concept",
        feature_name="errors",
        first_happening_id=str(alarm.happening_id),
    )
    assert tell(concept).told_count == 0


def test_a_line_torn_by_a_kill_does_not_hide_what_follows(
    tell: Tell, webhook: Webhook, tmp_path: Path
) -> None:
    (tmp_path / "alerts").mkdir()
    (tmp_path / "alerts" / "incident_log.json").write_text('{"change_id": "torn')
    tell(incident())
    text = (tmp_path / "alerts" / "incident_log.json").read_text()
    assert json.loads(text.splitlines()[-1])["incident_id"] == "one"
    assert tell(incident()).logged_count == 0


def test_a_test_message_reaches_the_channel_or_names_it(webhook: Webhook) -> None:
    where = channels([slack_address(webhook.url)])
    assert alerts.try_out(where, waits=(), sleep=lambda s: None).failed == ()
    webhook.answers = [404]
    assert alerts.try_out(where, waits=(), sleep=lambda s: None).failed == (where[0].name,)
    assert "a test" in webhook.got[0]["text"] or "Nothing happened" in webhook.got[0]["text"]
