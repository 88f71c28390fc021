"""The examples of docs/python.md work as they are written, one after the other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.client.conftest import Server

import atlas.client
from atlas import Client

PAGE = (Path(__file__).parents[2] / "docs" / "python.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_examples(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "more.csv").write_text("day,open\n2026-01-20,1\n")
    (tmp_path / "members.csv").write_text(
        "name,email\nAnn,ann@x.com\nBob,bob@x\nCy,cy@x.com\n" + "".join(f"Member {n},m{n}@x.com\n" for n in range(20))
    )
    scope: dict[str, object] = {}
    assert len(EXAMPLES) >= 10
    for example in EXAMPLES:
        code = example.replace("http://127.0.0.1:8000", server.url).replace("atlas_live_sk_…", server.people.owner)
        exec(compile(code, "docs/python.md", "exec"), scope)
    shown = capsys.readouterr().out
    for text in (
        "104710.25",
        "connected",
        "owner",
        "48 1",
        "bob@x",
        "404 No dataset with ID 123456",
        "['local'] local",
    ):
        assert text in shown, text
    scope["client"].close()  # type: ignore[attr-defined]


def test_every_method_is_named() -> None:
    table = PAGE[PAGE.index("## Methods") :]
    with Client("http://127.0.0.1:1", "x") as client:
        parts = {name: part for name, part in vars(client).items() if not name.startswith("_")}
        names = [name for name in dir(client) if not name.startswith("_") and name not in {*parts, "url", "close"}]
        for part in parts.values():
            names += [name for name in dir(part) if not name.startswith("_") and name != "path"]
        for name in {"ask", "sql", "generate_sql", *names, *(f"{part}." for part in parts)}:
            assert re.search(rf"\b{re.escape(name)}", table), name


def test_every_exception_is_named() -> None:
    text = PAGE[PAGE.index("## Errors") : PAGE.index("## Profiles")]
    for name in atlas.client.__all__:
        found = getattr(atlas.client, name)
        if isinstance(found, type) and issubclass(found, Exception):
            assert f"`{name}`" in text or f"`{name}`s" in text, name
