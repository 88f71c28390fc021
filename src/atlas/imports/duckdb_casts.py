"""DuckDB expressions that read texts as the type a column has."""

from __future__ import annotations

from collections.abc import Sequence

from atlas.column_formats.currencies import AMOUNT_AFFIX, CURRENCY
from atlas.column_formats.dates import ISO_DATE, ISO_TIME, date_pattern
from atlas.column_formats.model import NUMBERS, Kind
from atlas.column_formats.numbers import DOUBLE_DIGITS, number_pattern, usual_amount_pattern
from atlas.imports.infer.types import EMAIL, FALSE_TEXTS, NULL_TEXTS, TRUE_TEXTS
from atlas.kit.json_depth import MAX_DEPTH

# A numeric is the text of its digits, since DuckDB's decimals have 38 and all of a column as many after the point.
DUCKDB_TYPES = {
    "text": "VARCHAR",
    "bigint": "BIGINT",
    "numeric": "VARCHAR",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "json": "VARCHAR",
}

# A function that whoever runs these expressions provides: whether JSON nests deeper than MAX_DEPTH.
NESTED_TOO_DEEP = "nested_too_deep"
_JSON_TEXT = r'"(?:[^"\\]|\\.)*"'
_NO_JSON = r"(?i)nan|inf|,\s*[\]}]"
_ANY_NUMBER = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?"
# Digits after the point of a decimal that stands for a numeric where one is compared.
_COMPARED_SCALE = 12


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


def matches(text: str, pattern: str) -> str:
    return f"regexp_full_match({text}, {literal(pattern)})"


def fits(text: str, kind: Kind, *, doubles: bool = False) -> str:
    """Whether a staged text, which has no blanks around it, has the format of a kind.

    doubles: whether all fractions are known to be written as doubles are.
    """
    if kind.type == "text":
        return f"{text} IS NOT NULL"
    if kind.type == "json":
        return _json_fits(text)
    if kind.type == "boolean":
        return one_of(text, _words(kind)[0] + _words(kind)[1])
    if kind.type in NUMBERS:
        return _number_fits(text, kind, doubles=doubles)
    if not kind.strict and not kind.formats:
        return matches(text, ISO_DATE if kind.type == "date" else ISO_TIME)
    return matches(text, date_pattern(kind))


def _json_fits(text: str) -> str:
    # DuckDB takes infinity, NaN and commas before a closing bracket for JSON, as PostgreSQL does not.
    bare = f"regexp_replace({text}, {literal(_JSON_TEXT)}, '\"\"', 'g')"
    valid = f"json_valid({text}) AND NOT regexp_matches({bare}, {literal(_NO_JSON)})"
    opened = f"length({text}) - length(translate({text}, '[{{', ''))"
    return f"{valid} AND CASE WHEN {opened} > {MAX_DEPTH} THEN NOT {NESTED_TOO_DEEP}({text}) ELSE true END"


def cast(column: str, kind: Kind, *, clean: bool = False) -> str:
    """The value of a staged text; NULL where it does not fit the kind. clean: whether all of the column do."""
    if kind.type == "text":
        return f"nullif(regexp_extract({column}, {literal(CURRENCY.pattern)}), '')" if kind.own_currency else column
    value = _value(column, kind)
    return value if clean else f"CASE WHEN {fits(column, kind)} THEN {value} END"


def _value(text: str, kind: Kind) -> str:
    if kind.type == "json":
        return text
    if kind.type == "boolean":
        return one_of(text, _words(kind)[0])
    if kind.type in NUMBERS:
        return _number(text, kind)
    return _moment(text, kind)


def _words(kind: Kind) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The words of a boolean kind for true and for false."""
    if kind.words:
        return (kind.words[0],), (kind.words[1],)
    return (*TRUE_TEXTS, "1"), (*FALSE_TEXTS, "0")


def _styled(kind: Kind) -> bool:
    return bool(kind.amount or kind.group or kind.decimal != ".")


def _number_fits(text: str, kind: Kind, *, doubles: bool) -> str:
    if (usual := usual_amount_pattern(kind)) is not None:
        held = _held(text, _plain(_usual_bare(text, kind), kind), kind) or "true"
        other = _bare_fits(text, _bare(text), kind, doubles=False)
        return f"CASE WHEN {matches(text, usual)} THEN {held} ELSE {other} END"
    return _bare_fits(text, _bare(text) if kind.amount else text, kind, doubles=doubles)


def _bare_fits(text: str, bare: str, kind: Kind, *, doubles: bool) -> str:
    """Whether a text fits a kind of numbers. bare: the text without what stands around an amount."""
    if kind.strict or _styled(kind):
        test = matches(bare, number_pattern(kind))
        if kind.amount and not kind.strict and not kind.percent:
            # Beside plain numbers, 12 % is 0.12 or 12: who knows.
            test += f" AND NOT ends_with(rtrim({text}, ' )'), '%')"
    elif kind.type == "bigint":
        # Whole numbers that a spreadsheet wrote with decimals.
        test = matches(text, r"[+-]?\d{1,19}|[+-]?\d{1,15}\.0+")
    else:
        test = matches(text, _ANY_NUMBER)
    if kind.amount and kind.strict:
        test += f" AND {_same_affix(text, kind)}"
    held = _held(text, _plain(bare, kind), kind)
    if held and doubles and bare == text and kind.type == "double":
        held = f"CASE WHEN contains({text}, '.') THEN true ELSE {held} END"
    return f"{test} AND {held}" if held else test


def _held(text: str, plain: str, kind: Kind) -> str:
    """Whether the type of a kind holds a number as it is; "" where it surely does."""
    if kind.type == "bigint":
        return f"(length({text}) < 19 OR TRY_CAST({plain} AS BIGINT) IS NOT NULL)"
    if kind.type == "numeric" and kind.strict:
        return ""
    if kind.type == "double" and kind.strict and not kind.exponent:
        return _given_back(text, plain)
    return f"isfinite(TRY_CAST({plain} AS DOUBLE))"


def _given_back(text: str, plain: str) -> str:
    """Whether a double gives a number back. text: as it stands in its cell; plain: without a style or exponent."""
    value = f"TRY_CAST({plain} AS DOUBLE)"
    shown = f"CAST({value} AS VARCHAR)"
    # Of more digits, a double gives some back as they were and others not.
    few = f"length({text}) <= {DOUBLE_DIGITS} OR length(translate({plain}, '+-.', '')) <= {DOUBLE_DIGITS}"
    return (
        f"CASE WHEN {shown} = {plain} THEN true WHEN {few} THEN true WHEN {shown} = {plain} || '.0' THEN true "
        f"WHEN contains({shown}, 'e') THEN {_without_exponent(shown)} = {plain} ELSE false END"
    )


def _same_affix(text: str, kind: Kind) -> str:
    """Whether an amount has no currency but its column's or one of its own, and a percent sign if the column has."""
    signs = f"ends_with(rtrim({text}, ' )'), '%')"
    any_currency = literal(CURRENCY.pattern)
    test = f"{signs if kind.percent else f'NOT {signs}'}"
    if not kind.currency and not kind.own_currency:
        return f"{test} AND NOT regexp_matches({text}, {any_currency})"
    if kind.currency:
        test += f" AND regexp_extract({text}, {any_currency}) IN ('', {literal(kind.currency)})"
    return f"{test} AND NOT regexp_matches(regexp_replace({text}, {any_currency}, ''), {any_currency})"


def _plain(bare: str, kind: Kind) -> str:
    plain = f"replace({bare}, {literal(kind.group)}, '')" if kind.group else bare
    return plain if kind.decimal == "." else f"replace({plain}, {literal(kind.decimal)}, '.')"


def _number(text: str, kind: Kind) -> str:
    if (usual := usual_amount_pattern(kind)) is not None:
        number = _bare_number(text, _usual_bare(text, kind), kind)
        return f"CASE WHEN {matches(text, usual)} THEN {number} ELSE {_bare_number(text, _bare(text), kind)} END"
    return _bare_number(text, _bare(text) if kind.amount else text, kind)


def _bare_number(text: str, bare: str, kind: Kind) -> str:
    plain = _plain(bare, kind)
    if not kind.percent:
        # PostgreSQL reads a numeric from any notation; a plus it does not write.
        if kind.type == "numeric":
            return _canonical(plain, kind)
        return f"TRY_CAST({plain} AS {DUCKDB_TYPES[kind.type]})"
    exact = _hundredth(plain)
    if kind.digits in ("needed", "any"):
        exact = f"rtrim(rtrim({exact}, '0'), '.')"
    if not kind.strict:
        exact = f"CASE WHEN ends_with(rtrim({text}, ' )'), '%') THEN {exact} ELSE {plain} END"
    return exact if kind.type == "numeric" else f"CAST({exact} AS {DUCKDB_TYPES[kind.type]})"


def _canonical(plain: str, kind: Kind) -> str:
    """A number as PostgreSQL writes it, each digit kept: without a plus or exponent, with a digit before the point."""
    if kind.signed or not kind.strict:
        plain = f"ltrim({plain}, '+')"
    if kind.digits in ("own", "any"):
        plain = f"regexp_replace(rtrim({plain}, '.'), '^(-?)\\.', '\\10.')"
    # What is styled, such as an amount, has an exponent only where its format says so.
    if kind.exponent or not (kind.strict or _styled(kind)):
        plain = f"CASE WHEN contains(lower({plain}), 'e') THEN {_without_exponent(plain)} ELSE {plain} END"
    return plain


def _hundredth(plain: str) -> str:
    """A number whose point is moved by two digits in its text, as a decimal of DuckDB has not room for all digits."""
    padded = f"regexp_replace({plain}, '^(-?)', '\\100')"
    return f"regexp_replace({padded}, '^(-?)0*(\\d+)(\\d\\d)\\.?(\\d*)$', '\\1\\2.\\3\\4')"


def _without_exponent(plain: str) -> str:
    """A number with an exponent written out in digits, all of which are kept but zeros at the ends."""
    mantissa, power = (f"split_part(lower({plain}), 'e', {part})" for part in (1, 2))
    bare = f"ltrim({mantissa}, '-')"
    digits = f"replace({bare}, '.', '')"
    point = f"length(split_part({bare}, '.', 1)) + CAST({power} AS INTEGER)"
    # Zeros on both sides, so that the point stands among digits.
    padded = f"repeat('0', greatest(1 - ({point}), 0)) || {digits} || repeat('0', ({point}) - length({digits}))"
    place = f"greatest({point}, 1)"
    whole = f"regexp_replace(({padded})[:{place}], '^0+(\\d)', '\\1')"
    written = f"rtrim(rtrim({whole} || '.' || ({padded})[{place} + 1:], '0'), '.')"
    return f"CASE WHEN starts_with({plain}, '-') THEN '-' ELSE '' END || {written}"


def _usual_bare(text: str, kind: Kind) -> str:
    """The number of an amount that has the usual form."""
    return f"trim(replace({text}, {literal(kind.currency)}, ''))" if kind.currency else text


def _bare(text: str) -> str:
    """As `column_formats.numbers.bare_number`."""
    inner = f"CASE WHEN {text} LIKE '(%)' THEN '-' || trim({text}[2:-2]) ELSE {text} END"
    inner = f"rtrim({inner}, ' %')"
    inner = f"CASE WHEN {inner} LIKE '%-' THEN '-' || ({inner})[:-2] ELSE {inner} END"
    affix = literal(AMOUNT_AFFIX)
    plain = f"regexp_replace({inner}, {affix}, '', 'g')"
    sign = f"CASE WHEN starts_with({inner}, '-') OR starts_with({plain}, '-') THEN '-' ELSE '' END"
    core = f"regexp_replace({plain}, '^[-+\\s]+|\\s+$', '', 'g')"
    return f"({sign} || translate({core}, '\u00a0\u202f’', '  '''))"


def _moment(text: str, kind: Kind) -> str:
    target = DUCKDB_TYPES[kind.type]
    if not kind.formats:
        value = text if kind.type == "date" else f"replace(replace({text}, ',', '.'), ' UTC', 'Z')"
        return f"TRY_CAST({value} AS {target})"
    formats = ", ".join(map(literal, kind.formats))
    moment = f"try_strptime({text}, [{formats}])"
    if kind.century:
        last = kind.century + 99
        moment = (
            f"CASE WHEN year({moment}) > {last} THEN {moment} - INTERVAL 100 YEAR "
            f"WHEN year({moment}) < {kind.century} THEN {moment} + INTERVAL 100 YEAR ELSE {moment} END"
        )
    return f"CAST({moment} AS {target})"


def compare(value: str, operator: str, other: str, type_: str) -> str:
    """Whether one value is less, greater or the same as another; numerics as the numbers that they are."""
    if type_ != "numeric":
        return f"{value} {operator} {other}"
    exact = f"TRY_CAST({{}} AS DECIMAL(38, {_COMPARED_SCALE}))"
    return (
        f"coalesce({exact.format(value)} {operator} {exact.format(other)}, "
        f"TRY_CAST({value} AS DOUBLE) {operator} TRY_CAST({other} AS DOUBLE))"
    )


def bare_email(text: str) -> str:
    """The address in `Ann <ann@x.com>`, `mailto:ann@x.com` or `ann@x.com;`; any other text as it is."""
    whole = literal(EMAIL)
    inside = literal(rf"^(?:(?i:mailto:)|[^<>@]*<)?({EMAIL})>?[;,.\s]*$")
    found = f"nullif(regexp_extract({text}, {inside}, 1), '')"
    return f"CASE WHEN regexp_full_match({text}, {whole}) THEN {text} ELSE coalesce({found}, {text}) END"


def normalized(expression: str, type_: str, semantic: str | None) -> str:
    """What two values have in common that people take for the same: case, blanks, and how a phone is written."""
    if type_ == "numeric":
        # However many zeros end it.
        return f"CASE WHEN contains({expression}, '.') THEN rtrim(rtrim({expression}, '0'), '.') ELSE {expression} END"
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
