"""The routes that write events: ``POST /predict`` and ``POST /labels``."""

from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from ingest.serving import docs, shapes
from ingest.serving.limits import read_json_body
from ingest.serving.parts import Parts, admit, json_answer, secured, wrong

_ID = shapes.EXAMPLE_ID


def add_predict(app: FastAPI, parts: Parts, body: shapes.Body[shapes.PredictionRequest]) -> None:
    """Add ``POST /predict``."""
    name, limits = parts.subject.name, parts.limits
    one = {name: parts.subject.examples[0]}
    items = {
        "one": one,
        "a retry": {**one, "event_id": _ID},
        "a list": [{name: text, "channel": "mail-gateway"} for text in parts.subject.examples],
    }
    said = {
        "event_id": _ID, "model_name": "phishing", "model_version": "3",
        "score": 0.97, "threshold": 0.61, "is_predicted_positive": True,
    }  # fmt: skip
    schema = docs.one_or_many(shapes.PredictionAnswer, limits.batch)
    good = docs.answer(schema, "As the body: one answer, or a list in the order of the items", {
        "one": said, "a list": [said, {**said, "event_id": "16fd2706-8baf-433b-82eb-8c7fada847da"}],
    })  # fmt: skip

    @app.post(
        "/predict",
        summary="Score one item or a list",
        operation_id="predict",
        response_class=Response,
        responses={200: good, **wrong(parts, 400, 408, 413, 415, 422, 500, 503)},
        openapi_extra={**docs.body(body.item, limits, items), **secured(parts)},
    )
    async def predict(request: Request) -> Response:
        """Answer with the champion's score and decision once the event log holds the event."""
        admit(parts, request)
        requests, is_list = body.read(await read_json_body(request, limits))
        answers = await parts.service.predict(requests)
        return json_answer(answers if is_list else answers[0])


def add_labels(app: FastAPI, parts: Parts, body: shapes.Body[shapes.LabelRequest]) -> None:
    """Add ``POST /labels``."""
    limits = parts.limits
    one = {"event_id": _ID, "is_actual_positive": True}
    items = {
        "one": one,
        "a list": [{**one, "labelled_at": "2026-01-31T12:00:00Z", "label_source": "analyst"}],
    }
    responses: dict[int | str, dict[str, Any]] = {
        202: {"model": shapes.LabelAnswer, "description": "The event log holds the labels"},
        **wrong(parts, 400, 408, 413, 415, 422, 500, 503),
    }

    @app.post(
        "/labels",
        summary="Tell the truth about one prediction or several",
        operation_id="label",
        status_code=202,
        response_class=Response,
        responses=responses,
        openapi_extra={**docs.body(body.item, limits, items), **secured(parts)},
    )
    async def label(request: Request) -> Response:
        """Accept labels; they meet their predictions in the warehouse, in whatever order."""
        admit(parts, request)
        requests, _ = body.read(await read_json_body(request, limits))
        count = await parts.service.label(requests)
        return json_answer({"accepted_count": count}, 202)
