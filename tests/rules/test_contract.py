"""Services answer with classes of `atlas.contract`, so that a member of an answer is named in one place."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "atlas"
# Public methods of services that still return dictionaries. The list may only become shorter.
UNTYPED: set[str] = {
    "backup/service.py: BackupService.create",
    "backup/service.py: BackupService.restore",
    "imports/background.py: BackgroundService.import_object",
    "imports/background.py: BackgroundService.submit",
    "imports/history.py: HistoryService.get",
    "imports/history.py: HistoryService.list",
    "imports/history.py: HistoryService.progress",
    "imports/service.py: ImportService.execute",
    "imports/service.py: ImportService.preview",
    "imports/service.py: ImportService.run",
    "imports/service.py: ImportService.run_after",
    "imports/undo.py: UndoService.clear_mapping",
    "imports/undo.py: UndoService.redo",
    "imports/undo.py: UndoService.undo",
    "questions/service.py: QuestionService.ask",
    "questions/service.py: QuestionService.generate",
    "records/instructions.py: InstructionService.run",
    "records/instructions.py: InstructionService.structured",
    "records/instructions.py: InstructionService.execute_text",
    "records/service.py: TableRowService.archive",
    "records/service.py: TableRowService.drop",
    "records/service.py: TableRowService.history",
    "records/service.py: TableRowService.insert",
    "records/service.py: TableRowService.update",
    "records/updates.py: UpdateService.by_condition",
    "records/updates.py: UpdateService.by_file",
    "records/updates.py: UpdateService.by_keys",
    "review/service.py: IssueService.correct",
    "review/service.py: IssueService.page",
    "review/service.py: IssueService.summary",
    "sqlgate/service.py: SqlService.query",
    "timeseries/ingest/service.py: RowService.insert_one",
    "timeseries/ingest/service.py: RowService.preview",
    "timeseries/read/aggregates.py: SummaryService.aggregate",
}


def untyped(path: Path) -> Iterator[str]:
    """Public methods of services in a file that return dictionaries by name of member, or lists of those."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    # `Row` is what modules call such a dictionary.
    aliases = {"dict[str, Any]"} | {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.value) == "dict[str, Any]"
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for owner in tree.body:
        if not isinstance(owner, ast.ClassDef) or not owner.name.endswith("Service"):
            continue
        for method in owner.body:
            if not isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef) or method.name.startswith("_"):
                continue
            parts = [] if method.returns is None else [ast.unparse(part) for part in ast.walk(method.returns)]
            if aliases & {*parts}:
                yield f"{path.relative_to(SOURCE).as_posix()}: {owner.name}.{method.name}"


def test_services_return_classes() -> None:
    found = {name for path in sorted(SOURCE.rglob("*.py")) for name in untyped(path)}
    assert found - UNTYPED == set(), "return a class of atlas.contract"
    assert UNTYPED - found == set(), "take these off the list"
