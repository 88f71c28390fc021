"""Writes values in their column's format, the inverse of parsing."""

from __future__ import annotations

from dataclasses import fields
from datetime import date, datetime
from decimal import Decimal

from atlas.column_formats.model import NUMBERS, Kind
from atlas.kit.pagination import Row

Value = bool | int | float | Decimal | date | datetime | str


def write(value: Value, kind: Kind) -> str:
    """Writes a value in its column's format, without a currency, percent sign or parentheses."""
    if kind.type in NUMBERS:
        return _number(Decimal(repr(value)) if isinstance(value, float) else Decimal(str(value)), kind)
    if kind.type == "boolean" and kind.words:
        return kind.words[0] if value else kind.words[1]
    if isinstance(value, date):
        return value.strftime(kind.formats[0]) if kind.formats else value.isoformat()
    return str(value)


def _number(value: Decimal, kind: Kind) -> str:
    if kind.percent:
        value = value.scaleb(2)
    if kind.digits in ("needed", "point", "whole", "none"):
        # `format` keeps all digits; Decimal arithmetic would round to 28 digits.
        shown = format(value, "f")
        shown = shown.rstrip("0").rstrip(".") if "." in shown else shown
        if kind.digits == "point" and "." not in shown:
            shown += ".0"
        if kind.digits == "whole" and "." in shown:
            shown = shown.ljust(shown.index(".") + 1 + kind.scale, "0")
    else:
        shown = format(value, "f")
        if kind.digits == "fixed":
            whole, _, fraction = shown.partition(".")
            shown = f"{whole}.{fraction[: kind.scale].ljust(kind.scale, '0')}"
    whole, point, fraction = shown.partition(".")
    sign = "-" if whole.startswith("-") else "+" if kind.signed and value > 0 else ""
    whole = whole.lstrip("-")
    if kind.group:
        whole = f"{int(whole):,}".replace(",", kind.group)
    return sign + whole + point.replace(".", kind.decimal) + fraction


def format_shown(kind: Kind) -> Row | None:
    """Returns the parts of a column's format that differ from the default; None when the format is unknown."""
    if not kind.strict:
        return None
    usual = Kind(kind.type)
    hidden = ("type", "strict", "ambiguous", "semantic", "why")
    parts = {field.name: getattr(kind, field.name) for field in fields(kind) if field.name not in hidden}
    return {name: value for name, value in parts.items() if value != getattr(usual, name) or name == "decimal"}
