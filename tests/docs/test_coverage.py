"""The documentation names every endpoint, setting and command, and its links lead somewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main
from typer.core import TyperGroup

from atlas.app import create_app
from atlas.cli.main import app as cli
from atlas.settings import Settings

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md"))]
METHODS = {"get", "post", "put", "patch", "delete"}
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def endpoints() -> Iterator[str]:
    """`METHOD /path` of what the application serves under /api, and of /health and /metrics.

    From the OpenAPI document: `app.routes` holds included routers whole in recent versions of FastAPI.
    """
    paths = create_app(Settings(database_url="postgresql://x")).openapi()["paths"]
    for path, methods in paths.items():
        if path.startswith("/api/") or path in ("/health", "/metrics"):
            yield from (f"{method.upper()} {path}" for method in methods if method in METHODS)


def commands(group: TyperGroup, prefix: str) -> Iterator[tuple[str, list[str]]]:
    """Each command with its own long options."""
    for name, command in group.commands.items():
        full = f"{prefix} {name}"
        if isinstance(command, TyperGroup):
            yield from commands(command, full)
        else:
            options = [option for p in command.params if p.param_type_name == "option" for option in p.opts]
            yield full, [option for option in options if option != "--help"]


def all_commands() -> list[tuple[str, list[str]]]:
    group = typer.main.get_command(cli)
    assert isinstance(group, TyperGroup)
    return list(commands(group, "atlas"))


def section(text: str, heading: str) -> str:
    """What stands under `heading`, up to the next one of the same level."""
    start = text.index(f"{heading}\n")
    level = heading.split(" ", 1)[0]
    end = re.compile(rf"^{level} ", re.MULTILINE).search(text, start + len(heading))
    return text[start : end.start() if end else None]


def anchors(page: Path) -> set[str]:
    """Names that links may give to the headings of a page, as GitHub makes them."""
    found = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


def test_there_are_endpoints_and_commands() -> None:
    assert len(list(endpoints())) > 20
    assert len(all_commands()) > 5


def api_pages() -> str:
    return "".join((DOCS / name).read_text(encoding="utf-8") for name in ("api.md", "content.md"))


@pytest.mark.parametrize("endpoint", list(endpoints()))
def test_api_page_has_endpoint(endpoint: str) -> None:
    assert f"### `{endpoint}`\n" in api_pages()


def test_api_page_has_no_endpoint_that_is_gone() -> None:
    text = api_pages()
    assert set(re.findall(r"^### `([A-Z]+ \S+)`$", text, re.MULTILINE)) == set(endpoints())


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_configuration_page_has_setting(name: str) -> None:
    text = (DOCS / "configuration.md").read_text(encoding="utf-8")
    start = f"| `ATLAS_{name.upper()}` | `{name}` |"
    row = next((line for line in text.splitlines() if line.startswith(start)), None)
    assert row is not None, f"ATLAS_{name.upper()} is missing"
    default = Settings.model_fields[name].default
    if isinstance(default, int | float | str):
        shown = int(default) if isinstance(default, float) and default.is_integer() else default
        assert f"`{shown}`" in row.split("|")[3]


@pytest.mark.parametrize(("command", "options"), all_commands(), ids=[name for name, _ in all_commands()])
def test_cli_page_has_command(command: str, options: list[str]) -> None:
    text = (DOCS / "cli.md").read_text(encoding="utf-8")
    own = section(text, f"### `{command}`")
    group = text[: text.index(own)].rpartition("\n## ")[2]
    # Options may stand in the command's own section, or where its group or the page begins.
    shared = text.partition("\n## ")[0] + group.partition("\n### ")[0]
    for option in options:
        assert f"`{option}" in own + shared, f"{option} is missing"
    assert f"{command}" in "".join(FENCE.findall(own)), "an example is missing"


def test_cli_page_has_no_command_that_is_gone() -> None:
    text = (DOCS / "cli.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^### `(atlas .+)`$", text, re.MULTILINE)) == {name for name, _ in all_commands()}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        if "://" in target or target.startswith("mailto:"):
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), target
        if anchor:
            assert anchor in anchors(linked), target


def links(page: Path) -> set[Path]:
    """Pages that a page links to."""
    targets = (target.partition("#")[0] for target in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))))
    return {(page.parent / target).resolve() for target in targets if target.endswith(".md") and "://" not in target}


def test_every_page_is_linked_from_the_readme_or_the_index() -> None:
    linked = links(ROOT / "README.md") | links(DOCS / "index.md")
    assert DOCS / "index.md" in links(ROOT / "README.md")
    assert [page for page in DOCS.rglob("*.md") if page not in linked and page != DOCS / "index.md"] == []


def test_every_page_is_in_the_contents_of_the_site() -> None:
    """The navigation beside each page of the built documentation has every page, once."""
    contents = re.findall(r"^```\{toctree\}\n(.*?)^```", (DOCS / "index.md").read_text(encoding="utf-8"), re.M | re.S)
    names = [line for entries in contents for line in entries.splitlines() if line and not line.startswith(":")]
    listed = [(DOCS / f"{name}.md").resolve() for name in names]
    assert len(listed) == len(set(listed))
    assert set(listed) == {page for page in PAGES if page != DOCS / "index.md"}
