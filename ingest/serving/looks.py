"""The routes that only look: ``GET /model``, ``/healthz`` and ``/readyz``."""

from collections.abc import Mapping

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from ingest.card import to_rfc3339
from ingest.champions import Champions
from ingest.serving import docs, shapes
from ingest.serving.parts import Parts, admit, json_answer, secured, wrong
from ingest.serving.problems import Problem


def add_looks(app: FastAPI, parts: Parts) -> None:
    """Add the three routes."""
    champions, health = parts.service.champions, parts.service.health

    @app.get(
        "/model",
        summary="Who scores",
        operation_id="model",
        response_model=shapes.ModelAnswer,
        responses=wrong(parts, 500),
        openapi_extra=secured(parts),
    )
    async def model(request: Request) -> Response:
        """Tell of the champion at work: its card and its features."""
        admit(parts, request)
        return json_answer(_told(champions))

    @app.get(
        "/healthz",
        summary="Is the process alive?",
        operation_id="healthz",
        response_model=shapes.HealthAnswer,
        responses=docs.problems(500),
    )
    async def healthz() -> Response:
        """Answer; if nothing comes, restart the process."""
        return json_answer({"status": "ok"})

    @app.get(
        "/readyz",
        summary="Should requests come here?",
        operation_id="readyz",
        response_model=shapes.ReadyAnswer,
        responses=docs.problems(500, 503),
    )
    async def readyz() -> Response:
        """Answer 503 while the server ends or the event log fails."""
        trouble = health.trouble()
        if trouble:
            raise Problem(503, trouble, {"Retry-After": "1"})
        return json_answer(
            {
                "status": "ready",
                "model_name": champions.name,
                "model_version": champions.version,
                "champion_refusal": champions.refusal,
            }
        )


def _told(champions: Champions) -> Mapping[str, object]:
    serving = champions.current
    card = serving.scorer.card
    return {
        "name": card.name,
        "version": card.version,
        "threshold": card.threshold,
        "created_at": to_rfc3339(card.created_at),
        "serving_since": to_rfc3339(serving.since),
        "trained_until": to_rfc3339(card.trained_until),
        "reference_row_count": card.reference_row_count,
        "metrics": dict(card.metrics),
        "features": [
            {"name": x.name, "kind": x.kind, "unit": x.unit, "description": x.description}
            for x in serving.scorer.model.features
        ],
    }
