"""Reviews the issues of an import at a terminal, one by one or all the rest of a kind at once."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from atlas.cli.output import plain

Issue = Mapping[str, Any]
Decision = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of issue.

    path: its name in paths of the API.
    member: its name in decisions.
    actions: key to (action, label).
    edit: (action, member of the decision with the values).
    """

    path: str
    member: str
    title: str
    id_member: str
    actions: Mapping[str, tuple[str, str]]
    edit: tuple[str, str]


KINDS = (
    Kind(
        "duplicates",
        "duplicates",
        "Duplicate",
        "record_number",
        {"i": ("insert", "insert"), "s": ("skip", "skip")},
        ("insert", "data"),
    ),
    Kind(
        "validations",
        "validation_failures",
        "Validation failure",
        "failure_id",
        {"i": ("insert_as_is", "insert as it is"), "d": ("discarded", "discard")},
        ("insert_corrected", "corrected_data"),
    ),
    Kind(
        "replacements",
        "value_replacements",
        "Replaced value",
        "replacement_id",
        {"k": ("keep_replacement", "keep"), "r": ("restore_original", "restore")},
        ("set_custom", "custom_value"),
    ),
)

_MEANINGS = {
    "insert": "insert the record as a row of its own",
    "skip": "leave the record out",
    "insert_as_is": "insert the record as it is; its values still must fit the types",
    "discarded": "leave the record out for good",
    "keep_replacement": "keep what was stored",
    "restore_original": "store what the file says",
    "insert_corrected": "type other values, and insert the record with them",
    "set_custom": "type another value",
}

Page = Callable[[str, int, int], Sequence[Issue]]
Correct = Callable[[dict[str, list[Decision]], bool], object]


class Reviewer:
    """Shows waiting issues and sends each decision at once, so that a refused decision can be made again.

    page(kind, limit, offset) reads pending issues. correct(decisions, allow_type_change) carries decisions out, and
    raises an error in `refusals` if the server refuses the decisions.
    """

    def __init__(
        self,
        page: Page,
        correct: Correct,
        refusals: tuple[type[Exception], ...],
        console: Console,
        read_key: Callable[[], str] | None = None,
    ) -> None:
        self._page, self._correct, self._refusals = page, correct, refusals
        self._console, self._read_key = console, read_key or press
        self.decided = 0

    def run(self, counts: Mapping[str, int]) -> bool:
        """Reviews all kinds. Returns False if the person ended the review early.

        counts: the number of waiting issues of each kind.
        """
        return all(self._review_kind(kind, counts.get(kind.path, 0)) for kind in KINDS)

    def _review_kind(self, kind: Kind, total: int) -> bool:
        left, position = 0, 0
        while True:
            # Decided issues leave the pending issues. Postponed issues stay before the rest.
            issues = self._page(kind.path, 50, left)
            if not issues:
                return True
            for issue in issues:
                position += 1
                self._console.print(self._view(kind, issue, f"{kind.title} {position} of {max(total, position)}"))
                answer = self._decide(kind, issue, left)
                if answer == "quit":
                    return False
                if answer == "rest":
                    return True
                left += answer == "later"

    def _decide(self, kind: Kind, issue: Issue, left: int) -> str:
        """Reviews one issue.

        Returns `done`, `later`, `quit`, or `rest` if all other issues of the kind are decided as well.
        """
        while True:
            self._console.print(_legend(kind))
            pressed = self._read_key()
            if pressed in ("q", "\x04"):
                return "quit"
            if pressed == "\x03":
                raise KeyboardInterrupt
            if pressed == "n":
                return "later"
            if pressed == "e":
                decision = self._ask_values(kind, issue)
                if decision is not None and self._send(kind, [decision]):
                    return "done"
            elif pressed in kind.actions:
                if self._send(kind, [_decision(kind, issue, pressed)]):
                    return "done"
            elif pressed.lower() in kind.actions:
                if self._all_the_rest(kind, pressed.lower(), left):
                    return "rest"
            elif pressed in ("?", "h", "\r", "\n", " "):
                self._console.print(_help(kind))
            else:
                self._console.print(f"[dim]there is no key {pressed!r}; ? tells what each does[/]")

    def _all_the_rest(self, kind: Kind, pressed: str, left: int) -> bool:
        """Decides on this issue and all later issues of the kind. Returns False if the server refused."""
        while True:
            issues = self._page(kind.path, 1000, left)
            if not issues:
                return True
            if not self._send(kind, [_decision(kind, issue, pressed) for issue in issues]):
                return False

    def _send(self, kind: Kind, decisions: list[Decision]) -> bool:
        type_change = any(decision["action"] == "restore_original" for decision in decisions)
        try:
            try:
                self._correct({kind.member: decisions}, False)
            except self._refusals as error:
                if not type_change or "allow_type_change" not in str(error):
                    raise
                self._console.print(
                    "The column has another type. Restoring the text makes it a column of texts. Do that? y / n"
                )
                if self._read_key() != "y":
                    return False
                self._correct({kind.member: decisions}, True)
        except self._refusals as error:
            self._console.print(Text(f"refused: {error}", style="red"))
            return False
        self.decided += len(decisions)
        actions = {decision["action"] for decision in decisions}
        self._console.print(f"[green]✓[/] {', '.join(sorted(actions))}: {len(decisions)}\n")
        return True

    def _ask_values(self, kind: Kind, issue: Issue) -> Decision | None:
        """Asks for values: of one replaced cell, or of the record's columns. Returns None if no value was entered."""
        action, member = kind.edit
        base: Decision = {kind.id_member: issue[kind.id_member], "action": action}
        if kind.path == "replacements":
            text = self._console.input(f"{issue['column']}: ")
            return {**base, member: None if text == "" else text}
        record = issue.get("record") or {}
        wrong = [problem["column"] for problem in issue.get("errors") or () if problem.get("column")]
        changed = {}
        for name in dict.fromkeys([*wrong, *(issue.get("key_columns") or ()), *record]):
            text = self._console.input(Text.assemble((name, "bold"), f" [{plain(record.get(name))}]: "))
            if text:
                changed[name] = text
        if not changed:
            self._console.print("[dim]nothing was changed[/]")
            return None
        return {**base, member: changed}

    def _view(self, kind: Kind, issue: Issue, title: str) -> Table:
        if kind.path == "duplicates":
            return duplicate_view(issue, title)
        return failure_view(issue, title) if kind.path == "validations" else replacement_view(issue, title)


def press() -> str:
    """Reads one key. Unlike `typer.getchar`, the call keeps keys that were pressed before."""
    if os.name == "nt":
        return typer.getchar()
    import termios
    import tty

    place = sys.stdin.fileno()
    before = termios.tcgetattr(place)
    try:
        tty.setcbreak(place, termios.TCSADRAIN)
        return os.read(place, 1).decode(errors="replace") or "q"
    finally:
        termios.tcsetattr(place, termios.TCSADRAIN, before)


def _decision(kind: Kind, issue: Issue, pressed: str) -> Decision:
    return {kind.id_member: issue[kind.id_member], "action": kind.actions[pressed][0]}


def _legend(kind: Kind) -> Text:
    keys = [(key, label) for key, (_, label) in kind.actions.items()]
    keys += [("e", "edit"), ("n", "later"), ("q", "quit"), ("?", "help")]
    bulk = " / ".join(key.upper() for key in kind.actions)
    text = Text()
    for key, label in keys:
        text.append(f"{key} ", style="bold cyan")
        text.append(f"{label}   ")
    return text.append(f"{bulk} ", style="bold cyan").append("all the rest")


def _help(kind: Kind) -> Table:
    """Builds the list of keys and their effects for a kind. Enter shows the list as well, and decides nothing."""
    table = Table.grid(padding=(0, 2))
    for key, label in (
        *((key, _MEANINGS[action]) for key, (action, _) in kind.actions.items()),
        *((key.upper(), f"{label}, and so for all the rest of this kind") for key, (_, label) in kind.actions.items()),
        ("e", _MEANINGS[kind.edit[0]]),
        ("n", "leave it for later, and go on"),
        ("q", "leave all the rest for later"),
        ("?", "this"),
    ):
        table.add_row(Text(key, style="bold cyan"), Text(label))
    return table


def duplicate_view(issue: Issue, title: str) -> Table:
    """Builds a table of the record beside the matching record or row. Different cells are highlighted."""
    record, other = issue.get("record") or {}, issue.get("existing_row")
    keys = issue.get("key_columns") or ()
    table = Table(title=Text(title), title_justify="left")
    table.add_column("column")
    table.add_column(f"record {issue['record_number']}")
    if other is None:
        first = issue.get("duplicate_of_record")
        table.add_column(f"same as record {first}" if first else "row that is gone")
    else:
        table.add_column("row in the table")
    for name in dict.fromkeys([*record, *(column for column in other or () if column != "id")]):
        mine, theirs = plain(record.get(name)), plain((other or {}).get(name))
        differs = other is not None and mine != theirs
        style = "bold yellow" if differs else ""
        label = Text(f"{name} (key)" if name in keys else name, style="bold" if name in keys else "")
        table.add_row(label, Text(mine, style=style), Text(theirs, style=style))
    return table


def failure_view(issue: Issue, title: str) -> Table:
    """Builds a table of the record with the problem of each value."""
    record = issue.get("record") or {}
    problems: dict[str, list[str]] = {}
    values: dict[str, Any] = dict(record)
    for problem in issue.get("errors") or ():
        name = problem.get("column") or "(record)"
        problems.setdefault(name, []).append(problem.get("reason", ""))
        values.setdefault(name, problem.get("value"))
    table = Table("column", f"record {issue['record_number']}", "problem", title=Text(title), title_justify="left")
    for name, value in values.items():
        wrong = "; ".join(problems.get(name, ()))
        table.add_row(Text(name), Text(plain(value), style="bold yellow" if wrong else ""), Text(wrong, style="red"))
    return table


def replacement_view(issue: Issue, title: str) -> Table:
    """Builds a table with a cell's original text and its stored value."""
    table = Table("column", f"record {issue['record_number']}", "stored", title=Text(title), title_justify="left")
    stored = "(empty)" if issue["new_value"] is None else plain(issue["new_value"])
    table.add_row(Text(issue["column"]), Text(plain(issue["original_value"]), style="bold yellow"), Text(stored))
    return table
