"""The version stands in one place, `atlas.__version__`, and everything else that names it agrees."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import atlas

ROOT = Path(__file__).parents[2]
SEMANTIC = re.compile(r"\d+\.\d+\.\d+((a|b|rc)\d+|\.dev\d+)?")
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
HEADINGS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_the_version_is_semantic_and_written_once() -> None:
    assert SEMANTIC.fullmatch(atlas.__version__)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["dynamic"] == ["version"]
    assert "version" not in project["project"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "atlas.__version__"}
    assigned = [path for path in (ROOT / "src").rglob("*.py") if "__version__ =" in path.read_text(encoding="utf-8")]
    assert [path.relative_to(ROOT).as_posix() for path in assigned] == ["src/atlas/__init__.py"]


def test_the_changelog_has_sections_as_its_format_says() -> None:
    releases = re.findall(r"^## \[(.+?)\](?: - (.+))?$", CHANGELOG, re.MULTILINE)
    assert releases[0] == ("Unreleased", "")
    for version, date in releases[1:]:
        assert SEMANTIC.fullmatch(version)
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", date)
    assert set(re.findall(r"^### (.+)$", CHANGELOG, re.MULTILINE)) <= HEADINGS


def notes(version: str, path: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ROOT / "scripts" / "release_notes.py", version, path]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("version", "text"), [("1.1.0", "### Added\n\n- b\n"), ("1.0.0", "- a\n")])
def test_release_notes_are_a_section_of_the_changelog(version: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / "CHANGELOG.md"
    path.write_text(
        "# C\n\n## [Unreleased]\n\n## [1.1.0] - 2026-02-01\n\n### Added\n\n- b\n\n## [1.0.0] - 2026-01-01\n- a\n"
    )
    assert notes(version, path).stdout == text
    refused = notes("1.2.0", path)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "no section [1.2.0]" in refused.stderr
