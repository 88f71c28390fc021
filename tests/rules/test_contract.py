"""Services answer with classes of `atlas.contract`, so that a member of an answer is named in one place."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "atlas"


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
    assert found == set(), "return a class of atlas.contract"
