"""The command as a process: terminals, signals, servers that are not there, and libraries that are missing."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.cli.conftest import CONTACTS, PYTHON, Cli
from tests.integration.test_server import free_port
from tests.terminals import WAIT_SECONDS, Terminal, terminal_of, terminals

from atlas.cli.interactive_review import Reviewer


def run(*command: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PYTHON, *command],
        env={**os.environ, **environment},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@contextlib.contextmanager
def terminal(*command: str) -> Iterator[Terminal]:
    with terminal_of([*PYTHON, *command]) as made:
        yield made


@terminals
def test_tail_follows_until_it_is_interrupted(cli: Cli) -> None:
    cli.run("dataset", "create", "ticks")
    for number in range(4):
        cli.run("rows", "insert", "ticks", "--timestamp", "now", "-v", f"n={number}")
    command = [*PYTHON, "rows", "tail", "ticks", "--last", "2", "--json"]
    tail = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert tail.stdout is not None
    assert [json.loads(tail.stdout.readline())["n"] for _ in range(2)] == [2, 3]
    cli.run("rows", "insert", "ticks", "--timestamp", "now", "-v", "n=4")
    assert json.loads(tail.stdout.readline())["n"] == 4
    tail.send_signal(signal.SIGINT)
    rest, errors = tail.communicate(timeout=WAIT_SECONDS)
    assert (tail.returncode, rest, errors) == (0, "", "")


@terminals
def test_tail_is_a_live_table_on_a_terminal(cli: Cli) -> None:
    cli.run("dataset", "create", "beats")
    cli.run("rows", "insert", "beats", "--timestamp", "now", "-v", "word=first")
    with terminal("rows", "tail", "beats") as shown:
        shown.until("first")
        cli.run("rows", "insert", "beats", "--timestamp", "now", "-v", "word=second")
        shown.until("second")
        shown.press("\x03")
        os.killpg(shown.process.pid, signal.SIGINT)
        assert shown.wait() == 0
    assert "Traceback" not in shown.shown


@terminals
def test_import_with_progress_then_review_key_by_key(cli: Cli) -> None:
    file = cli.file("contacts.csv", CONTACTS + "Bob B,BOB@x.com,5,2024-04-01\nDora,dora,6,2024-04-02\n")
    with terminal("import", file, "Import into staff, the email is the key") as shown:
        assert shown.wait() == 0
    assert "contacts.csv" in shown.shown
    assert "2 duplicates, 2 validation failures, 1 replaced value" in shown.shown
    with terminal("issues", "review", "last") as shown:
        shown.until("Duplicate 1 of 2")
        shown.until("all the rest")
        shown.press("x")
        shown.until("there is no key 'x'")
        for key in ("?", "\r"):
            shown.press(key)
            shown.until("leave the record out")
            shown.until("all the rest")
        shown.press("n")
        shown.until("Duplicate 2 of 2")
        shown.until("all the rest")
        shown.press("s")
        shown.until("skip: 1")
        shown.until("not a valid e-mail address")
        shown.until("all the rest")
        shown.press("e")
        shown.until("email")
        shown.press("still wrong\n\n\n\n\n")
        shown.until("refused")
        shown.until("all the rest")
        shown.press("D")
        shown.until("discarded: 2")
        shown.until("n/a")
        shown.until("all the rest")
        shown.press("e")
        shown.until("age: ")
        shown.press("44\n")
        assert shown.wait() == 0
    assert "4 decided, 1 still waiting" in shown.shown
    with terminal("issues", "review", "last", "--exit-code") as shown:
        shown.until("all the rest")
        shown.press("q")
        assert shown.wait() == 3
    with terminal("issues", "review", "last") as shown:
        shown.until("all the rest")
        shown.press("S")
        assert shown.wait() == 0
    assert cli.json("issues", "review", "last")["decided"] == 0
    ages = {row["email"]: row["age"] for row in cli.json("table", "rows", "staff")["rows"]}
    assert ages == {"ann@x.com": 30, "bob@x.com": 44}


@terminals
def test_a_conversation(cli: Cli) -> None:
    cli.run("import", cli.file("contacts.csv", CONTACTS), "Import into pals, keep all duplicates")
    with terminal("ask") as shown:
        shown.until("? ")
        shown.press("How many pals are there?\n")
        shown.until("3")
        shown.until("? ")
        shown.press("+\n")
        shown.until("rated")
        shown.press("\x04")
        assert shown.wait() == 0


@terminals
def test_login_asks_without_showing_the_key(cli: Cli) -> None:
    key = cli.server.people.holder
    with terminal("login", "--url", cli.server.url, "--profile", "asked") as shown:
        shown.until("API key: ")
        shown.press(f"{key}\n")
        assert shown.wait() == 0
    assert key not in shown.shown
    kept = cli.folder / "config" / "keys.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert json.loads(kept.read_text(encoding="utf-8"))["asked"] == key
    assert "public" in cli.json("status", "--profile", "asked")["me"]["tags"]
    assert key not in cli.run("profile", "show", "asked").output


def test_what_goes_wrong_is_one_line_and_a_code(cli: Cli) -> None:
    key, url = cli.server.people.owner, cli.server.url
    dead = f"http://127.0.0.1:{free_port()}"
    wrong = "atlas_live_sk_" + "x" * 32
    for code, command, environment in (
        (5, ["status"], {"ATLAS_URL": dead, "ATLAS_API_KEY": key}),
        (5, ["login", "--url", dead, "--key", "-"], {}),
        (4, ["status"], {"ATLAS_URL": url, "ATLAS_API_KEY": wrong}),
        (4, ["login", "--url", url, "--key", "-"], {}),
        (4, ["dataset", "delete", "1", "--yes"], {"ATLAS_URL": url, "ATLAS_API_KEY": cli.server.people.stranger}),
        (4, ["status", "--url", "http://127.0.0.2:1"], {}),
        (2, ["login", "--url", url, "--key", wrong], {}),
        (1, ["imports", "show", "nonsense"], {}),
    ):
        if command[0] == "dataset":
            cli.run("dataset", "create", "mine")
            command[2] = str(cli.json("dataset", "list")[0]["id"])
        done = run(*command, stdin=wrong, **environment)
        assert done.returncode == code, (command, done)
        assert done.stdout == ""
        assert done.stderr.startswith("atlas: ")
        assert done.stderr.count("\n") == 1, done.stderr
        assert key not in done.stderr
        assert wrong not in done.stderr
    # The profile's key went to no other server.
    assert "not signed in" in run("status", "--url", "http://127.0.0.2:1").stderr


def test_server_commands_say_what_is_missing(tmp_path: Path) -> None:
    blocked = (
        "import sys; sys.modules.update({n: None for n in ('pydantic_settings', 'psycopg', 'fastapi', 'uvicorn')})\n"
    )
    for command in (["serve"], ["admin", "key", "list"]):
        code = f"{blocked}from atlas.cli.main import app; app({command!r})"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)
        assert done.returncode == 1
        assert 'pip install --constraint constraints.txt ".[server]"' in done.stderr
        assert done.stderr.count("\n") == 1


def test_review_asks_before_it_changes_a_type() -> None:
    """Without a terminal: the keys are given."""
    from rich.console import Console

    pressed = iter(["r", "y"])
    waiting: list[dict[str, Any]] = [
        {"replacement_id": 1, "record_number": 2, "column": "age", "original_value": "n/a", "new_value": None}
    ]
    sent = []

    def correct(decisions: dict[str, Any], change: bool) -> None:
        sent.append(change)
        if not change:
            raise ValueError("use set_custom, or send allow_type_change: true")
        waiting.clear()

    with Path(os.devnull).open("w") as nowhere:
        reviewer = Reviewer(
            lambda kind, limit, skip: waiting[skip:] if kind == "replacements" else [],
            correct,
            (ValueError,),
            Console(file=nowhere),
            lambda: next(pressed),
        )
        assert reviewer.run({"replacements": 1})
    assert (sent, reviewer.decided) == ([False, True], 1)
