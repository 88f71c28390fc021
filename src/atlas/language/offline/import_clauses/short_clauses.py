"""Short forms of clauses of import instructions, in all languages: `only US and DE rows`, `email obligatoire`, `utf-8`.

A form leaves out the verb or the column of the full clause.
"""

from __future__ import annotations

from atlas.language.instructions import Filter
from atlas.language.offline.filter_phrases import Condition
from atlas.language.offline.import_clauses.grammar import DOUBT, Rule, Slot, Text
from atlas.language.offline.import_clauses.row_choices import may_be_anywhere
from atlas.language.offline.import_clauses.slots import values_slot

_SKIP = {"duplicates": "skip"}
_UPDATE = {"duplicates": "update"}
_FLAG = {"duplicates": "flag"}
# No other words name an encoding without the word `encoding`.
_BARE_ENCODING = r"(?:in |as |als |en )?(?=utf|latin|iso|windows-|cp\d|ansi|koi8|shift)<encoding>(?: file| datei)?"
_NAMED_ROWS = (
    r"(?:rows?|records?|lines|entries|ones|leads|contacts|customers|clients|orders|products|items|people|users|transactions|"
    r"sales|payments|invoices|accounts)"
)
_ZEILEN = r"(?:zeilen|datensätze|einträge|kunden|kontakte|bestellungen|aufträge|produkte|artikel|rechnungen)"
_LIGNES = r"(?:lignes|enregistrements|entrées|clients|contacts|commandes|produits|factures)"
_FILAS = r"(?:filas|registros|líneas|entradas|clientes|contactos|pedidos|productos|facturas)"
_DUBLETTEN = r"(?:duplikate|dubletten|doppelte(?: (?:zeilen|datensätze|einträge))?)"
_NACH = r" (?:nach|anhand von|anhand|über|mit gleicher|mit gleichem) (?:der |dem )?<names:key> "


def anyof_slot(text: Text, place: int) -> list[Slot]:
    """Reads several values that some column has: `US and DE`, `open or pending`."""
    return [
        (end, Condition("", item=Filter("", "=", values)), cost + DOUBT / 4)
        for end, values, cost in values_slot(text, place)
        if len(values) > 1 and all(may_be_anywhere(text, value) for value in values)
    ]


SHORT_RULES: dict[str, list[Rule]] = {
    "english": [
        Rule("encoding", _BARE_ENCODING, {}, 0.5),
        Rule("required", r"<knowns:names> (?:required|mandatory|compulsory)", {}, 0.5),
        Rule(
            "duplicates",
            r"(?:but )?(?:skip(?:ping)?|ignor(?:e|ing)|drop(?:ping)?|exclud(?:e|ing)|leav(?:e|ing) out|discard(?:ing)?|omit(?:ting)?) (?:the |all |any )*"
            rf"(?:{_NAMED_ROWS}|those|what) (?:that |which |who |we )?(?:are |is |have )?(?:already )?(?:exists?|there|present|known|in (?:it|there|the table))(?: already)?",
            _SKIP,
        ),
        Rule(
            "duplicates", rf"(?:skip|ignore|leave out|drop) (?:the |all |any )*(?:existing|known) {_NAMED_ROWS}", _SKIP
        ),
        Rule(
            "filter",
            r"(?:import |keep |take |load )?(?:only|just) (?:import |keep |take |load )?(?:the )?<anyof:condition> "
            rf"{_NAMED_ROWS}(?: only)?",
            {},
            0.8,
        ),
        *(
            Rule(
                "exclude",
                rf"(?:except(?: for)?|but not|apart from|other than|(?:everything|all) (?:but|except)) (?:the )?<{slot}:condition> {_NAMED_ROWS}",
                {},
                1.0,
            )
            for slot in ("anywhere", "anyof")
        ),
    ],
    "german": [
        Rule("encoding", _BARE_ENCODING, {}, 0.5),
        Rule("required", r"<knowns:names> (?:pflicht|pflichtfeld|erforderlich|verpflichtend|obligatorisch)", {}, 0.5),
        Rule("rename", r"(?:die )?<pairs> umbenennen", {}, 0.5),
        Rule(
            "duplicates",
            r"(?:(?:überspringe|ignoriere) (?:die |alle )*(?:vorhandenen|bestehenden|existierenden|bekannten) "
            rf"{_ZEILEN}|(?:vorhandene|bestehende|existierende|bekannte) {_ZEILEN} (?:überspringen|ignorieren|auslassen|nicht importieren))",
            _SKIP,
        ),
        Rule("duplicates", _DUBLETTEN + _NACH + r"(?:überspringen|ignorieren|entfernen|auslassen|weglassen)", _SKIP),
        Rule("duplicates", _DUBLETTEN + _NACH + r"(?:aktualisieren|überschreiben)", _UPDATE),
        Rule("duplicates", _DUBLETTEN + _NACH + r"(?:markieren|kennzeichnen|melden)", _FLAG),
        Rule("import", r"alles (?:importieren|laden|übernehmen|einlesen)"),
        Rule(
            "filter",
            rf"(?:importieren? |lade |behalten? )?nur (?:die )?<anyof:condition>[ -]{_ZEILEN}(?: importieren| laden)?",
            {},
            0.8,
        ),
        Rule("exclude", rf"(?:außer|ausser|bis auf) (?:die |den |der )?<anywhere:condition>[ -]{_ZEILEN}", {}, 1.0),
    ],
    "french": [
        Rule("encoding", _BARE_ENCODING, {}, 0.5),
        Rule("required", r"<knowns:names> (?:obligatoires?|requis(?:e|es)?|nécessaires?)", {}, 0.5),
        Rule("types", r"(?:les? |la )?(?:colonnes? )?<knowns:names> en (?:du |format )?<type>", {}, 0.2),
        Rule("import", r"(?:tout|toutes les lignes) (?:importer|charger)"),
        Rule(
            "duplicates",
            rf"(?:ignore[rz]?|saute[rz]?|omettre) (?:toutes |tous )?(?:les )?{_LIGNES} (?:existant(?:e)?s|connu(?:e)?s|qui existent(?: déjà)?|déjà présent(?:e)?s)",
            _SKIP,
        ),
    ],
    "spanish": [
        Rule("encoding", _BARE_ENCODING, {}, 0.5),
        Rule("required", r"<knowns:names> (?:obligatori[oa]s?|requerid[oa]s?|necesari[oa]s?)", {}, 0.5),
        Rule("import", r"(?:importar?|cargar?|importe) todo|todo (?:importar|cargar)"),
        Rule(
            "duplicates",
            rf"(?:omit(?:ir|e|a)|ignor(?:ar|a|e)|salt(?:ar|a|e)) (?:todas |todos )?(?:las |los )?{_FILAS} (?:existentes|conocid[oa]s|que ya existen)",
            _SKIP,
        ),
    ],
}
