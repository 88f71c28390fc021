"""The stages of `dev.py test`: each test is in one, and each can be run alone."""

from __future__ import annotations

from pathlib import Path

import dev
import pytest

ROOT = Path(__file__).parents[2]


def test_each_folder_of_tests_is_in_one_stage() -> None:
    listed = [folder for folders in dev.FOLDERS.values() for folder in folders]
    there = {f"tests/{path.relative_to(ROOT / 'tests').parts[0]}" for path in ROOT.glob("tests/**/test_*.py")}
    assert sorted(listed) == sorted(there)


def commands(monkeypatch: pytest.MonkeyPatch, *arguments: str, failing: str = "") -> tuple[int, list[str]]:
    """The exit code of `dev.py test`, and what it ran: of pytest only the folders."""
    seen = []

    def run(command: list[str]) -> int:
        words = [word for word in command if command[0] != "pytest" or word == "pytest" or word.startswith("tests/")]
        seen.append(" ".join(words))
        return int(bool(failing) and words[0] == failing)

    monkeypatch.setattr(dev, "run_module", run)
    return dev.test([*arguments]), seen


@pytest.mark.parametrize(
    ("arguments", "ran"),
    [
        ([], ["ruff check .", "ruff format --check .", "lint-imports --no-cache", "mypy", "pytest"]),
        (["--stage", "lint"], ["ruff check .", "ruff format --check .", "lint-imports --no-cache"]),
        (["--stage", "types", "--stage", "docs"], ["mypy", "pytest tests/docs"]),
        (["--stage", "unit", "browser"], ["pytest tests/ui tests/rules tests/unit"]),
    ],
)
def test_stages_run_alone(arguments: list[str], ran: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    code, seen = commands(monkeypatch, *arguments)
    assert code == 0
    assert seen == ran


def test_the_first_failure_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert commands(monkeypatch, failing="mypy")[0] == 1
    assert commands(monkeypatch, failing="mypy")[1][-1] == "mypy"


def test_an_unknown_stage_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert commands(monkeypatch, "--stage", "units") == (2, [])
    assert "No stage units; there are lint, types, api" in capsys.readouterr().err


def test_arguments_of_pytest_pass_through() -> None:
    assert dev.stages(["--stage", "unit", "-k", "name", "-x"]) == (["unit"], ["-k", "name", "-x"])
    assert dev.pytest_options([], ["tests/unit/test_keys.py"]) == ["tests/unit/test_keys.py"]
    assert dev.pytest_options(["docs"], ["-x"])[-2:] == ["-x", "tests/docs"]
