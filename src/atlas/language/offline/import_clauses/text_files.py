"""Clauses of import instructions on the encoding and the delimiter of a text file, in all languages."""

from __future__ import annotations

import re

from atlas.kit.encoding_names import find_encoding
from atlas.language.offline.import_clauses.grammar import Rule, Slot, Text
from atlas.language.offline.import_clauses.slots import match_quoted

_ENCODING = re.compile(r"[A-Za-z][A-Za-z\d]*(?:[ _-]?\d[\w-]*|-[A-Za-z]\w*)*")
_DELIMITERS = {
    ",": r"commas?|kommas?|komma|virgules?|comas?",
    ";": r"semi-?colons?|semikolons?|semikola|strichpunkte?n?|points?[- ]virgules?|punto y coma|puntos y comas",
    "\t": r"tab(?:ulator|ulation|ulación|ulacion|ulador|ulatore?n?)?(?:s|en|es)?(?: characters?| stops?)?|tsv",
    "|": r"pipes?|vertical bars?|bars?|senkrechte[rn]? striche?n?|barres? verticales?|barras? verticales?",
    ":": r"colons?|doppelpunkte?n?|deux[- ]points|dos puntos",
    " ": r"spaces?|blanks?|leerzeichen|espaces?|espacios?",
    "^": r"carets?|circumflex(?:es)?|zirkumflexe?",
    "~": r"tildes?",
}
_SIGN = re.compile(r"[;,|:^~#!/*](?= |$|[.,!?)])")


def encoding_slot(text: Text, place: int) -> list[Slot]:
    """Reads the name of an encoding, such as `Windows-1250` or `latin 1`."""
    found = match_quoted(text.text, place)
    if found is not None:
        name = find_encoding(found[1])
        return [] if name is None else [(found[0], name, 0.0)]
    match = _ENCODING.match(text.text, place)
    while match is not None:
        name = find_encoding(match[0])
        if name is not None:
            return [(match.end(), name, 0.0)]
        # "UTF-8-encoded": the name ends before.
        shorter = re.match(r"(.*\w)[ _-]", match[0])
        match = None if shorter is None else re.compile(re.escape(shorter[1])).match(text.text, place)
    return []


def delimiter_slot(text: Text, place: int) -> list[Slot]:
    """Reads a delimiter: a word for it, or the sign itself, with or without quotes."""
    found = match_quoted(text.text, place)
    if found is not None:
        sign = {"\\t": "\t", "tab": "\t"}.get(found[1].lower(), found[1])
        return [(found[0], sign, 0.0)] if len(sign) == 1 and not sign.isalnum() else []
    blank = re.compile(r"\"\s\"|'\s'").match(text.text, place)
    if blank is not None:
        return [(blank.end(), " ", 0.0)]
    for sign, words in _DELIMITERS.items():
        word = re.compile(rf"(?:{words})(?!\w)", re.IGNORECASE).match(text.text, place)
        if word is not None:
            return [(word.end(), sign, 0.0)]
    if text.text.startswith("\\t", place):
        return [(place + 2, "\t", 0.0)]
    plain = _SIGN.match(text.text, place)
    return [] if plain is None else [(plain.end(), plain[0], 0.0)]


_THE_FILE = r"(?:the |this |my )?(?:file|csv|text|data|it)"
TEXT_FILE_RULES: dict[str, list[Rule]] = {
    "english": [
        Rule(
            "encoding",
            r"(?:(?:the|its|with|using|use|in|and) )*(?:file |text |character |source |csv )?"
            r"(?:encoding|charset|character set|code ?page)(?: (?:is|of|was))?[ =:]*<encoding>",
        ),
        Rule(
            "encoding",
            rf"{_THE_FILE} (?:is|was|comes) (?:(?:encoded|saved|written|stored|exported) )?(?:in|as|with) <encoding>"
            r"(?: encoding| encoded)?",
        ),
        Rule("encoding", r"(?:encoded|saved|exported|stored) (?:in|as|with|using) <encoding>(?: encoding)?"),
        Rule(
            "encoding",
            r"(?:use |using |with |as |in |a |the )*<encoding>[ -](?:encoding|encoded|charset)(?: file| csv)?",
        ),
        Rule(
            "encoding",
            r"(?:read|decode|open|treat|interpret|load|import)(?: (?:it|this|the file|this file|the text))? "
            r"(?:as|with|in|using) <encoding>(?: encoding| text)?",
        ),
        Rule(
            "delimiter",
            r"(?:(?:the|its|with|using|use|and) )*(?:column |field |cell |csv |value )?(?:delimiter|separator|sep|delim)s?"
            r"(?: (?:is|are|character is))?[ =:]*(?:an? |the )?<delimiter>",
        ),
        Rule(
            "delimiter",
            r"(?:the |its )*(?:columns|cells|fields|values|data|it|file|csv|rows)(?: (?:is|are))? "
            r"(?:separated|delimited|split)(?: (?:by|with|at|using|on))? (?:an? |the )?<delimiter>",
        ),
        Rule("delimiter", r"(?:separated|delimited|split) (?:by|with|at|on) (?:an? |the )?<delimiter>"),
        Rule(
            "delimiter", r"(?:a |the |this )?<delimiter>[ -](?:separated|delimited)(?: file| values| csv| text| data)*"
        ),
        Rule(
            "delimiter",
            r"(?:with |using |use |take )*(?:an? |the )?<delimiter> as (?:the |a )?(?:column |field )?(?:delimiter|separator)",
        ),
    ],
    "german": [
        Rule(
            "encoding",
            r"(?:(?:die|mit|der|als|und) )*(?:zeichen|datei|text)?(?:kodierung|codierung|zeichensatz|encoding)(?: (?:ist|lautet))?[ =:]*<encoding>",
        ),
        Rule(
            "encoding",
            r"(?:die )?(?:datei|csv|sie|text) (?:ist|wurde) (?:(?:kodiert|codiert|gespeichert) )?(?:in|als|mit) <encoding>(?: kodiert| codiert| gespeichert)?",
        ),
        Rule("encoding", r"(?:in |als |mit )?<encoding>[ -](?:kodiert|codiert|kodierung|codierung|gespeichert)"),
        Rule(
            "encoding",
            r"(?:lies|lesen?|öffnen?|importieren?)(?: (?:sie|die datei|diese datei))? (?:als|in|mit) <encoding>",
        ),
        Rule(
            "delimiter",
            r"(?:(?:das|der|mit|als|und) )*(?:spalten|feld)?(?:trennzeichen|trenner|delimiter)(?: (?:ist|lautet))?[ =:]*(?:ein(?:en)? |das |der )?<delimiter>",
        ),
        Rule(
            "delimiter",
            r"(?:(?:die )?(?:spalten|felder|zellen|werte|datei) (?:sind|ist) )?(?:durch|mit|per) (?:ein(?:en)? )?<delimiter> (?:getrennt|separiert)",
        ),
        Rule("delimiter", r"<delimiter>[ -]?(?:getrennte?|separierte?)(?: (?:datei|werte|csv))?"),
        Rule("delimiter", r"(?:mit )?<delimiter> als (?:spalten|feld)?(?:trennzeichen|trenner)"),
    ],
    "french": [
        Rule(
            "encoding",
            r"(?:(?:l'|le|avec|en|un|et) ?)*(?:encodage|codage|jeu de caractères)(?: (?:est|du fichier est))?[ =:]*(?:en )?<encoding>",
        ),
        Rule("encoding", r"(?:(?:le )?fichier (?:est )?)?(?:encodé|codé|enregistré) (?:en|avec) <encoding>"),
        Rule("encoding", r"(?:le )?fichier est en <encoding>"),
        Rule(
            "delimiter",
            r"(?:(?:le|avec|un|et) )*(?:séparateur|délimiteur)(?: de (?:colonnes|champs))?(?: est)?[ =:]*(?:une? |le |la )?<delimiter>",
        ),
        Rule(
            "delimiter",
            r"(?:(?:les )?(?:colonnes|champs|valeurs|cellules)(?: sont)? )?(?:séparée?s?|délimitée?s?) par (?:des |une? |le |la )?<delimiter>",
        ),
    ],
    "spanish": [
        Rule(
            "encoding",
            r"(?:(?:la|el|con|en|y) )*(?:codificación|codificacion|juego de caracteres)(?: (?:es|del archivo es))?[ =:]*(?:en )?<encoding>",
        ),
        Rule("encoding", r"(?:(?:el )?archivo (?:está )?)?(?:codificado|guardado) (?:en|con) <encoding>"),
        Rule("encoding", r"(?:el )?archivo está en <encoding>"),
        Rule(
            "delimiter",
            r"(?:(?:el|con|un|y) )*(?:separador|delimitador)(?: de (?:columnas|campos))?(?: es)?[ =:]*(?:una? |el |la )?<delimiter>",
        ),
        Rule(
            "delimiter",
            r"(?:(?:las |los )?(?:columnas|campos|valores|celdas)(?: están)? )?(?:separad[oa]s?|delimitad[oa]s?) por (?:una? |el |la )?<delimiter>",
        ),
    ],
}
