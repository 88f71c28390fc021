"""Short clauses of import instructions on the columns to import, in all languages: `only id and amount`, `ohne stadt`.

Their names are columns of the file, so that no other word becomes one.
"""

from __future__ import annotations

from atlas.language.offline.import_clauses.grammar import Rule, Slot, Text
from atlas.language.offline.import_clauses.slots import knowns_slot

# Less likely than clauses with a word such as `columns`.
_SHORT, _SHORTER = 0.5, 0.8


def several_slot(text: Text, place: int) -> list[Slot]:
    """Reads a list of two or more columns of the file."""
    return [slot for slot in knowns_slot(text, place) if text.names and len(slot[1]) > 1]


def ours_slot(text: Text, place: int) -> list[Slot]:
    """Reads columns of the file, and nothing before the file's columns are known."""
    return knowns_slot(text, place) if text.names else []


COLUMN_RULES: dict[str, list[Rule]] = {
    "english": [
        Rule("columns", r"(?:only|just) (?:the |these )?<ours:keep>(?: only)?", {}, _SHORT),
        Rule(
            "columns",
            r"(?:(?:keep|select|choose|pick|import|load|take|read|include|use) )?(?:only |just )?(?:the )?<ours:keep> (?:columns? |fields? )?"
            r"(?:only|and nothing else|and no other columns?|and no others?)",
            {},
            _SHORT,
        ),
        Rule("columns", r"(?:keep|select|choose|pick) (?:the )?<ours:keep>", {}, _SHORTER),
        Rule("columns", r"(?:import|load|take|read|include) (?:the )?<several:keep>", {}, _SHORTER),
        Rule(
            "columns",
            r"(?:(?:import|keep|take|load) )?(?:all|everything|every column|every field|all (?:of )?the columns|all columns)"
            r"(?:,)? (?:but|except(?: for)?|minus|without|other than|apart from|excluding)(?: for)? (?:the )?<ours:drop>(?: columns?| fields?)?",
            {},
            _SHORT / 2,
        ),
        Rule("columns", r"(?:no|excluding|other than|apart from|but no) (?:the )?<ours:drop> (?:columns?|fields?)"),
        Rule("columns", r"(?:excluding|other than|apart from|but no) (?:the )?<ours:drop>", {}, _SHORT),
        Rule(
            "columns",
            r"(?:do not|don't|never) (?:import|load|include|keep|take) (?:the )?(?:columns? |fields? )?<ours:drop>(?: columns?| fields?)?",
            {},
            _SHORT,
        ),
        Rule("columns", r"(?:leave|take|throw) (?:the )?<ours:drop>(?: columns?| fields?)? (?:out|away)", {}, _SHORT),
    ],
    "german": [
        Rule(
            "columns",
            r"(?:(?:importieren?|behalten?|nimm|lade|lies|übernimm) )?nur (?:die )?<ours:keep>(?: (?:importieren|übernehmen|behalten|laden))?",
            {},
            _SHORT,
        ),
        Rule("columns", r"(?:behalten?|wähle|auswählen) (?:die )?<ours:keep>", {}, _SHORTER),
        Rule("columns", r"<ours:keep> (?:behalten|und sonst nichts|und nichts anderes)", {}, _SHORTER),
        Rule(
            "columns",
            r"(?:(?:alles|alle (?:spalten|felder)|sämtliche spalten) )?(?:ohne|außer|ausser|bis auf|abgesehen von|abzüglich|exklusive) "
            r"(?:die |der |das |den |dem )?<ours:drop>(?:[- ]spalten?| felde?r?)?",
            {},
            _SHORT,
        ),
        Rule(
            "columns",
            r"(?:die |das |den )?(?:spalten? )?<ours:drop>(?:[- ]spalten?)? (?:weglassen|auslassen|ignorieren|entfernen|überspringen|streichen|"
            r"nicht importieren|nicht übernehmen|rauslassen|herauslassen)",
            {},
            _SHORT,
        ),
        Rule(
            "columns",
            r"(?:lass(?:e|en)? |ignoriere |entferne |überspringe |streiche )(?:die |das |den )?(?:spalten? )?<ours:drop>(?:[- ]spalten?)?"
            r"(?: (?:weg|aus|raus))?",
            {},
            _SHORT,
        ),
        Rule("columns", r"keine (?:spalten? )?<ours:drop>(?:[- ]spalten?)", {}, _SHORT),
    ],
    "french": [
        Rule(
            "columns",
            r"(?:(?:importe[rz]?|garde[rz]?|conserve[rz]?|charge[rz]?|prend(?:re|s|ez)?|ne garde[rz]?) )?(?:seulement|uniquement|juste|que|rien que) "
            r"(?:la |le |les |l')?(?:colonnes? |champs? )?<ours:keep>",
            {},
            _SHORT,
        ),
        Rule(
            "columns",
            r"(?:(?:importe[rz]?|garde[rz]?|conserve[rz]?) )?(?:la |le |les |l')?<ours:keep> (?:seulement|uniquement|et rien d'autre)",
            {},
            _SHORT,
        ),
        Rule("columns", r"(?:garde[rz]?|conserve[rz]?|sélectionne[rz]?) (?:la |le |les |l')?<ours:keep>", {}, _SHORTER),
        Rule(
            "columns",
            r"(?:(?:importe[rz]? )?(?:tout|toutes les colonnes|tous les champs) )?(?:sans|sauf|excepté|hormis|hors|à part|moins|à l'exception de) "
            r"(?:la |le |les |l')?(?:colonnes? |champs? )?<ours:drop>",
            {},
            _SHORT,
        ),
        Rule(
            "columns",
            r"(?:ignore[rz]?|supprime[rz]?|retire[rz]?|enlève|enlever|enlevez|exclu(?:re|s|ez)|omet(?:tre|s|tez)?|ne pas importer|n'importe[rz]? pas) "
            r"(?:la |le |les |l')?(?:colonnes? |champs? )?<ours:drop>",
            {},
            _SHORT,
        ),
    ],
    "spanish": [
        Rule(
            "columns",
            r"(?:(?:importa[r]?|mant[eé]n(?:er)?|conserva[r]?|carga[r]?|guarda[r]?|deja[r]?|quédate con|quedarse con) )?"
            r"(?:solo|sólo|solamente|únicamente|nada más que) (?:la |el |las |los )?(?:columnas? |campos? )?<ours:keep>",
            {},
            _SHORT,
        ),
        Rule(
            "columns",
            r"(?:(?:importa[r]?|mant[eé]n(?:er)?|conserva[r]?) )?(?:la |el |las |los )?<ours:keep> (?:solamente|únicamente|nada más|y nada más)",
            {},
            _SHORT,
        ),
        Rule(
            "columns",
            r"(?:mant[eé]n(?:er)?|conserva[r]?|selecciona[r]?) (?:la |el |las |los )?<ours:keep>",
            {},
            _SHORTER,
        ),
        Rule(
            "columns",
            r"(?:(?:importa[r]? )?(?:todo|todas las columnas|todos los campos) )?(?:sin|excepto|salvo|menos|excluyendo|a excepción de) "
            r"(?:la |el |las |los )?(?:columnas? |campos? )?<ours:drop>",
            {},
            _SHORT,
        ),
        Rule(
            "columns",
            r"(?:quita[r]?|elimina[r]?|omit(?:e|ir)|exclu(?:ye|ir)|descarta[r]?|ignora[r]?|no importar|no importes|saca[r]?) "
            r"(?:la |el |las |los )?(?:columnas? |campos? )?<ours:drop>",
            {},
            _SHORT,
        ),
    ],
}
