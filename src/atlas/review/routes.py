"""Routes of an import's issues: list, page, correct; undo, redo, clear-mapping."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field, StrictInt

from atlas.accounts.dependencies import CallerDep
from atlas.contract.imports import ClearedImport, RedoneImport, ResetImport, Undone
from atlas.contract.issues import Corrected, IssuePage, Issues
from atlas.imports.undo import FileMapping, UndoService
from atlas.review.service import Decision, IssueService
from atlas.web.bodies import Body
from atlas.web.disconnect import while_connected
from atlas.web.error_schemas import CONTENT_ERRORS
from atlas.web.exact_json import exact_json
from atlas.web.json_route import JsonRoute
from atlas.web.openapi.responses import answer
from atlas.web.provided import provided

IssueServiceDep = Annotated[IssueService, provided(IssueService)]
UndoServiceDep = Annotated[UndoService, provided(UndoService)]

router = APIRouter(
    route_class=JsonRoute, prefix="/api/v1/import/{import_id}", tags=["Import issues"], responses=CONTENT_ERRORS
)

_MAX = 10_000


class DuplicateDecision(Body):
    """What to do with a duplicate: `insert` (with changed values in `data`, if given) or `skip`."""

    record_number: StrictInt = Field(examples=[45])
    action: str = Field(examples=["insert"])
    data: dict[str, Any] | None = None


class FailureDecision(Body):
    """What to do with a failed record: `insert_as_is`, `insert_corrected` or `discarded`."""

    failure_id: StrictInt = Field(examples=[12])
    action: str = Field(examples=["insert_corrected"])
    corrected_data: dict[str, Any] | None = Field(None, examples=[{"email": "fixed@example.com"}])


class ReplacementDecision(Body):
    """What to do with a replaced value: `restore_original`, `keep_replacement` or `set_custom`."""

    replacement_id: StrictInt = Field(examples=[88])
    action: str = Field(examples=["set_custom"])
    custom_value: Any = None


class CorrectBody(Body):
    """Decisions on issues of one import."""

    duplicates: list[DuplicateDecision] = Field(default_factory=list, max_length=_MAX)
    validation_failures: list[FailureDecision] = Field(default_factory=list, max_length=_MAX)
    value_replacements: list[ReplacementDecision] = Field(default_factory=list, max_length=_MAX)
    allow_type_change: bool = Field(False, description="Let a restored text make its column VARCHAR.")


class MappingBody(Body):
    """A mapping of the table's columns to headers of the file."""

    table_name: str | None = Field(None, max_length=200, examples=["leads"])
    mappings: dict[str, str] = Field(examples=[{"email": "Email Address", "name": "Full Name"}], min_length=1)
    check_duplicates: bool = True
    key_columns: list[str] = Field(default_factory=list)


class RedoBody(Body):
    """A new mapping, and whether to run the import again."""

    mapping: MappingBody | None = None
    auto_execute: bool = False


@router.get("/issues", responses=answer(Issues), summary="Summary of issues")
async def import_issues(caller: CallerDep, issues: IssueServiceDep, import_id: str) -> Response:
    """Counts the issues that wait for a decision, and lists the first 50 of each kind."""
    return exact_json(await issues.summary(caller, import_id))


@router.get("/issues/{issue_type}", responses=answer(IssuePage), summary="Page of issues")
async def import_issues_page(
    caller: CallerDep,
    issues: IssueServiceDep,
    import_id: str,
    issue_type: str,
    limit: Annotated[int, Query(ge=1, le=1000, description="Issues of a page.")] = 50,
    offset: Annotated[int, Query(ge=0, le=2**31, description="Issues to skip.")] = 0,
    status: Annotated[Literal["pending", "all"], Query(description="Only undecided issues, or all.")] = "pending",
) -> Response:
    """Lists `duplicates`, `validations` or `replacements`, by record."""
    wanted = None if status == "all" else status
    return exact_json(await issues.page(caller, import_id, issue_type, wanted, limit, offset))


@router.post("/issues/correct", summary="Resolve issues")
async def correct_issues(caller: CallerDep, issues: IssueServiceDep, import_id: str, body: CorrectBody) -> Corrected:
    """Carries out all decisions, or none. Corrected data is validated again."""
    decisions = [
        Decision("duplicate", f"duplicates[{n}]", d.record_number, d.action, d.data)
        for n, d in enumerate(body.duplicates)
    ]
    decisions += [
        Decision("validation", f"validation_failures[{n}]", d.failure_id, d.action, d.corrected_data)
        for n, d in enumerate(body.validation_failures)
    ]
    decisions += [
        Decision("replacement", f"value_replacements[{n}]", d.replacement_id, d.action, d.custom_value)
        for n, d in enumerate(body.value_replacements)
    ]
    return await issues.correct(caller, import_id, decisions, allow_type_change=body.allow_type_change)


@router.post("/undo", summary="Undo an import")
async def undo_import(
    caller: CallerDep,
    undo: UndoServiceDep,
    import_id: str,
    partial: Annotated[bool, Query(description="Take back what nobody has changed since, and leave the rest.")] = False,
    dry_run: Annotated[bool, Query(description="Tell what an undo would take back; change nothing.")] = False,
) -> Undone:
    """Takes back the rows and changes of an import, update or correction as a whole, or changes nothing."""
    return await undo.undo(caller, import_id, partial=partial, dry_run=dry_run)


@router.post("/redo", summary="Redo an import")
async def redo_import(
    http: Request, caller: CallerDep, undo: UndoServiceDep, import_id: str, body: RedoBody
) -> ResetImport | RedoneImport:
    """Takes an import back, clears its mapping, and runs it again on request: as a whole, or nothing changes."""
    given = body.mapping
    mapping = None
    if given is not None:
        mapping = FileMapping(given.table_name, given.mappings, given.check_duplicates, tuple(given.key_columns))
    return await while_connected(http, undo.redo(caller, import_id, mapping, execute=body.auto_execute))


@router.post("/clear-mapping", summary="Clear the mapping of an import")
async def clear_mapping(caller: CallerDep, undo: UndoServiceDep, import_id: str) -> ClearedImport:
    """Deletes the mapping. Rows stay."""
    return await undo.clear_mapping(caller, import_id)
