"""The audit of the pinned libraries fails for a known vulnerability, and for nothing else."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import dev
import pytest

GOOD = {"name": "good", "version": "1.0", "vulns": []}
BAD = {
    "name": "bad",
    "version": "2.0",
    "vulns": [{"id": "CVE-1", "fix_versions": ["2.1"]}, {"id": "X", "fix_versions": []}],
}
UNKNOWN = {"name": "odd", "skip_reason": "not found"}


def test_a_known_vulnerability_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert [dev.judge([GOOD, BAD, UNKNOWN], strict=strict) for strict in (False, True)] == [1, 1]
    told = capsys.readouterr()
    assert "bad 2.0: CVE-1, mended in 2.1" in told.out
    assert "bad 2.0: X, mended in no version yet" in told.out
    assert "2 of 3 pinned libraries looked up, 1 with" in told.out
    assert dev.judge([GOOD], strict=True) == 0


def test_what_cannot_be_looked_up_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert [dev.judge([UNKNOWN], strict=strict) for strict in (False, True)] == [0, 1]
    assert "NOT AUDITED" in capsys.readouterr().err


@pytest.mark.parametrize("failure", ["install", "run", "timeout"])
def test_no_network_is_no_failure(
    failure: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def install(extras: str) -> None:
        if failure == "install":
            raise subprocess.CalledProcessError(1, "pip")

    def run(command: list[Any], **options: Any) -> subprocess.CompletedProcess[str]:
        if failure == "timeout":
            raise subprocess.TimeoutExpired(command, 300)
        return subprocess.CompletedProcess(command, 1, "", "warning\nERROR: could not connect")

    monkeypatch.setattr(dev, "install", install)
    monkeypatch.setattr(dev.subprocess, "run", run)
    assert (dev.audit([]), dev.audit(["--strict"])) == (0, 1)
    assert "NOT AUDITED" in capsys.readouterr().err


def test_an_answer_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = json.dumps({"dependencies": [GOOD, BAD]})
    monkeypatch.setattr(dev, "install", lambda extras: None)
    monkeypatch.setattr(dev.subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 1, answer, ""))
    assert dev.audit([]) == 1
