"""Rules of the web interface's scripts, which no compiler checks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

STATIC = Path(__file__).parents[2] / "src" / "atlas" / "ui" / "static"
SCRIPTS = sorted(STATIC.rglob("*.js"))
IMPORT = re.compile(r'^import (?:(\w+)(?:, )?)?(?:\{([^}]*)\})? ?from "(\.[^"]+)";', re.MULTILINE)
EXPORT = re.compile(r"^export (?:async )?(?:const|function|class|let) (\w+)", re.MULTILINE)
EXPORT_LIST = re.compile(r"^export \{([^}]*)\}", re.MULTILINE)
STYLE_IMPORT = re.compile(r'@import url\("([^"]+)"\)')


def exports(path: Path) -> set[str]:
    text = path.read_text(encoding="utf-8")
    listed = {name.strip() for names in EXPORT_LIST.findall(text) for name in names.split(",")} - {""}
    return set(EXPORT.findall(text)) | listed | ({"default"} if "export default" in text else set())


def imported(text: str) -> list[tuple[str, str]]:
    """(name, module) of what a script imports from our own; `default` for the whole."""
    found = []
    for default, names, module in IMPORT.findall(text):
        wanted = [name.split(" as ")[0].strip() for name in names.split(",") if name.strip()]
        found += [(name, module) for name in wanted + (["default"] if default else [])]
    return found


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda p: str(p.relative_to(STATIC)))
def test_scripts_are_short_and_load_nothing_from_elsewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 420
    assert "innerHTML" not in text
    foreign = ("https://", "http://", "eval(", "new Function")
    assert not [part for part in foreign if part in text.replace("http://www.w3.org", "")]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda p: str(p.relative_to(STATIC)))
def test_what_is_imported_is_exported_and_used(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for name, module in imported(text):
        target = (path.parent / module).resolve()
        assert target.exists(), module
        assert name in exports(target), f"{module} has no {name}"
    rest = IMPORT.sub("", text)
    for _, names, _ in IMPORT.findall(text):
        for name in filter(None, (one.split(" as ")[-1].strip() for one in names.split(","))):
            assert re.search(rf"(?<![\w.]){re.escape(name)}\b", rest), f"{name} is imported for nothing"


def test_style_sheets_that_are_named_exist() -> None:
    for path in STATIC.rglob("*.css"):
        for name in STYLE_IMPORT.findall(path.read_text(encoding="utf-8")):
            assert (path.parent / name).exists(), name


def test_every_route_has_a_page() -> None:
    routes = re.findall(
        r'^  \["/[^"]*", "([\w-]+)"\]', (STATIC / "router.js").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert len(routes) > 8
    for name in (*routes, "missing"):
        assert "default" in exports(STATIC / "pages" / f"{name}.js"), name
