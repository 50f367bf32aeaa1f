"""What an API is made of, and what its routes share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from ingest.scorer import Subject
from ingest.serving import docs
from ingest.serving.keys import Keys
from ingest.serving.limits import Limits
from ingest.serving.metrics import Metrics
from ingest.serving.problems import Problem
from ingest.serving.service import Service

Answers = Mapping[str, object] | Sequence[Mapping[str, object]]


@dataclass(frozen=True)
class Parts:
    """What an app is made of; see the classes."""

    service: Service
    subject: Subject
    keys: Keys
    limits: Limits
    metrics: Metrics
    version: str


def admit(parts: Parts, request: Request) -> None:
    """Refuse (401) who shows no valid key; before anything of the body is read."""
    if not parts.keys.admit(request.headers.get("authorization")):
        raise Problem(
            401, "send the header Authorization: Bearer KEY", {"WWW-Authenticate": "Bearer"}
        )


def wrong(parts: Parts, *statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what an operation that needs a key says of its problems."""
    return docs.problems(*((401,) if parts.keys else ()), *statuses)


def secured(parts: Parts) -> dict[str, Any]:
    """Return what an operation says of its security."""
    return {"security": [{docs.SECURITY: []}]} if parts.keys else {}


def json_answer(content: Answers, status: int = 200) -> Response:
    """Return an answer of JSON."""
    return Response(to_json(content), status, media_type="application/json")
