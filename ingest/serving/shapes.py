"""What callers of the API send and get, as types: read strictly, told in OpenAPI.

What is scored bears the name that the scorer gives it (a `Subject`); nothing here knows more of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, Literal, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, create_model
from pydantic.fields import FieldInfo

from ingest.card import MODEL_NAME
from ingest.fields import LABEL_FIELDS, PREDICTION_FIELDS, TIME_PATTERN
from ingest.scorer import Subject
from ingest.serving.limits import Limits
from ingest.serving.problems import Problem

UUID_PATTERN = "[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
EXAMPLE_ID = "6fa459ea-ee8a-4ca4-894e-db77e160355e"
MOST_ERRORS = 10

_LENGTHS = {field.name: field.max_length for field in (*PREDICTION_FIELDS, *LABEL_FIELDS)}


class _Sent(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


def _event_id(text: str, **more: Any) -> Any:
    return Field(
        description=text,
        pattern=f"^{UUID_PATTERN}$",
        json_schema_extra={"format": "uuid"},
        examples=[EXAMPLE_ID],
        **more,
    )


def _text(name: str, text: str, example: str) -> Any:
    return Field(
        default=None, description=text, min_length=1, max_length=_LENGTHS[name], examples=[example]
    )


class PredictionRequest(_Sent):
    """One thing to score."""

    subject: str
    event_id: str | None = _event_id(
        "Names the prediction; made by the server when absent. A retry carries that of the first "
        "try, so that the event counts once.",
        default=None,
    )
    channel: str | None = _text("channel", "Where the event came from.", "mail-gateway")


class LabelRequest(_Sent):
    """The truth about one prediction."""

    event_id: str = _event_id("Names the prediction.")
    is_actual_positive: bool = Field(description="The truth.", examples=[True])
    model_name: str | None = Field(
        default=None,
        description="Who gave the prediction; default: the model that serves.",
        pattern=f"^{MODEL_NAME.pattern}$",
        examples=["phishing"],
    )
    labelled_at: str | None = Field(
        default=None,
        description="When the truth became known (RFC 3339); default: now. Not before 2000-01-01, "
        "not in the future.",
        pattern="^" + TIME_PATTERN.replace(r"\d{4}", "2[0-9]{3}").replace(r"\d", "[0-9]") + "$",
        json_schema_extra={"format": "date-time"},
        examples=["2026-01-31T12:00:00Z"],
    )
    label_source: str | None = _text("label_source", "Who says so.", "analyst")


class PredictionAnswer(BaseModel):
    """What the champion says; the event log holds it already."""

    event_id: str = _event_id("Names the prediction; its label bears the same.")
    model_name: str = Field(examples=["phishing"])
    model_version: str = Field(examples=["3"])
    score: float = Field(ge=0, le=1, description="Probability of positive.", examples=[0.97])
    threshold: float = Field(ge=0, le=1, examples=[0.61])
    is_predicted_positive: bool = Field(description="score >= threshold", examples=[True])


class LabelAnswer(BaseModel):
    """How many labels the event log holds now."""

    accepted_count: int = Field(ge=1, examples=[1])


class FeatureAnswer(BaseModel):
    """One input of the model."""

    name: str
    kind: Literal["numeric", "categorical", "boolean"]
    unit: str
    description: str


class ModelAnswer(BaseModel):
    """The champion at work."""

    name: str = Field(examples=["phishing"])
    version: str = Field(examples=["3"])
    threshold: float = Field(ge=0, le=1)
    created_at: str
    serving_since: str
    trained_until: str | None
    reference_row_count: int | None
    metrics: dict[str, float | None]
    features: list[FeatureAnswer]


class HealthAnswer(BaseModel):
    """The process lives."""

    status: Literal["ok"]


class ReadyAnswer(BaseModel):
    """The server takes requests."""

    status: Literal["ready"]
    model_name: str
    model_version: str
    champion_refusal: str | None = Field(
        description="Why the promoted version is not taken up; the one before serves on."
    )


class ErrorAnswer(BaseModel):
    """One broken rule."""

    pointer: str = Field(description="Where in the body: a JSON pointer.", examples=["/0/channel"])
    detail: str


class ProblemAnswer(BaseModel):
    """A problem document (RFC 9457)."""

    type: str = Field(examples=["urn:driftnet:problem:invalid"])
    title: str
    status: int = Field(ge=400, le=599)
    detail: str
    errors: list[ErrorAnswer] = Field(default=[], description="Of 422: the broken rules.")
    event_ids: list[str] = Field(
        default=[], description="Of 503: what a retry should carry, in the order of the items."
    )


Item = TypeVar("Item", bound=BaseModel)


@dataclass(frozen=True)
class Body(Generic[Item]):
    """A body that is one item or a list of them.

    Parameters
    ----------
    item
        Its type.
    most
        Items of a list.
    """

    item: type[Item]
    most: int

    def read(self, body: bytes) -> tuple[Sequence[Item], bool]:
        """Return the items, and whether they came as a list.

        Raises
        ------
        Problem
            400 not JSON, 422 a rule is broken; what was sent is not repeated.
        """
        is_list = body[:64].lstrip(b" \t\r\n").startswith(b"[")
        try:
            if is_list:
                return self._list.validate_json(body), True
            return [self._one.validate_json(body)], False
        except ValidationError as error:
            raise _broken(error) from None

    @cached_property
    def _one(self) -> TypeAdapter[Item]:
        return TypeAdapter(self.item)

    @cached_property
    def _list(self) -> TypeAdapter[list[Item]]:
        listed = cast(Any, list)[self.item]
        return TypeAdapter(_annotated(listed, Field(min_length=1, max_length=self.most)))


def prediction_request(subject: Subject, limits: Limits) -> type[PredictionRequest]:
    """Return the type of a request to score, with the subject under its own name."""
    what = Field(
        alias=subject.name,
        description=subject.description,
        min_length=1,
        max_length=limits.text_length,
        examples=list(subject.examples),
    )
    made = create_model("PredictionRequest", __base__=PredictionRequest, subject=(str, what))
    made.__doc__ = PredictionRequest.__doc__
    return made


def _annotated(kind: Any, info: FieldInfo) -> Any:
    from typing import Annotated

    return Annotated[kind, info]


def _broken(error: ValidationError) -> Problem:
    errors: Sequence[Mapping[str, Any]] = error.errors(
        include_url=False, include_context=False, include_input=False
    )
    first = errors[0]
    if first["type"] == "json_invalid":
        return Problem(400, f"the body is not JSON in UTF-8: {_lower(first['msg'])}")
    told = [{"pointer": _pointer(x["loc"]), "detail": x["msg"]} for x in errors[:MOST_ERRORS]]
    where = told[0]["pointer"] or "the body"
    return Problem(422, f"{where}: {told[0]['detail']}", errors=told)


def _pointer(place: Sequence[int | str]) -> str:
    # The last word may be a key that the caller made up: shown, but no longer than a name is.
    return "".join("/" + str(x).replace("~", "~0").replace("/", "~1")[:64] for x in place)


def _lower(text: str) -> str:
    return text.removeprefix("Invalid JSON: ")
