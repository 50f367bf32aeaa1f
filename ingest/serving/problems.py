"""What an API says when it cannot answer: problem documents of RFC 9457.

A problem names its kind and says in one line what was wrong and what helps; it repeats no value
that was sent.
"""

import json
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"

#: status -> (last word of the kind's URN, title).
KINDS: Mapping[int, tuple[str, str]] = {
    400: ("malformed", "The body is not JSON"),
    401: ("unknown-key", "No valid API key"),
    404: ("not-found", "There is nothing here"),
    405: ("method", "The method is not allowed here"),
    408: ("too-slow", "The body did not arrive in time"),
    413: ("too-large", "The body is too large"),
    415: ("media-type", "The body is of another kind"),
    422: ("invalid", "The body breaks a rule"),
    500: ("internal", "The server failed"),
    503: ("unavailable", "Not now"),
}


class Problem(Exception):  # noqa: N818 - named as RFC 9457 names it
    """An answer that is an error.

    Parameters
    ----------
    status
        Of HTTP, one of `KINDS`.
    detail
        One line: what is wrong and what helps.
    headers
        Further headers of the answer.
    more
        Further members of the document, such as ``errors``.
    """

    def __init__(
        self, status: int, detail: str, headers: Mapping[str, str] | None = None, **more: object
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        self.more = more


def document(status: int, detail: str, **more: object) -> dict[str, object]:
    """Return a problem document.

    Examples
    --------
    >>> document(404, "see /openapi.json")["type"]
    'urn:driftnet:problem:not-found'
    """
    kind, title = KINDS.get(status, ("other", "The request cannot be answered"))
    return {
        "type": f"urn:driftnet:problem:{kind}",
        "title": title,
        "status": status,
        "detail": detail,
        **more,
    }


def response(problem: Problem) -> Response:
    """Return the answer that tells a problem."""
    text = json.dumps(document(problem.status, problem.detail, **problem.more))
    return Response(text, problem.status, problem.headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Let every error of an app be answered with a problem document."""

    async def told(request: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)  # noqa: S101  (that is what it is registered for)
        return response(error)

    async def routed(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101
        return response(Problem(error.status_code, _ROUTED.get(error.status_code, ""),
                                error.headers))  # fmt: skip

    async def failed(request: Request, error: Exception) -> Response:
        return response(Problem(500, "the server's log says why; nothing was promised"))

    handlers: dict[Any, Any] = {Problem: told, HTTPException: routed, Exception: failed}
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)


_ROUTED: Mapping[int, str] = {
    404: "see /openapi.json for what there is",
    405: "see the header Allow for the methods of this path",
}
