"""The files of continuous integration and pre-commit agree with the project: stages, versions, matrix."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import dev
import yaml

ROOT = Path(__file__).parents[2]
PINNED = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines() if line)


def loaded(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def test_the_workflow_runs_every_stage_and_none_that_is_not_there() -> None:
    stages = {*dev.CHECKS, *dev.FOLDERS}
    assert set(loaded(".github/workflows/ci.yml")["jobs"]["stage"]["strategy"]["matrix"]["stage"]) == stages
    for path in (ROOT / ".github" / "workflows").glob("*.yml"):
        assert set(re.findall(r"--stage (\w+)", path.read_text(encoding="utf-8"))) <= stages


def test_the_matrix_begins_with_the_oldest_versions_that_are_promised() -> None:
    jobs = loaded(".github/workflows/ci.yml")["jobs"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f">={jobs['python']['strategy']['matrix']['python'][0]}" == project["requires-python"]
    oldest = jobs["postgresql"]["strategy"]["matrix"]["postgresql"][0]
    assert f"PostgreSQL {oldest} or newer" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_pre_commit_has_the_versions_of_the_constraints() -> None:
    hooks = [hook for repo in loaded(".pre-commit-config.yaml")["repos"] for hook in repo["hooks"]]
    wanted = [one.split("==") for hook in hooks for one in hook.get("additional_dependencies", [])]
    shared = {name: version for name, version in wanted if name in PINNED}
    assert shared == {name: PINNED[name] for name in shared}
    assert "ruff" in shared


def test_templates_of_issues_are_forms_that_github_reads() -> None:
    for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"):
        form = yaml.safe_load(path.read_text(encoding="utf-8"))
        if path.name != "config.yml":
            assert {"name", "description", "body"} <= set(form)
            ids = [field["id"] for field in form["body"] if field["type"] != "markdown"]
            assert len(ids) == len(set(ids))
