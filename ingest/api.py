"""The scoring API: an app from its parts (FastAPI).

``POST /predict`` and ``POST /labels`` take one item or a list and answer once the event log holds
the events; ``GET /model`` says who scores; ``/healthz`` and ``/readyz`` are for who watches the
process. Errors are problem documents (`ingest.serving.problems`). Nothing that is scored is ever
opened.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from fastapi import FastAPI

from ingest.serving import docs, problems, shapes
from ingest.serving.looks import add_looks
from ingest.serving.metrics import Measured
from ingest.serving.parts import Parts
from ingest.serving.score import add_labels, add_predict

_DESCRIPTION = """Scores with the champion and keeps what it said.

An answer means that the event log holds the events. After a 503 the caller does not know: it
retries with the event ids that the problem names, and each event counts once."""


def create_app(parts: Parts) -> FastAPI:
    """Return the app; it watches for another champion while it runs."""
    app = FastAPI(
        title="Driftnet scoring API",
        version=parts.version,
        summary="Scores, and logs every score before it answers",
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_lifespan(parts),
    )
    problems.install(app)
    parts.metrics.show(parts.service.champions)
    asked = shapes.prediction_request(parts.subject, parts.limits)
    add_predict(app, parts, shapes.Body(asked, parts.limits.batch))
    add_labels(app, parts, shapes.Body(shapes.LabelRequest, parts.limits.batch))
    add_looks(app, parts)
    kinds = (asked, shapes.LabelRequest, shapes.PredictionAnswer, shapes.ProblemAnswer)
    docs.install(app, kinds, bool(parts.keys))
    app.add_middleware(Measured, metrics=parts.metrics)
    return app


def _lifespan(parts: Parts) -> Callable[[FastAPI], Any]:
    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        watching = asyncio.create_task(parts.service.champions.watch())
        try:
            yield
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
            await parts.service.close()

    return life
