"""Names in a query: which name an identifier means, which name it defines, and names of unnamed columns."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from sqlglot import exp

from atlas.kit.identifiers import MAX_BYTES
from atlas.sqlgate.lexer import refuse, shown
from atlas.sqlgate.vocabulary import TYPE_COLUMNS


def may_mean(identifier: exp.Expr, name: str) -> bool:
    """Returns whether an unquoted identifier may mean this name."""
    # Compared in both cases, because the Kelvin sign would otherwise equal `k`.
    text = identifier.name
    return not identifier.args.get("quoted") and name.lower() == text.lower() and name.upper() == text.upper()


def find_name(identifier: exp.Expr, names: Sequence[str], what: str) -> str | None:
    """Returns the name of `names` that an identifier means, or None. what: the kind of name, for the message.

    Raises BadRequestError when several names match.
    """
    if identifier.name in names:
        return identifier.name
    found = sorted({name for name in names if may_mean(identifier, name)})
    if len(found) > 1:
        raise refuse(f"{what} {shown(identifier.name)} may be {' or '.join(found)}; write it in double quotes")
    return found[0] if found else None


def new_name(identifier: exp.Expr) -> str:
    """Returns the name that an identifier defines, folded as PostgreSQL folds names, and sets the name in the tree.

    Raises BadRequestError for a name that is too long, or has invisible characters.
    """
    name = identifier.name
    if not identifier.args.get("quoted"):
        name = "".join(letter.lower() if letter.isascii() else letter for letter in name)
    if len(name.encode()) > MAX_BYTES:
        raise refuse(f"the name {shown(name)} is over {MAX_BYTES} bytes long")
    if any(unicodedata.category(letter)[0] == "C" for letter in name):
        raise refuse(f"the name {shown(name)} has invisible characters")
    identifier.set("this", name)
    identifier.set("quoted", True)
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
_TRIMS = {"LEADING": "ltrim", "TRAILING": "rtrim"}


def output_name(node: exp.Expr) -> tuple[str, bool]:
    """Returns PostgreSQL's name for an unnamed column of the result.

    The second value tells whether the name wins over the name of a cast around the node.
    """
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
    if isinstance(node, exp.Trim):
        return _TRIMS.get(node.text("position"), "btrim"), True
    return _OUTPUT_NAMES.get(type(node), ""), type(node) in _OUTPUT_NAMES


def quoted(name: str) -> str:
    """Quotes a name for PostgreSQL, whatever characters the name has."""
    return '"' + name.replace('"', '""') + '"'
