"""DuckDB expressions that read texts as the type of a column."""

from __future__ import annotations

from collections.abc import Sequence

from atlas.column_formats.currencies import AMOUNT_AFFIX, CURRENCY, plain_currency
from atlas.column_formats.dates import ISO_DATE, ISO_TIME, date_pattern
from atlas.column_formats.model import NUMBERS, Kind
from atlas.column_formats.numbers import DOUBLE_DIGITS, number_pattern, usual_amount_pattern
from atlas.imports.infer.types import EMAIL, FALSE_TEXTS, NULL_TEXTS, TRUE_TEXTS
from atlas.kit.json_depth import MAX_DEPTH

# A numeric is the text of its digits. DuckDB's decimals have 38 digits, and equally many after the point in a whole
# column.
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

# A function that the caller of these expressions must provide: whether JSON nests deeper than MAX_DEPTH.
NESTED_TOO_DEEP = "nested_too_deep"
_JSON_TEXT = r'"(?:[^"\\]|\\.)*"'
_NO_JSON = r"(?i)nan|inf|,\s*[\]}]"
_ANY_NUMBER = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?"
# The digits after the point of a decimal that stands for a numeric in comparisons.
_COMPARED_SCALE = 12


def quote(name: str) -> str:
    """Quotes a name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quotes a text as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def one_of(expression: str, texts: Sequence[str]) -> str:
    return f"lower({expression}) IN ({', '.join(map(literal, texts))})"


def is_null_text(column: str) -> str:
    """Builds the condition that a cell's text stands for a missing value."""
    return one_of(column, NULL_TEXTS)


def matches(text: str, pattern: str) -> str:
    return f"regexp_full_match({text}, {literal(pattern)})"


def fits(text: str, kind: Kind, *, doubles: bool = False) -> str:
    """Builds the condition that a staged text, without surrounding blanks, has the format of a kind.

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
    # DuckDB accepts infinity, NaN and commas before a closing bracket as JSON. PostgreSQL does not.
    bare = f"regexp_replace({text}, {literal(_JSON_TEXT)}, '\"\"', 'g')"
    valid = f"json_valid({text}) AND NOT regexp_matches({bare}, {literal(_NO_JSON)})"
    opened = f"length({text}) - length(translate({text}, '[{{', ''))"
    return f"{valid} AND CASE WHEN {opened} > {MAX_DEPTH} THEN NOT {NESTED_TOO_DEEP}({text}) ELSE true END"


def cast(column: str, kind: Kind, *, clean: bool = False) -> str:
    """Builds the value of a staged text, which is NULL for a text that does not fit the kind.

    clean: whether all texts of the column fit.
    """
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
    """Returns the words of a boolean kind for true and for false."""
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
    """Builds the condition that a text fits a kind of numbers.

    bare: the text without the affixes of an amount.
    """
    if kind.strict or _styled(kind):
        test = matches(bare, number_pattern(kind))
        if kind.amount and not kind.strict and not kind.percent:
            # Beside plain numbers, 12 % may mean 0.12 or 12.
            test += f" AND NOT ends_with(rtrim({text}, ' )'), '%')"
    elif kind.type == "bigint":
        # Spreadsheets write whole numbers with decimals.
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
    """Builds the condition that the type of a kind holds a number unchanged. "": the type surely does."""
    if kind.type == "bigint":
        return f"(length({text}) < 19 OR TRY_CAST({plain} AS BIGINT) IS NOT NULL)"
    if kind.type == "numeric" and kind.strict:
        return ""
    if kind.type == "double" and kind.strict and not kind.exponent:
        return _given_back(text, plain)
    return f"isfinite(TRY_CAST({plain} AS DOUBLE))"


def _given_back(text: str, plain: str) -> str:
    """Builds the condition that a double reproduces a number.

    text: the number as its cell has it.
    plain: without a style or exponent.
    """
    value = f"TRY_CAST({plain} AS DOUBLE)"
    shown = f"CAST({value} AS VARCHAR)"
    # Beyond this number of digits, a double reproduces only some numbers.
    few = f"length({text}) <= {DOUBLE_DIGITS} OR length(translate({plain}, '+-.', '')) <= {DOUBLE_DIGITS}"
    return (
        f"CASE WHEN {shown} = {plain} THEN true WHEN {few} THEN true WHEN {shown} = {plain} || '.0' THEN true "
        f"WHEN contains({shown}, 'e') THEN {_without_exponent(shown)} = {plain} ELSE false END"
    )


def _same_affix(text: str, kind: Kind) -> str:
    """Builds the condition for the currency and percent sign of an amount.

    An amount may have its column's currency, its own currency if the kind allows, or none. It has a percent sign
    exactly if the column has.
    """
    signs = f"ends_with(rtrim({text}, ' )'), '%')"
    any_currency = literal(CURRENCY.pattern)
    test = f"{signs if kind.percent else f'NOT {signs}'}"
    if not kind.currency and not kind.own_currency:
        return f"{test} AND NOT regexp_matches({text}, {any_currency})"
    if kind.currency:
        written = f"lower(rtrim(regexp_extract({text}, {any_currency}), '.'))"
        test += f" AND {written} IN ('', {literal(plain_currency(kind.currency))})"
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
        # PostgreSQL reads a numeric in any notation, but never writes a plus.
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
    """Normalizes a number to PostgreSQL's output with all digits: no plus or exponent, and a digit before the point."""
    if kind.signed or not kind.strict:
        plain = f"ltrim({plain}, '+')"
    if kind.digits in ("own", "any"):
        plain = f"regexp_replace(rtrim({plain}, '.'), '^(-?)\\.', '\\10.')"
    # A styled number, such as an amount, has an exponent only if its format says so.
    if kind.exponent or not (kind.strict or _styled(kind)):
        plain = f"CASE WHEN contains(lower({plain}), 'e') THEN {_without_exponent(plain)} ELSE {plain} END"
    return plain


def _hundredth(plain: str) -> str:
    """Moves the point of a number by 2 digits in its text, as DuckDB's decimals have no room for all digits."""
    padded = f"regexp_replace({plain}, '^(-?)', '\\100')"
    return f"regexp_replace({padded}, '^(-?)0*(\\d+)(\\d\\d)\\.?(\\d*)$', '\\1\\2.\\3\\4')"


def _without_exponent(plain: str) -> str:
    """Writes out a number with an exponent. All digits are kept, except zeros at the ends."""
    # The number is needed a dozen times. Where it is an expression of some kB itself, DuckDB would plan for a second.
    return f"list_transform([{plain}], lambda number: {_written_out('number')})[1]"


def _written_out(plain: str) -> str:
    mantissa, power = (f"split_part(lower({plain}), 'e', {part})" for part in (1, 2))
    bare = f"ltrim({mantissa}, '-')"
    digits = f"replace({bare}, '.', '')"
    point = f"length(split_part({bare}, '.', 1)) + CAST({power} AS INTEGER)"
    # Zeros on both sides let the point stand among digits.
    padded = f"repeat('0', greatest(1 - ({point}), 0)) || {digits} || repeat('0', ({point}) - length({digits}))"
    place = f"greatest({point}, 1)"
    whole = f"regexp_replace(({padded})[:{place}], '^0+(\\d)', '\\1')"
    written = f"rtrim(rtrim({whole} || '.' || ({padded})[{place} + 1:], '0'), '.')"
    return f"CASE WHEN starts_with({plain}, '-') THEN '-' ELSE '' END || {written}"


def _usual_bare(text: str, kind: Kind) -> str:
    """Builds the number of an amount in the usual form."""
    return f"trim(replace({text}, {literal(kind.currency)}, ''))" if kind.currency else text


def _bare(text: str) -> str:
    """Builds the expression for `column_formats.numbers.bare_number`."""
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
    if kind.formats[0].lower().startswith("%a"):
        # DuckDB takes any weekday.
        moment = f"CASE WHEN starts_with(lower({text}), lower(strftime({moment}, '%a'))) THEN {moment} END"
    return f"CAST({moment} AS {target})"


def compare(value: str, operator: str, other: str, type_: str) -> str:
    """Builds a comparison of two values. Numerics are compared as numbers."""
    if type_ != "numeric":
        return f"{value} {operator} {other}"
    exact = f"TRY_CAST({{}} AS DECIMAL(38, {_COMPARED_SCALE}))"
    return (
        f"coalesce({exact.format(value)} {operator} {exact.format(other)}, "
        f"TRY_CAST({value} AS DOUBLE) {operator} TRY_CAST({other} AS DOUBLE))"
    )


def bare_email(text: str) -> str:
    """Extracts the address from `Ann <ann@x.com>`, `mailto:ann@x.com` or `ann@x.com;`. Any other text stays."""
    whole = literal(EMAIL)
    inside = literal(rf"^(?:(?i:mailto:)|[^<>@]*<)?({EMAIL})>?[;,.\s]*$")
    found = f"nullif(regexp_extract({text}, {inside}, 1), '')"
    return f"CASE WHEN regexp_full_match({text}, {whole}) THEN {text} ELSE coalesce({found}, {text}) END"


def normalized(expression: str, type_: str, semantic: str | None) -> str:
    """Normalizes values that people regard as equal: case, blanks, and the spelling of phone numbers."""
    if type_ == "numeric":
        # Final zeros after the point do not count.
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
    """Hashes to 64 bits of MD5 as a signed number, which is equal in every version, unlike DuckDB's own hash."""
    return f"CAST(md5_number_lower({parts})::HUGEINT - 9223372036854775808 AS BIGINT)"
