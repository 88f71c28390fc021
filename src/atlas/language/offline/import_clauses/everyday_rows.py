"""Clauses on rows as people say them, in all languages: `discard invalid rows`, `the US orders`, `without the open ones`.

They name a value but no column, or have the condition before `only`. A value that no column has is asked about.
"""

from __future__ import annotations

import re

from atlas.language.offline.import_clauses.grammar import Rule, Slot, Text
from atlas.language.offline.import_clauses.row_choices import anywhere_slot
from atlas.language.offline.import_clauses.slots import known_slot, name_slot

# Verbs between the old and the new name of a column, and between a name in the file and one in the table.
_CALLED = {
    "english": r"(?:is|are|should be|shall be|will be|gets|must be) (?:called|named|renamed(?: to)?)|becomes",
    "german": r"heißt|heisst|heißen|wird zu|wird umbenannt in|soll(?:en)?(?= \w+ heißen)",
    "french": r"s'appelle|devient|doit s'appeler|est renommée? en",
    "spanish": r"se llama(?:rá)?|pasa a ser|debe llamarse",
}
_NAMED = (
    r"(?:rows?|records?|lines?|entries|ones|items|leads|contacts|customers|clients|orders|products|people|users|"
    r"transactions|sales|payments|invoices|accounts|employees|tickets|bookings|subscriptions|companies)"
)
_ZEILEN = (
    r"(?:zeilen?|datensätzen?|einträgen?|kunden|kontakten?|bestellungen|aufträgen?|produkten?|artikel|rechnungen|firmen|"
    r"mitarbeiter|buchungen|zahlungen|adressen)"
)
_LIGNES = r"(?:lignes?|enregistrements?|entrées|clients|contacts|commandes|produits|factures|ventes|paiements)"
_FILAS = r"(?:filas?|registros?|líneas|entradas|clientes|contactos|pedidos|productos|facturas|ventas|pagos)"
_INVALID = r"(?:invalid|bad|broken|faulty|erroneous|wrong|malformed|incorrect|corrupt(?:ed)?|failing|failed|defective|unparse?able)"
_LEAVE = (
    r"(?:skip(?:ping)?|ignor(?:e|ing)|exclud(?:e|ing)|drop(?:ping)?|remov(?:e|ing)|discard(?:ing)?|leav(?:e|ing) out|"
    r"omit(?:ting)?|reject(?:ing)?|filter(?:ing)? out|throw(?:ing)? (?:away|out)|without|delete|do not import|don't import)"
)
_LEFT = r"(?:should|must|shall|can|may|have to|need to) be (?:left out|skipped|ignored|dropped|removed|excluded|discarded|omitted)"
_WEG = r"(?:weglassen|überspringen|ignorieren|auslassen|entfernen|verwerfen|löschen|aussortieren|nicht importieren|nicht übernehmen)"
_UNGUELTIG = r"(?:ungültigen?|fehlerhaften?|kaputten?|defekten?|falschen?|inkorrekten?)"
_OMETTRE = r"(?:ignore[rz]?|exclu(?:re|s|ez)|supprime[rz]?|saute[rz]?|rejete[rz]?|omettre|écarte[rz]?|retire[rz]?|sans)"
_OMITIR = r"(?:omit(?:e|ir)|exclu(?:ye|ir)|descarta[r]?|ignora[r]?|salta[r]?|rechaza[r]?|elimina[r]?|quita[r]?|sin)"
_PUT = r"(?:(?:import|load|put|add|insert|take|keep|bring|upload|store|save) )?"


def proper_slot(text: Text, place: int) -> list[Slot]:
    """Reads a value of some column that begins with a capital, as names and codes do."""
    if not text.text[place : place + 1].isupper() or text.text.isupper():
        return []
    return anywhere_slot(text, place)


def called_slot(text: Text, place: int) -> list[Slot]:
    """Reads the old and the new name of a column: `customer is called client`."""
    if not text.names:
        return []
    verb = re.compile(rf" (?:{_CALLED[text.vocabulary.name]}) ", re.IGNORECASE)
    found: list[Slot] = []
    for end, old, cost in known_slot(text, place):
        between = verb.match(text.text, end)
        for last, new, more in name_slot(text, between.end()) if between is not None else ():
            if " " not in new:
                # A new name is in no file, which makes it costly as the name of a column.
                found.append((last, ((old, new),), cost + min(more, 1.0)))
    return found


EVERYDAY_RULES: dict[str, list[Rule]] = {
    "english": [
        Rule("map", r"(?:the )?(?:column |field )?<called:pairs>(?: in the table)?", {}, 0.2),
        Rule("key", r"(?:make|keep) (?:the )?<names:key> (?:column )?unique", {}, 0.2),
        Rule("key", r"(?:with )?(?:the )?key <knowns:key>", {}, 0.5),
        Rule(
            "rules",
            r"<name> (?:must|should|may|can)(?: not|n't) (?:exceed|be (?:more|greater|higher|larger) than|be (?:over|above)) <number:high>",
        ),
        Rule(
            "rules",
            r"<name> (?:cannot|can't) (?:exceed|be (?:more|greater|higher|larger) than|be (?:over|above)) <number:high>",
        ),
        Rule("invalid", rf"{_LEAVE} (?:the |all |any |those )*{_INVALID} {_NAMED}"),
        Rule(
            "invalid",
            rf"{_LEAVE} (?:the |all |any |those )*{_NAMED} (?:with|having|that have|containing|which have) (?:an? |any )?"
            r"(?:errors?|mistakes?|problems?|issues?|(?:invalid|bad|wrong) (?:values?|data))",
        ),
        Rule(
            "invalid",
            rf"{_LEAVE} (?:the |all |any |those )*{_NAMED} (?:that|which) (?:are {_INVALID}|fail(?: (?:the )?(?:validation|checks?))?|"
            r"do not (?:validate|parse)|don't (?:validate|parse)|cannot be (?:read|parsed))",
        ),
        Rule("invalid", rf"{_INVALID} {_NAMED} {_LEFT}"),
        Rule("filter", r"(?:only |just )?(?:import |keep |take |load )?(?:the )?<traits:condition> only", {}, 0.9),
        Rule(
            "filter",
            r"(?:but )?(?:only|just) (?:import |keep |take |load )?(?:the )?<anywhere:condition>(?: ones)?(?: only)?",
            {},
            1.6,
        ),
        Rule("filter", rf"but (?:only|just) (?:the )?<anywhere:condition> {_NAMED}", {}, 0.8),
        Rule("filter", rf"{_PUT}(?:all )?(?:the |my |our )?<proper:condition> {_NAMED}", {}, 1.2),
        Rule(
            "filter",
            rf"(?:import|load|put|add|insert|take|keep) (?:all )?(?:the )?<anywhere:condition> {_NAMED}",
            {},
            2.6,
        ),
        Rule(
            "filter",
            rf"{_PUT}(?:all )?(?:the |my |our )?{_NAMED} (?:from|in|of|for) (?:the )?<proper:condition>",
            {},
            1.2,
        ),
        Rule(
            "exclude",
            rf"(?:but )?(?:{_LEAVE}|minus|except(?: for)?|but not|but no) (?:the |any )?<anywhere:condition> {_NAMED}(?: out)?",
            {},
            1.4,
        ),
        Rule(
            "exclude",
            r"(?:but )?(?:nothing|none|nobody|no one|no (?:rows?|records?)|not) (?:from|in|of|for) (?:the )?<anywhere:condition>",
            {},
            1.2,
        ),
        Rule(
            "exclude",
            r"(?:import |take |keep |load )?(?:everything|everyone|all|all rows|all records|all of it) (?:but|except(?: for)?|other than|apart from|not|minus) "
            rf"(?:from |in |for )?(?:the )?<anywhere:condition>(?: {_NAMED})?",
            {},
            1.6,
        ),
        Rule("exclude", rf"{_NAMED} (?:where|with|having|that have|whose) (?:an? |the )?<traits:condition> {_LEFT}"),
        Rule(
            "exclude",
            rf"{_NAMED} (?:with|having|that have) (?:an? |the )?(?:empty|blank|missing|no) <knowns:empty> {_LEFT}",
        ),
        Rule("exclude", rf"{_NAMED} (?:without|lacking|missing) (?:an? |the |any )?<knowns:empty> {_LEFT}"),
    ],
    "german": [
        Rule("map", r"(?:die )?(?:spalte |das feld )?<called:pairs>(?: heißen)?(?: in der tabelle)?", {}, 0.2),
        Rule("key", r"(?:mit )?(?:dem )?schlüssel <knowns:key>", {}, 0.5),
        Rule("invalid", rf"(?:(?:alle|die) )?{_UNGUELTIG} {_ZEILEN} {_WEG}"),
        Rule(
            "invalid",
            rf"(?:überspringen?|ignorieren?|verwirf|verwerfe|lösche|entferne|ohne) (?:(?:alle|die) )?{_UNGUELTIG} {_ZEILEN}",
        ),
        Rule("invalid", rf"(?:(?:alle|die) )?{_ZEILEN} mit (?:fehlern|einem fehler|ungültigen werten) {_WEG}"),
        Rule(
            "invalid",
            rf"(?:überspringen?|ignorieren?|verwirf|ohne) (?:(?:alle|die) )?{_ZEILEN} mit (?:fehlern|einem fehler|ungültigen werten)",
        ),
        Rule(
            "duplicates",
            rf"(?:vorhandene[ns]?|bestehende[ns]?|existierende[ns]?|bereits vorhandene[ns]?)(?: {_ZEILEN})? (?:aktualisieren|überschreiben|ersetzen|updaten)",
            {"duplicates": "update"},
        ),
        Rule(
            "filter",
            r"(?:importieren? |lade |behalten? )?nur (?:die |den |das )?<anywhere:condition>(?: (?:importieren|laden|behalten))?",
            {},
            1.6,
        ),
        Rule(
            "filter",
            rf"(?:importieren? |lade )?(?:alle )?(?:die )?{_ZEILEN} (?:aus|von|für) (?:der |dem |den )?<proper:condition>",
            {},
            1.2,
        ),
        Rule(
            "exclude",
            r"(?:alles |alle )?(?:ohne|außer|ausser|bis auf) (?:die |den |das |der )?<anywhere:condition>",
            {},
            1.6,
        ),
        Rule("exclude", rf"(?:ohne|keine) (?:die )?<anywhere:condition>[ -]{_ZEILEN}", {}, 1.2),
        Rule("exclude", r"nichts (?:aus|von|für) (?:der |dem |den )?<anywhere:condition>", {}, 1.2),
        Rule(
            "exclude",
            rf"(?:alle |die )?{_ZEILEN},? (?:mit|bei denen|wo|deren) (?:dem |der |einem |einer )?<traits:condition>,? {_WEG}",
        ),
        Rule("exclude", rf"(?:alle |die )?{_ZEILEN} ohne (?:einen? )?<knowns:empty> {_WEG}"),
        Rule("exclude", rf"(?:alle |die )?<anywhere:condition>[ -]{_ZEILEN} {_WEG}", {}, 1.4),
    ],
    "french": [
        Rule("map", r"(?:la |le )?(?:colonne |champ )?<called:pairs>(?: dans la table)?", {}, 0.2),
        Rule("key", r"(?:avec )?(?:la )?clé(?: primaire)? <knowns:key>", {}, 0.5),
        Rule(
            "invalid",
            rf"{_OMETTRE} (?:toutes |tous )?(?:les )?{_LIGNES} (?:invalides?|erronée?s?|incorrecte?s?|en erreur|"
            r"(?:avec|contenant) (?:des|une) erreurs?|qui ont des erreurs|mal formée?s?)",
        ),
        Rule(
            "filter",
            r"(?:importe[rz]? |garde[rz]? )?(?:les |le |la )?<traits:condition> (?:seulement|uniquement)",
            {},
            0.9,
        ),
        Rule(
            "filter",
            rf"(?:importe[rz]? |garde[rz]? )?(?:les )?{_LIGNES} (?:de|du|des|d'|aux|au|en|pour) ?(?:la |le |les |l')?<anywhere:condition> (?:seulement|uniquement)",
            {},
            0.8,
        ),
        Rule(
            "filter",
            rf"(?:importe[rz]? |charge[rz]? )?(?:toutes )?(?:les )?{_LIGNES} (?:de|du|des|d'|aux|au|en) ?(?:la |le |les |l')?<proper:condition>",
            {},
            1.2,
        ),
        Rule("filter", r"(?:mais )?(?:seulement|uniquement|que) (?:les |le |la )?<anywhere:condition>", {}, 1.6),
        Rule(
            "exclude",
            r"(?:tout |toutes les lignes |tous )?(?:sans|sauf|excepté|hormis|hors) (?:les |le |la |l'|ceux de |celles de )?<anywhere:condition>",
            {},
            1.6,
        ),
        Rule("exclude", rf"{_OMETTRE} (?:les )?{_LIGNES} <anywhere:condition>", {}, 1.4),
        Rule("exclude", r"rien (?:de|du|des|en) (?:la |le |les )?<anywhere:condition>", {}, 1.2),
    ],
    "spanish": [
        Rule("map", r"(?:la |el )?(?:columna |campo )?<called:pairs>(?: en la tabla)?", {}, 0.2),
        Rule("key", r"(?:con )?(?:la )?clave(?: primaria)? <knowns:key>", {}, 0.5),
        Rule(
            "invalid",
            rf"{_OMITIR} (?:todas |todos )?(?:las |los )?{_FILAS} (?:inválid[oa]s?|no válid[oa]s?|erróne[oa]s?|incorrect[oa]s?|"
            r"con (?:errores|algún error|un error)|que tengan errores|mal formad[oa]s?)",
        ),
        Rule(
            "filter",
            r"(?:importa[r]? )?(?:las |los |la |el )?<traits:condition> (?:solamente|únicamente|nada más)",
            {},
            0.9,
        ),
        Rule(
            "filter",
            rf"(?:importa[r]? |carga[r]? )?(?:todas |todos )?(?:las |los )?{_FILAS} (?:de|del|en) (?:la |el |los |las )?<proper:condition>",
            {},
            1.2,
        ),
        Rule(
            "filter",
            r"(?:pero )?(?:solo|sólo|solamente|únicamente) (?:las |los |la |el )?<anywhere:condition>",
            {},
            1.6,
        ),
        Rule(
            "exclude",
            r"(?:todo |todos |todas )?(?:sin|salvo|excepto|menos) (?:las |los |la |el |l[oa]s de )?<anywhere:condition>",
            {},
            1.6,
        ),
        Rule("exclude", rf"{_OMITIR} (?:las |los )?{_FILAS} <anywhere:condition>", {}, 1.4),
        Rule("exclude", r"nada (?:de|del|en) (?:la |el |los |las )?<anywhere:condition>", {}, 1.2),
    ],
}
