"""Short clauses of import instructions on the rows to import, in all languages.

They name the first rows (`only the first 100 rows`), a value of some column (`only US rows`), or a year (`date in 2024`).
"""

from __future__ import annotations

import re

from atlas.language.instructions import Filter
from atlas.language.offline.filter_phrases import Condition
from atlas.language.offline.import_clauses.grammar import DOUBT, Rule, Slot, Text
from atlas.language.offline.import_clauses.slots import known_slot, match_quoted, value_slot
from atlas.language.time_spans import find_span

_SIZE = re.compile(r"(\d{1,3}(?:[., ]\d{3})+|\d{1,9}|[^\W\d_]+)(?![\w.,]*\d)(k)?(?!\w)", re.IGNORECASE)
_SIZES = {
    1: "one row eine einen ein une un una uno",
    2: "two zwei deux dos",
    3: "three drei trois tres",
    4: "four vier quatre cuatro",
    5: "five fünf cinq cinco",
    6: "six sechs seis",
    7: "seven sieben sept siete",
    8: "eight acht huit ocho",
    9: "nine neun neuf nueve",
    10: "ten zehn dix diez",
    12: "twelve zwölf douze doce dozen",
    15: "fifteen fünfzehn quinze quince",
    20: "twenty zwanzig vingt veinte",
    50: "fifty fünfzig cinquante cincuenta",
    100: "hundred hundert cent cien ciento",
    1000: "thousand tausend mille mil",
}
_BY_WORD = {word: number for number, words in _SIZES.items() for word in words.split()}
# Words that stand for no value of a column before `rows`.
_NO_VALUE = frozenset(
    """new old other missing existing unknown unique distinct duplicate duplicates blank empty valid invalid good bad first last
    top next previous matching changed same different remaining all some any every each real correct complete full
    these those this that my our your data header total totals non whole entire more fewer few many most
    neue neuen alte alten andere anderen fehlende vorhandene gültige gültigen leere leeren doppelte doppelten erste ersten
    letzte letzten alle einige jede geänderte
    nouvelles nouveaux autres vides valides uniques doublons premières dernières existantes toutes
    nuevas otras vacías válidas únicas duplicadas primeras últimas existentes todas""".split()
)


def size_slot(text: Text, place: int) -> list[Slot]:
    """Reads a number of rows: `100`, `1,000`, `ten`."""
    found = _SIZE.match(text.text, place)
    if found is None:
        return []
    digits = re.sub(r"\D", "", found[1])
    number = int(digits) if digits else _BY_WORD.get(found[1].lower())
    if number is None:
        return []
    return [(found.end(), number * (1000 if found[2] else 1), 0.0)]


def anywhere_slot(text: Text, place: int) -> list[Slot]:
    """Reads a value that some column has, up to three words: the condition on a column without a name."""
    return text.memoize(("anywhere", place), lambda: iter(_values(text, place)))


def _values(text: Text, place: int) -> list[Slot]:
    found = match_quoted(text.text, place)
    if found is not None:
        return [(found[0], _condition("", found[1]), 0.0)]
    return [
        (end, _condition("", value), cost + DOUBT / 4)
        for end, value, cost in value_slot(text, place)
        if may_be_anywhere(text, value)
    ]


def may_be_anywhere(text: Text, value: str) -> bool:
    """Checks whether a text may be a value of a column without a name, rather than words of a clause."""
    # A code in capitals, such as ES, is no word of the language. A figure is a number of rows, unless it is a year.
    words = {word.lower() for word in value.split() if not (len(word) < 4 and word.isupper())}
    figure = value[0].isdigit() and find_span(value) is None
    if words & (text.vocabulary.stops | _NO_VALUE) or figure or value.count(" ") > 2:
        return False
    return value not in text.names and re.search(r"\w", value) is not None


def period_slot(text: Text, place: int) -> list[Slot]:
    """Reads a year, a quarter or a month that some column of dates has."""
    return [(end, _condition("", value), cost) for end, value, cost in _periods(text, place)]


def _periods(text: Text, place: int) -> list[Slot]:
    return [slot for slot in value_slot(text, place) if find_span(slot[1]) is not None]


_WITHIN = (
    (r"(?:is |are |was |were )?(?:not in|not during|not from)|(?:isn't|aren't|wasn't) in", "=", True),
    (
        r"(?:is |are |was |ist |sind |liegt |est |es )?(?:in|from|during|within|of|im|aus|von|während|en|de|du|durant|pendant|durante|del)",
        "=",
        False,
    ),
    (r"(?:is |are |was |ist |liegt |est |es )?(?:after|nach|après|después de|posterior a|>)", ">", False),
    (r"(?:is |are |was |ist |liegt |est |es )?(?:since|ab|seit|depuis|desde|>=)", ">=", False),
    (r"(?:is |are |was |ist |liegt |est |es )?(?:before|vor|avant|antes de|<)", "<", False),
    (r"(?:is |are |was |ist |liegt |est |es )?(?:until|till|up to|through|bis|jusqu'en|jusqu'à|hasta|<=)", "<=", False),
)
_BETWEEN = re.compile(r" (?:is |liegt |est |es )?(?:between|zwischen|entre|from|von|de) ", re.IGNORECASE)
_YEAR = r"(?:(?:the |dem |l'|la |el )?(?:year|jahr|jahre|année|año|month of|month|monat|mois de|mes de|quarter|quartal) ?(?:of |de )?)?"


def dated_slot(text: Text, place: int) -> list[Slot]:
    """Reads a column of the file with a year, a quarter or a month: `date in 2024`, `datum vor März 2024`."""
    return text.memoize(("dated", place), lambda: iter(_dated(text, place)))


def _dated(text: Text, place: int) -> list[Slot]:
    slots = []
    joint = re.compile(rf" (?:{text.vocabulary.joins}|to|bis|à|a) ", re.IGNORECASE)
    for end, name, cost in known_slot(text, place) if text.names else ():
        between = _BETWEEN.match(text.text, end)
        for last, low, more in _periods(text, between.end()) if between is not None else ():
            middle = joint.match(text.text, last)
            for stop, high, rest in _periods(text, middle.end()) if middle is not None else ():
                item = Filter(name, "between", (low, high))
                slots.append((stop, Condition("", item=item), cost + more + rest))
        for pattern, operator, negated in _WITHIN:
            match = re.compile(rf" (?:{pattern}) {_YEAR}", re.IGNORECASE).match(text.text, end)
            for last, value, more in _periods(text, match.end()) if match is not None else ():
                item = Filter(name, operator, (value,), negated)
                slots.append((last, Condition("", item=item), cost + more))
    return slots


def _condition(column: str, value: str) -> Condition:
    return Condition("", item=Filter(column, "=", (value,)))


_ROWS = r"(?:rows?|records?|lines?|entries|items)"
_SOME = r"(?:rows?|records?|lines|entries|ones|leads|contacts|customers|clients|orders|products|items|people|users|transactions|sales|payments|invoices|accounts)"
_ZEILEN = r"(?:zeilen?|datensätze|einträge|kunden|kontakte|bestellungen|aufträge|produkte|artikel|rechnungen)"
_LIGNES = r"(?:lignes?|enregistrements?|entrées|clients|contacts|commandes|produits|factures)"
_FILAS = r"(?:filas?|registros?|líneas|entradas|clientes|contactos|pedidos|productos|facturas)"
_FILE = {"first_of": "file"}
_MATCHING = {"first_of": "matching"}


def _firsts(patterns: tuple[str, ...], of_file: str, matching: str) -> list[Rule]:
    """Makes the clauses of some patterns: as they are, and with words for the rows that are counted."""
    return [
        rule
        for pattern in patterns
        for rule in (
            Rule("first", pattern),
            Rule("first", pattern + of_file, _FILE),
            Rule("first", pattern + matching, _MATCHING),
        )
    ]


ROW_RULES: dict[str, list[Rule]] = {
    "english": [
        Rule(
            "duplicates",
            rf"(?:only|just) (?:update|refresh|change) (?:the )?(?:existing|matching|known) {_SOME}",
            {"duplicates": "update", "new_rows": False},
        ),
        Rule(
            "question",
            rf"(?:(?:only|just|import|load|skip|ignore) )+(?:the )?(?:19|20)\d\d {_ROWS}(?: only)?",
            {
                "question": "Is a year meant, or so many rows? Say 'rows from' and the year, or 'the first' and the number."
            },
        ),
        *_firsts(
            (
                r"(?:only |just )?(?:(?:import|keep|take|load|use|insert|read|process) )?(?:only |just )?(?:the )?(?:first|top) <size:first> "
                + _ROWS,
                r"(?:(?:import|keep|take|load|use|insert|read|process) )?(?:the )?(?:first|top) <size:first> "
                + _ROWS
                + " only",
            ),
            r" (?:of|in|from) (?:the |this |my )?(?:file|data|csv|sheet|upload)(?: only)?",
            r" (?:that match(?: (?:the filter|it))?|of (?:those|these|them)|that pass(?: (?:the filter|it))?)",
        ),
        Rule(
            "first",
            r"(?:only |just )?(?:import |take |load )?(?:the )?(?:first|top) <size:first> matching " + _ROWS,
            _MATCHING,
        ),
        Rule(
            "first",
            r"(?:limit|restrict|cap|cut)(?: (?:the |this )?(?:import|file|it|data|rows|number of rows|result))?(?: (?:to|at|off at|off after))? "
            rf"(?:the )?(?:first )?<size:first>(?: {_ROWS})?",
        ),
        Rule(
            "first",
            rf"(?:a )?(?:max(?:imum)?|at most|no more than|not more than|up to)(?: of)? <size:first> {_ROWS}(?: only)?",
        ),
        Rule(
            "first",
            rf"(?:import |load |read |take )(?:a )?(?:max(?:imum)?|at most|no more than|up to)(?: of)? <size:first> {_ROWS}",
        ),
        Rule("first", rf"(?:stop|finish|end|quit) (?:after|at) (?:the )?(?:first )?<size:first> {_ROWS}"),
        Rule(
            "first",
            rf"(?:only |just |import only |import |load only |load |import just )<size:first> {_ROWS}(?: only)?",
        ),
        Rule("first", r"(?:only|just)(?: import| load| take)? the first (?:row|record|line|entry)", {"first": 1}),
        Rule("first", r"(?:import|load|take) (?:only|just) the first (?:row|record|line|entry)", {"first": 1}),
        Rule("first", r"(?:import |load |take )?the first (?:row|record|line|entry) only", {"first": 1}),
        Rule(
            "filter",
            rf"(?:only |just )?(?:import |take |load |keep )?(?:only |just )?(?:the )?(?:first|top) <size:first> {_SOME} "
            r"(?:where|whose|in which|for which|that have|with|which have|who have) <condition>",
            _MATCHING,
        ),
        Rule(
            "filter",
            rf"(?:import |keep |take |load )?(?:only|just) (?:import |keep |take |load )?(?:the )?<anywhere:condition> {_SOME}(?: only)?",
            {},
            0.8,
        ),
        Rule("filter", rf"(?:import |keep |take |load )?(?:the )?<anywhere:condition> {_SOME} only", {}, 0.8),
        Rule(
            "filter",
            rf"(?:import |keep |take |load )?(?:only|just) (?:the )?{_SOME} (?:from|for|of|in|that are|who are|which are) {_YEAR}(?:the )?<anywhere:condition>",
            {},
            0.8,
        ),
        Rule(
            "filter",
            rf"(?:import |keep |take |load )?(?:the )?{_SOME} (?:from|for|of|in) {_YEAR}(?:the )?<anywhere:condition> only",
            {},
            0.8,
        ),
        Rule(
            "filter",
            rf"(?:import |keep |take |load )?(?:only|just) (?:from |for |in |of )?{_YEAR}<period:condition>(?: (?:rows|data|records))?",
            {},
            0.8,
        ),
        Rule(
            "filter",
            rf"(?:import |keep |take |load )?(?:from |for |in |of )?{_YEAR}<period:condition> (?:data |rows )?only",
            {},
            0.8,
        ),
        Rule(
            "filter",
            rf"(?:(?:import|keep|take|load|only|just) )*(?:{_SOME} )?(?:(?:where|with|whose|for|the|only|just|a) )*<dated:condition>(?: only)?",
            {},
            0.1,
        ),
        Rule(
            "exclude",
            rf"(?:skip|ignore|exclude|drop|leave out) (?:the )?<anywhere:condition> {_ROWS}",
            {},
            1.2,
        ),
    ],
    "german": [
        Rule("filter", r"(?:(?:importieren?|lade|behalten?) )?nur (?:mit |für )?<traits:condition>", {}, 1.0),
        *_firsts(
            (
                r"(?:(?:importieren?|nimm|lade|behalten?|lies|nur) )*(?:die )?ersten <size:first> "
                + _ZEILEN
                + r"(?: (?:importieren|laden|nehmen|übernehmen))?",
            ),
            r" (?:der|aus der|in der) (?:datei|tabelle)",
            r" (?:davon|die passen|die zutreffen)",
        ),
        Rule(
            "first",
            rf"(?:nur )?(?:höchstens|maximal|max\.?|bis zu|nicht mehr als) <size:first> {_ZEILEN}(?: (?:importieren|laden))?",
        ),
        Rule("first", rf"(?:(?:importieren?|lade) )?nur <size:first> {_ZEILEN}(?: (?:importieren|laden))?"),
        Rule(
            "first",
            rf"(?:den import )?(?:auf|nach) (?:die ersten )?<size:first> {_ZEILEN} (?:begrenzen|beschränken|abbrechen|aufhören|stoppen)",
        ),
        Rule(
            "first",
            rf"(?:begrenzen?|beschränken?)(?: (?:den import|es|ihn))? auf (?:die ersten )?<size:first>(?: {_ZEILEN})?",
        ),
        Rule("first", r"nur die erste zeile(?: importieren| laden)?", {"first": 1}),
        Rule("filter", rf"(?:importieren? |lade |behalten? )?nur (?:die )?<anywhere:condition>[ -]{_ZEILEN}", {}, 0.8),
        Rule(
            "filter",
            rf"(?:importieren? |lade |behalten? )?nur (?:die )?{_ZEILEN} (?:aus|von|für|in|im|mit) {_YEAR}(?:der |dem |den )?<anywhere:condition>",
            {},
            0.8,
        ),
        Rule(
            "filter",
            rf"(?:importieren? |lade |behalten? )?nur (?:aus|von|für|im) {_YEAR}(?:der |dem )?<period:condition>",
            {},
            0.8,
        ),
        Rule("filter", rf"nur {_YEAR}<period:condition>", {}, 0.8),
        Rule(
            "filter",
            rf"(?:(?:importieren?|lade|behalten?|nur) )*(?:{_ZEILEN},? )?(?:(?:mit|wo|bei|deren|das|der|dem|einem|nur) )*<dated:condition>(?: ist| liegt| sind)?",
            {},
            0.1,
        ),
        Rule(
            "exclude",
            r"(?:überspringe|ignoriere) (?:die )?<anywhere:condition>[ -](?:zeilen|datensätze|einträge)",
            {},
            1.2,
        ),
    ],
    "french": [
        Rule(
            "filter", r"(?:(?:importe[rz]?|garde[rz]?) )?(?:seulement|uniquement) (?:avec )?<traits:condition>", {}, 1.0
        ),
        *_firsts(
            (
                r"(?:(?:importe[rz]?|garde[rz]?|prend(?:re|s|ez)?|charge[rz]?|lire|lis|seulement|uniquement|que|juste) )*(?:les )?<size:first> premi(?:ères|ers) "
                + _LIGNES
                + r"(?: (?:seulement|uniquement))?",
                r"(?:(?:importe[rz]?|garde[rz]?|prend(?:re|s|ez)?|charge[rz]?|seulement|uniquement|que|juste) )*(?:les )?premi(?:ères|ers) <size:first> "
                + _LIGNES,
            ),
            r" (?:du|dans le) fichier",
            r" (?:qui correspondent|d'entre elles|parmi elles)",
        ),
        Rule(
            "first",
            rf"(?:(?:importe[rz]?|charge[rz]?) )?(?:au )?(?:maximum|max|plus|jusqu'à)(?: de)? <size:first> {_LIGNES}",
        ),
        Rule("first", rf"(?:(?:importe[rz]?|charge[rz]?) )?(?:seulement|uniquement) <size:first> {_LIGNES}"),
        Rule(
            "first",
            rf"(?:limite[rz]?|arrête[rz]?)(?: l'import(?:ation)?)? (?:à|après) (?:les )?<size:first>(?: premières)?(?: {_LIGNES})?",
        ),
        Rule("first", r"(?:seulement|uniquement|que) la première ligne", {"first": 1}),
        Rule(
            "filter",
            rf"(?:importe[rz]? |garde[rz]? )?(?:seulement|uniquement|que) (?:les )?{_LIGNES} (?:(?:de|du|des|d'|pour|en|à) {_YEAR}(?:la |le |l')?)?<anywhere:condition>",
            {},
            0.8,
        ),
        Rule(
            "filter",
            rf"(?:importe[rz]? |garde[rz]? )?(?:les )?{_LIGNES} (?:(?:de|du|pour|en|à) {_YEAR})?<anywhere:condition> (?:seulement|uniquement)",
            {},
            0.8,
        ),
        Rule("filter", rf"(?:seulement|uniquement|que) (?:de |en |pour )?{_YEAR}<period:condition>", {}, 0.8),
        Rule(
            "filter",
            rf"(?:(?:importe[rz]?|garde[rz]?|seulement|uniquement|les|que) )*(?:{_LIGNES} )?(?:(?:avec|où|dont|la|le|une) )*<dated:condition>",
            {},
            0.1,
        ),
        Rule(
            "exclude",
            r"(?:ignore[rz]?|exclu(?:re|s|ez)) (?:les )?lignes (?:(?:de|du|pour|en) )?<anywhere:condition>",
            {},
            1.2,
        ),
    ],
    "spanish": [
        Rule("filter", r"(?:importa[r]? )?(?:solo|sólo|solamente|únicamente) (?:con )?<traits:condition>", {}, 1.0),
        *_firsts(
            (
                r"(?:(?:importa[r]?|mant[eé]n(?:er)?|carga[r]?|toma[r]?|solo|sólo|solamente|únicamente) )*(?:las |los )?primer[ao]s <size:first> "
                + _FILAS,
                r"(?:(?:importa[r]?|mant[eé]n(?:er)?|carga[r]?|toma[r]?|solo|sólo|solamente|únicamente) )*(?:las |los )?<size:first> primer[ao]s "
                + _FILAS,
            ),
            r" del archivo",
            r" (?:que coincidan|de ellas|que cumplan)",
        ),
        Rule(
            "first",
            rf"(?:(?:importa[r]?|carga[r]?) )?(?:como |un )?(?:máximo|max|hasta|no más de)(?: de)? <size:first> {_FILAS}",
        ),
        Rule("first", rf"(?:(?:importa[r]?|carga[r]?) )?(?:solo|sólo|solamente|únicamente) <size:first> {_FILAS}"),
        Rule(
            "first",
            rf"(?:limita[r]?|para[r]?|detener)(?: la importación)? (?:a|en|después de) (?:las )?(?:primeras )?<size:first>(?: {_FILAS})?",
        ),
        Rule("first", r"(?:solo|sólo|solamente) la primera fila", {"first": 1}),
        Rule(
            "filter",
            rf"(?:importa[r]? |mant[eé]n(?:er)? )?(?:solo|sólo|solamente|únicamente) (?:las |los )?{_FILAS} (?:(?:de|del|para|en) {_YEAR}(?:la |el )?)?<anywhere:condition>",
            {},
            0.8,
        ),
        Rule(
            "filter", rf"(?:solo|sólo|solamente|únicamente) (?:de |del |en |para )?{_YEAR}<period:condition>", {}, 0.8
        ),
        Rule(
            "filter",
            rf"(?:(?:importa[r]?|solo|sólo|solamente|las|los) )*(?:{_FILAS} )?(?:(?:con|donde|cuya|cuyo|la|el|una) )*<dated:condition>",
            {},
            0.1,
        ),
        Rule(
            "exclude",
            r"(?:omit(?:e|ir)|exclu(?:ye|ir)|ignora[r]?) (?:las )?filas (?:(?:de|del|para) )?<anywhere:condition>",
            {},
            1.2,
        ),
    ],
}
