"""What OpenAPI says of the API beyond the types: bodies, problems, examples, security."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from ingest.serving.limits import Limits
from ingest.serving.problems import KINDS, MEDIA_TYPE, document

SECURITY = "bearer"
_PLACE = "#/components/schemas/"
_DETAILS: Mapping[int, str] = {
    400: "the body is not JSON in UTF-8: trailing characters at line 1 column 11",
    401: "send the header Authorization: Bearer KEY",
    408: "send the body within 30 s",
    413: "a body has 4194304 bytes at most: send fewer items at once",
    415: "send JSON, not compressed, with Content-Type: application/json",
    422: "/channel: String should have at least 1 character",
    500: "the server's log says why; nothing was promised",
    503: "the event log did not acknowledge: retry with these event ids",
}
_MORE: Mapping[int, Mapping[str, object]] = {
    422: {
        "errors": [
            {"pointer": "/channel", "detail": "String should have at least 1 character"},
        ]
    },
    503: {"event_ids": ["6fa459ea-ee8a-4ca4-894e-db77e160355e"]},
}

Document = dict[str, Any]


def one_or_many(kind: type[BaseModel], most: int) -> Document:
    """Return the schema of one item or a list of at most `most`."""
    item = {"$ref": _PLACE + kind.__name__}
    return {"oneOf": [item, {"type": "array", "items": item, "minItems": 1, "maxItems": most}]}


def body(kind: type[BaseModel], limits: Limits, examples: Mapping[str, object]) -> Document:
    """Return what an operation says of its request body."""
    content = {
        "schema": one_or_many(kind, limits.batch),
        "examples": {name: {"value": value} for name, value in examples.items()},
    }
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


def problems(*statuses: int) -> dict[int | str, Document]:
    """Return what an operation says of its problems."""
    headers: Mapping[int, Document] = {
        401: {"WWW-Authenticate": {"required": True, "schema": {"const": "Bearer"}}},
        503: {"Retry-After": {"required": True, "schema": {"type": "integer"}}},
    }
    return {
        status: {
            "description": KINDS[status][1],
            "headers": headers.get(status, {}),
            "content": {
                MEDIA_TYPE: {
                    "schema": {"$ref": _PLACE + "ProblemAnswer"},
                    "example": document(status, _DETAILS[status], **_MORE.get(status, {})),
                }
            },
        }
        for status in statuses
    }


def answer(schema: Document, text: str, examples: Mapping[str, object]) -> Document:
    """Return what an operation says of its good answer."""
    named = {name: {"value": value} for name, value in examples.items()}
    return {
        "description": text,
        "content": {"application/json": {"schema": schema, "examples": named}},
    }


def install(app: FastAPI, kinds: Sequence[type[BaseModel]], has_keys: bool) -> None:
    """Let an app tell of these types beside those that FastAPI finds, and of its security."""

    def told() -> Document:
        if app.openapi_schema is None:
            found = get_openapi(
                title=app.title,
                version=app.version,
                summary=app.summary,
                description=app.description,
                routes=app.routes,
            )
            _, more = models_json_schema(
                [(kind, "validation") for kind in kinds], ref_template=_PLACE + "{model}"
            )
            parts = found.setdefault("components", {})
            parts.setdefault("schemas", {}).update(more["$defs"])
            if has_keys:
                parts["securitySchemes"] = {SECURITY: {"type": "http", "scheme": "bearer"}}
            app.openapi_schema = found
        return app.openapi_schema

    app.openapi = told  # type: ignore[method-assign]
