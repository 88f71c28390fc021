"""Names in a query: what they may mean, what they give, and what a column without one is called."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from sqlglot import exp

from atlas.kit.identifiers import MAX_BYTES
from atlas.sqlgate.lexer import refuse, shown
from atlas.sqlgate.vocabulary import TYPE_COLUMNS


def is_meant(told: exp.Expr, name: str) -> bool:
    """Whether a name without quotes may mean this one."""
    # Both ways, or the Kelvin sign would be a `k`.
    text = told.name
    return not told.args.get("quoted") and name.lower() == text.lower() and name.upper() == text.upper()


def meant(told: exp.Expr, names: Sequence[str], what: str) -> str | None:
    """The one of these names that an identifier means; None for none of them."""
    if told.name in names:
        return told.name
    found = sorted({name for name in names if is_meant(told, name)})
    if len(found) > 1:
        raise refuse(f"{what} {shown(told.name)} may be {' or '.join(found)}; write it in double quotes")
    return found[0] if found else None


def new_name(told: exp.Expr) -> str:
    """The name that an identifier gives, as PostgreSQL would fold it; put right in the tree."""
    name = told.name
    if not told.args.get("quoted"):
        name = "".join(letter.lower() if letter.isascii() else letter for letter in name)
    if len(name.encode()) > MAX_BYTES:
        raise refuse(f"the name {shown(name)} is over {MAX_BYTES} bytes long")
    if any(unicodedata.category(letter)[0] == "C" for letter in name):
        raise refuse(f"the name {shown(name)} has invisible characters")
    told.set("this", name)
    told.set("quoted", True)
    return name


def plain(node: exp.Expr) -> exp.Expr:
    while isinstance(node, exp.Paren):
        node = node.this
    return node


def is_bare(node: exp.Expr) -> bool:
    return isinstance(node, exp.Column) and not node.args.get("table")


_OUTPUT_NAMES: dict[type[exp.Expr], str] = {
    exp.Extract: "extract",
    exp.Substring: "substring",
    exp.StrPosition: "position",
    exp.Exists: "exists",
    exp.CurrentDate: "current_date",
    exp.CurrentTimestamp: "current_timestamp",
    exp.Localtimestamp: "localtimestamp",
    exp.AtTimeZone: "timezone",
}


def output_name(node: exp.Expr) -> tuple[str, bool]:
    """What PostgreSQL calls a column of the result without a name, and whether that outdoes a cast around it."""
    node = plain(node)
    if isinstance(node, (exp.Window, exp.Filter, exp.WithinGroup)):
        return output_name(node.this)
    if isinstance(node, exp.Column):
        return node.this.name, True
    if isinstance(node, exp.Anonymous):
        return ("btrim" if node.name == "trim" else node.name), True
    if isinstance(node, exp.Cast):
        name, strong = output_name(node.this)
        kind = str(node.args["to"].args["kind"]).split("(", maxsplit=1)[0]
        return (name, True) if strong else (TYPE_COLUMNS.get(kind, kind.lower()), False)
    if isinstance(node, exp.Case):
        default = node.args.get("default")
        name, strong = output_name(default) if default is not None else ("", False)
        return (name, True) if strong else ("case", False)
    return _OUTPUT_NAMES.get(type(node), ""), type(node) in _OUTPUT_NAMES


def quoted(name: str) -> str:
    """A name as PostgreSQL takes it, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'
