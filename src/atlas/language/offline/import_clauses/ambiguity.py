"""Decides whether unknown words need a question, because the words could change which rows or which table are written."""

from __future__ import annotations

import re
from collections.abc import Sequence

from atlas.language.instructions import ImportInstruction
from atlas.language.offline.import_clauses.grammar import Cover, Found, Text

# Words in four languages that select rows, select a table, or describe how the file is read.
_GRAVE = frozenset(
    """
    only just except exception excluding exclude without skip ignore filter filters where whose which having unless until
    since before after between over under above below more less greater fewer than at most least not no never nobody none
    don't doesn't isn't aren't if when or first last top bottom limit sample random half part portion each per every all
    any both either neither replace overwrite clear empty truncate delete remove drop wipe purge erase undo revert reset
    rows row records record lines line entries header headers heading headings headline sheet sheets tab tabs worksheet
    worksheets page pages table tables dataset into merge append update upsert join split combine concatenate union
    duplicates duplicate unique distinct dedupe deduplicate key keys match matching total totals subtotal subtotals sum
    footer footers summary blank blanks null missing existing separate group pivot unpivot transpose sort start
    starts starting begin begins end ends stop through rest others other same different like larger smaller bigger higher
    lower older newer latest newest oldest max maximum min minimum positive negative zero equal equals contains
    containing includes including instead archive archived dry preview
    simulate simulation validate test trial rehearsal pretend deduplication dedup
    probelauf testlauf trockenlauf testen probeweise simulieren vorschau prüfen
    essai simuler tester valider aperçu prueba ensayo simulacro simular probar validar previa
    sorted ordered grouped sortiert sortieren trié triée triés triées trier ordenado ordenada ordenados ordenadas ordenar
    anonymize anonymise anonymized anonymisieren anonymisiert anonymiser anonymisé anonimizar anonimizado
    pseudonymize mask masked redact
    encrypt hash rename column columns field fields delimiter separator
    separated encoding encoded must should required mandatory require requires rule rules valid invalid within during
    nur ausser außer ohne wenn falls wo deren nicht kein keine keinen nie oder bis seit vor nach zwischen über unter mehr
    weniger größer kleiner erste ersten letzte letzten zeile zeilen datensätze kopfzeile überschrift tabelle tabellen blatt
    ersetze ersetzen leere leeren lösche löschen entferne überspringe ignoriere behalte doppelte duplikate schlüssel summe
    gesamt aktualisiere
    seulement uniquement sauf sans si où dont pas aucun aucune jamais ou jusqu'à depuis avant après entre plus moins
    première premières dernière dernières ligne lignes enregistrements en-tête entête tableau feuille onglet remplacer
    remplace vider vide supprimer supprime ignorer ignore garder doublons clé total totaux
    solo solamente únicamente excepto salvo sin si donde cuyo no ningún ninguna nunca hasta desde antes después entre más
    menos primera primeras última últimas fila filas registros encabezado cabecera tabla hoja pestaña reemplazar reemplaza
    vaciar vacía borrar borra eliminar elimina omitir omite ignorar conservar duplicados clave total totales actualizar
    nothing nobody everything everyone but ones nichts alles rien tout tous toutes nada todo todos todas
    aktualisieren vorhandene vorhandenen bestehende bestehenden überschreiben überschreibe ungültige ungültigen
    fehlerhafte fehlerhaften verwerfen überspringen ignorieren weglassen auslassen entfernen
    écraser écrase existants existantes invalides erronées hormis hors
    sobrescribir sobrescribe existentes inválidas inválidos descartar erróneas quitar
    tabella tabel tabela tabell
    """.split()
)
# Numbers and signs that compare values.
_FIGURES = re.compile(r"[\d<>=≥≤≠\"+*%±~^|$€£]")


def build_question(text: Text, cover: Cover, said: ImportInstruction, rest: Sequence[str]) -> str | None:
    """Returns the question to ask about unknown words. None: the words cannot matter to rows or table."""
    if not rest or said.undo:
        return None
    grave = grave_phrases(rest) or [phrase for phrase in rest if _names_something(text, phrase)]
    if not grave and ((said.table is None and not said.same and not said.dataset) or _beside_table(text, cover)):
        grave = list(rest)
    if not grave and _beside_filter(text, cover):
        grave = list(rest)
    if grave:
        return unclear(grave)
    if said.types and (types := [phrase for phrase in rest if _names_type(text, phrase)]):
        return (
            f"Which types are meant? I do not understand '{types[0][:100]}' beside {', '.join(map(repr, said.types))}."
        )
    return None


def unclear(phrases: Sequence[str]) -> str:
    """Writes a question about unknown phrases, 5 at most."""
    told = "; ".join(f"'{phrase[:100]}'" for phrase in phrases[:5])
    return (
        f"I do not understand {told}, which may decide which rows or which table are written. "
        "Say it in other words, or leave it out."
    )


def grave_phrases(phrases: Sequence[str]) -> list[str]:
    """Selects the phrases on rows, on tables, or on how the file is read."""
    return [
        phrase
        for phrase in phrases
        if _FIGURES.search(phrase) or any(word in _GRAVE for word in re.findall(r"[\w'-]+", phrase.lower()))
    ]


def _names_something(text: Text, phrase: str) -> bool:
    """Checks whether a phrase names a column of the file or a table."""
    for found in re.finditer(r"[\w][\w.&-]*", phrase):
        if any(True for _ in text.names.at(phrase, found.start())) or any(
            True for _ in text.tables.at(phrase, found.start())
        ):
            return True
    return False


def _names_type(text: Text, phrase: str) -> bool:
    """Checks whether a phrase names a type beside a column with a type, as in `zip as text and as a number`."""
    return any(word in text.vocabulary.types for word in re.findall(r"[\w/-]+", phrase.lower()))


def _beside_table(text: Text, cover: Cover) -> bool:
    """Checks whether unknown words begin the text or touch the words for the table, and so may change the table."""
    starts = {start for start, _ in cover.unknown}
    if text.tokens and text.tokens[0][0] in starts:
        return True
    named = [clause for clause in cover.clauses if "table" in clause.slots]
    return _touches_unknown(text, cover, [each for each in named if not each.rule.sets.get("weak")] or named)


def _beside_filter(text: Text, cover: Cover) -> bool:
    """Checks whether unknown words touch a condition, a list of columns, a key or a rule, and so may belong there."""
    kinds = ("filter", "exclude", "columns", "key", "rules")
    return _touches_unknown(text, cover, [clause for clause in cover.clauses if clause.rule.kind in kinds])


def _touches_unknown(text: Text, cover: Cover, clauses: Sequence[Found]) -> bool:
    starts = {start for start, _ in cover.unknown}
    joins = re.compile(rf",|{text.vocabulary.joins}|{text.vocabulary.either}", re.IGNORECASE)
    for clause in clauses:
        number = text.next_token[clause.end]
        if "condition" in clause.slots:
            # "status is open, closed" and "rows from US and DE" may be lists of values.
            while number < len(text.tokens) and joins.fullmatch(text.word(number)):
                number += 1
        if number < len(text.tokens) and text.tokens[number][0] in starts:
            return True
        before = text.next_token[clause.start] - 1
        if before >= 0 and text.tokens[before][0] in starts:
            return True
    return False
