"""The route of data instructions: single records in Markdown, plain text or JSON."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import Field, ValidationError

from atlas.accounts.dependencies import CallerDep
from atlas.contract.records import Recorded
from atlas.errors import BadRequestError
from atlas.kit.processor_time import in_charged_thread
from atlas.records.instructions import InstructionService
from atlas.web.bodies import Body, body_schema
from atlas.web.error_schemas import CONTENT_ERRORS
from atlas.web.json_route import INLINE_BYTES, JsonRoute, bounded_body, loads, refuse_deep
from atlas.web.provided import provided

InstructionServiceDep = Annotated[InstructionService, provided(InstructionService)]

router = APIRouter(route_class=JsonRoute, prefix="/api/v1", tags=["Data instructions"], responses=CONTENT_ERRORS)
_TEXT = ("text/markdown", "text/plain", "text/x-markdown")


class EntityBody(Body):
    """A record. `match` names the row to update, archive or restore, and is left out for an insert."""

    entity_type: str = Field("record", max_length=200, examples=["client"])
    table_hint: str | None = Field(None, max_length=200, examples=["clients"])
    data: dict[str, Any] = Field(default_factory=dict, examples=[{"name": "Acme Corp", "email": "billing@acme.com"}])
    match: dict[str, Any] = Field(default_factory=dict, examples=[{}])


class InstructionBody(Body):
    """Records, and what to do with them."""

    intent: Literal["insert", "update", "archive", "restore"]
    entities: list[EntityBody] = Field(min_length=1, max_length=1_000)


class InstructionText(Body):
    """An instruction in words, as JSON; equivalent to a body of the type `text/markdown`."""

    text: str = Field(max_length=1_000_000, examples=["Update the client with email billing@acme.com: set plan to pro"])


def _read(raw: bytes) -> InstructionBody | InstructionText:
    """Parses the body as JSON: words if the body has the member `text`, else records. Raises ValidationError."""
    refuse_deep(raw)
    try:
        value = loads(raw)
    except ValueError:
        # pydantic reports invalid JSON in its own words.
        value = None
    words = isinstance(value, dict) and "text" in value and "entities" not in value
    return (InstructionText if words else InstructionBody).model_validate_json(raw)


BODY = {
    "required": True,
    "description": "Records or words, as JSON; or words as a text of their own (`x-media-types`).",
    "content": {
        "application/json": {
            "schema": {"anyOf": [body_schema(InstructionBody), body_schema(InstructionText)]},
        }
    },
    "x-media-types": dict.fromkeys(_TEXT, "words"),
}


@router.post(
    "/smart-data-instruction",
    summary="Insert, update or archive records",
    openapi_extra={"requestBody": BODY},
)
async def smart_data_instruction(
    request: Request,
    caller: CallerDep,
    instructions: InstructionServiceDep,
    thread_id: Annotated[
        str | None, Query(max_length=200, description="Conversation: for `undo that`, and to answer a question.")
    ] = None,
) -> Recorded:
    """Carries out an instruction on single records: all of it, or nothing. An unclear instruction gets a `question`."""
    media = request.headers.get("content-type", "").split(";")[0].strip().lower()
    raw = await bounded_body(request)
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise BadRequestError("Invalid body", "it is not UTF-8") from None
    if media in _TEXT:
        return await instructions.execute_text(caller, text.replace("\0", ""), thread_id)
    if media not in ("application/json", ""):
        raise BadRequestError("Unsupported Content-Type", f"{media!r}; use application/json or {', '.join(_TEXT)}")
    try:
        body = _read(raw) if len(raw) <= INLINE_BYTES else await in_charged_thread(_read, raw)
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from None
    if isinstance(body, InstructionText):
        return await instructions.execute_text(caller, body.text, thread_id)
    entities = [entity.model_dump() for entity in body.entities]
    return await instructions.structured(caller, body.intent, entities, text, thread_id)
