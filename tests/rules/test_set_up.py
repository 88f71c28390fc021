"""Installation: quick where it can be, and never lost for that."""

from __future__ import annotations

import subprocess
from typing import Any

import dev
import pytest


class Runs:
    """Stands for the commands that are run: those whose words hold one of `failing` fail."""

    def __init__(self, config: str = "", failing: tuple[str, ...] = ()) -> None:
        self.config, self.failing = config, failing
        self.seen: list[str] = []

    def __call__(self, command: list[Any], check: bool, **_: Any) -> subprocess.CompletedProcess[str]:
        words = " ".join(map(str, command[2:]))
        if words.startswith("pip config"):
            return subprocess.CompletedProcess(command, 0, self.config, "")
        self.seen.append(words)
        code = int(any(part in words for part in self.failing))
        if code and check:
            raise subprocess.CalledProcessError(code, command)
        return subprocess.CompletedProcess(command, code, "", "")

    def brought(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        monkeypatch.setattr(dev.subprocess, "run", self)
        dev.bring(["--quiet"], ["atlas"])
        return [f"{words.split()[0]} {words.split()[-1]}" for words in self.seen]


def test_uv_installs(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = Runs(config="global.extra-index-url='x'\n:env:.find-links='y'")
    assert runs.brought(monkeypatch) == ["pip uv", "uv atlas"]
    assert "--no-compile --quiet" in runs.seen[0]
    assert f"--python {dev.PYTHON} --quiet atlas" in runs.seen[1]


@pytest.mark.parametrize(
    ("failing", "order"),
    [("--no-compile --quiet uv", ["pip uv", "pip atlas"]), ("uv pip", ["pip uv", "uv atlas", "pip atlas"])],
)
def test_pip_installs_where_uv_does_not(failing: str, order: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert Runs(failing=(failing,)).brought(monkeypatch) == order


@pytest.mark.parametrize("config", ["global.index-url='https://x/simple'", ":env:.no-index='1'"])
def test_an_index_of_ones_own_is_pips(config: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Runs(config=config).brought(monkeypatch) == ["pip atlas"]


def test_nobody_installs(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        Runs(failing=("pip",)).brought(monkeypatch)
