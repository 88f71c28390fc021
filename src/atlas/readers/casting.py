"""DuckDB expressions that read texts as the type a column has."""

from __future__ import annotations

from collections.abc import Sequence

from atlas.core.infer import AMOUNT_AFFIX, EMAIL, FALSE_TEXTS, NULL_TEXTS, PHONE, TRUE_TEXTS, URL, Kind, number_pattern

DUCKDB_TYPES = {
    "text": "VARCHAR", "bigint": "BIGINT", "double": "DOUBLE", "boolean": "BOOLEAN", "date": "DATE",
    "timestamp": "TIMESTAMP WITH TIME ZONE", "json": "VARCHAR",
}  # fmt: skip
PATTERNS = {"email": EMAIL, "url": URL, "phone": PHONE}
_ISO_DATE = r"\d{4}-\d\d-\d\d"
_ISO_TIME = rf"{_ISO_DATE}([T ]\d\d:\d\d(:\d\d([.,]\d{{1,9}})?)?\s*(Z|UTC|[+-]\d\d(:?\d\d)?)?)?"


def quote(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def one_of(expression: str, texts: Sequence[str]) -> str:
    return f"lower({expression}) IN ({', '.join(map(literal, texts))})"


def is_null_text(column: str) -> str:
    """Whether a cell says that it has no value."""
    return one_of(column, NULL_TEXTS)


def cast(column: str, kind: Kind) -> str:
    """The value of a staged text, which has no blanks around it; NULL where it does not fit the type."""
    text = column
    if kind.type == "text":
        return text
    if kind.type == "json":
        return f"CASE WHEN json_valid({text}) THEN {text} END"
    if kind.type == "boolean":
        yes, no = one_of(text, (*TRUE_TEXTS, "1")), one_of(text, (*FALSE_TEXTS, "0"))
        return f"CASE WHEN {yes} THEN true WHEN {no} THEN false END"
    if kind.type in ("bigint", "double"):
        return _number(text, kind)
    return _moment(text, kind)


def _number(text: str, kind: Kind) -> str:
    target = DUCKDB_TYPES[kind.type]
    if not kind.amount and not kind.group and kind.decimal == ".":
        pattern = r"[+-]?\d{1,18}" if kind.type == "bigint" else r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?"
        if kind.type == "bigint":
            # Whole numbers that a spreadsheet wrote with decimals.
            return (
                f"CASE WHEN regexp_full_match({text}, '{pattern}') THEN TRY_CAST({text} AS BIGINT) "
                f"WHEN regexp_full_match({text}, '[+-]?\\d{{1,15}}\\.0+') THEN TRY_CAST({text} AS BIGINT) END"
            )
        return f"CASE WHEN regexp_full_match({text}, '{pattern}') THEN TRY_CAST({text} AS DOUBLE) END"
    bare = _bare(text)
    pattern = literal(number_pattern(kind.decimal, kind.group).pattern)
    plain = f"replace({bare}, {literal(kind.group)}, '')" if kind.group else bare
    if kind.decimal != ".":
        plain = f"replace({plain}, {literal(kind.decimal)}, '.')"
    value = f"TRY_CAST({plain} AS {target})"
    if kind.percent:
        # Divided as decimals, so that 5.5 % is 0.055.
        exact = f"CAST(TRY_CAST({plain} AS DECIMAL(30, 10)) / 100 AS DOUBLE)"
        value = f"CASE WHEN suffix(rtrim({text}, ' )'), '%') THEN {exact} ELSE {value} END"
    return f"CASE WHEN regexp_full_match({bare}, {pattern}) THEN {value} END"


def _bare(text: str) -> str:
    """As `core.infer.bare_number`."""
    inner = f"CASE WHEN {text} LIKE '(%)' THEN '-' || trim({text}[2:-2]) ELSE {text} END"
    inner = f"rtrim({inner}, ' %')"
    inner = f"CASE WHEN {inner} LIKE '%-' THEN '-' || ({inner})[:-2] ELSE {inner} END"
    affix = literal(AMOUNT_AFFIX)
    plain = f"regexp_replace({inner}, {affix}, '', 'g')"
    sign = f"CASE WHEN starts_with({inner}, '-') OR starts_with({plain}, '-') THEN '-' ELSE '' END"
    core = f"regexp_replace({plain}, '^[-+\\s]+|\\s+$', '', 'g')"
    return f"({sign} || translate({core}, '\u00a0\u202f’', '  '''))"


def _moment(text: str, kind: Kind) -> str:
    if not kind.formats:
        pattern = _ISO_DATE if kind.type == "date" else _ISO_TIME
        value = text if kind.type == "date" else f"replace(replace({text}, ',', '.'), ' UTC', 'Z')"
        return (
            f"CASE WHEN regexp_full_match({text}, {literal(pattern)}) "
            f"THEN TRY_CAST({value} AS {DUCKDB_TYPES[kind.type]}) END"
        )
    formats = ", ".join(map(literal, kind.formats))
    return f"CAST(try_strptime({text}, [{formats}]) AS {DUCKDB_TYPES[kind.type]})"


def bare_email(text: str) -> str:
    """The address in `Ann <ann@x.com>`, `mailto:ann@x.com` or `ann@x.com;`; any other text as it is."""
    whole = literal(EMAIL)
    inside = literal(rf"^(?:(?i:mailto:)|[^<>@]*<)?({EMAIL})>?[;,.\s]*$")
    found = f"nullif(regexp_extract({text}, {inside}, 1), '')"
    return f"CASE WHEN regexp_full_match({text}, {whole}) THEN {text} ELSE coalesce({found}, {text}) END"


def normalized(expression: str, type_: str, semantic: str | None) -> str:
    """What two values have in common that people take for the same: case, blanks, and how a phone is written."""
    if type_ != "text":
        return f"CAST({expression} AS VARCHAR)"
    if semantic == "phone":
        digits = f"regexp_replace({expression}, '[^0-9]', '', 'g')"
        return (
            f"regexp_replace(CASE WHEN starts_with(trim({expression}), '+') THEN {digits} ELSE {digits} END, '^00', '')"
        )
    return f"lower(trim(regexp_replace({expression}, '\\s+', ' ', 'g')))"


def key_hash(parts: str) -> str:
    """64 bits of MD5, as a signed number; the same in every version, unlike DuckDB's own hash."""
    return f"CAST(md5_number_lower({parts})::HUGEINT - 9223372036854775808 AS BIGINT)"
