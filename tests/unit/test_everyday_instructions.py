"""Short phrases of import instructions that people write every day: read to the letter, or asked about."""

from __future__ import annotations

import pytest

from atlas.language.instructions import ImportInstruction
from atlas.language.offline.import_clauses.parser import parse_import
from atlas.language.paraphrase import filter_text

ENGLISH = ["id", "name", "email", "country", "city", "amount", "date", "status"]
GERMAN = ["id", "name", "stadt", "land", "betrag", "datum"]
FRENCH = ["id", "nom", "ville", "pays", "montant", "date"]
SPANISH = ["id", "nombre", "ciudad", "pais", "importe", "fecha"]


def said(text: str, headers: list[str]) -> ImportInstruction:
    """What an instruction says. All of it was understood."""
    found = parse_import(text, ["leads", "sales"], headers)
    assert not found.not_understood, text
    assert found.question is None, text
    return found


def kept(found: ImportInstruction) -> str:
    return filter_text(found.filters, exclude=found.exclude).removeprefix("only records where ")


@pytest.mark.parametrize(
    ("text", "headers", "number"),
    [
        *(
            (text, ENGLISH, number)
            for text, number in (
                ("first 100 rows", 100),
                ("only the first 100 rows", 100),
                ("import the first 10 records into leads", 10),
                ("into leads, just the first 5 lines", 5),
                ("take the first ten rows", 10),
                ("limit to 1,000 rows", 1000),
                ("limit the import to 50 rows", 50),
                ("top 20 rows only", 20),
                ("max 100 rows", 100),
                ("import at most 100 records into sales", 100),
                ("stop after 100 rows", 100),
                ("import only 10k rows", 10_000),
                ("import only the first row", 1),
                ("the first 3 rows of the file only", 3),
            )
        ),
        *(
            (text, GERMAN, number)
            for text, number in (
                ("nur die ersten 100 Zeilen", 100),
                ("die ersten zehn Zeilen importieren", 10),
                ("maximal 1.000 Zeilen", 1000),
                ("den Import auf 50 Zeilen begrenzen", 50),
                ("nur die erste Zeile", 1),
            )
        ),
        *(
            (text, FRENCH, number)
            for text, number in (
                ("seulement les 100 premières lignes", 100),
                ("les premières 50 lignes", 50),
                ("importer les dix premières lignes dans la table leads", 10),
                ("maximum 1 000 lignes", 1000),
                ("limiter à 20 lignes", 20),
            )
        ),
        *(
            (text, SPANISH, number)
            for text, number in (
                ("solo las primeras 100 filas", 100),
                ("las 100 primeras filas", 100),
                ("importar las primeras diez filas en la tabla leads", 10),
                ("máximo 1.000 filas", 1000),
                ("limitar a 20 filas", 20),
            )
        ),
    ],
)
def test_the_first_rows(text: str, headers: list[str], number: int) -> None:
    found = said(text, headers)
    assert (found.first, found.skip_rows, found.filters, found.keep) == (number, 0, (), ())
    assert any(clause.kind == "first" for clause in found.understood)


@pytest.mark.parametrize(
    ("text", "of"),
    [
        ("only the first 10 rows of the file, only rows where country is US", "file"),
        ("the first 10 matching rows, only rows where country is US", "matching"),
        ("the first 10 rows where country is US", "matching"),
        ("only import the first 10 customers with country US", None),
    ],
)
def test_the_first_rows_of_a_filter(text: str, of: str | None) -> None:
    found = parse_import(text, ["leads"], ENGLISH)
    assert bool(found.question) == (of is None)
    if of is not None:
        assert (found.first, found.first_of, kept(found)) == (10, of, "country is US")


@pytest.mark.parametrize(
    "text",
    [
        "only the first 10 rows, only rows where country is US",
        "only rows where country is US, limit 10",
        "import only 2024 rows",
        "only the first 10 rows, only the first 20 rows",
        "last 10 rows",
        "skip 2 rows",
        "every second row",
        "a random sample of 10 rows",
        "only rows 10 to 20",
        "skip the last 3 rows",
    ],
)
def test_rows_that_may_be_meant_in_two_ways_are_asked(text: str) -> None:
    assert parse_import(text, ["leads"], ENGLISH).question, text


@pytest.mark.parametrize(
    ("text", "headers", "names"),
    [
        *(
            (text, ENGLISH, ("id", "amount"))
            for text in (
                "keep only id and amount",
                "only id and amount",
                "keep id and amount",
                "into leads, just id and amount",
                "only keep id, amount",
                "id and amount only",
                "import id and amount only",
                "only import id & amount into leads",
                "select id, amount",
                "import id and amount and nothing else",
                "only the id and amount columns",
                "pick id and amount",
            )
        ),
        *((text, GERMAN, ("id", "betrag")) for text in (
            "nur id und betrag", "behalte nur id und betrag", "behalte id und betrag",
            "nur die Spalten id und betrag",
        )),
        *((text, FRENCH, ("id", "montant")) for text in (
            "seulement id et montant", "garder seulement id et montant", "ne garder que id et montant",
            "garde id et montant",
        )),
        *((text, SPANISH, ("id", "importe")) for text in (
            "solo id e importe", "mantener solo id e importe", "solo las columnas id e importe",
            "conservar id e importe",
        )),
    ],
)  # fmt: skip
def test_only_some_columns(text: str, headers: list[str], names: tuple[str, ...]) -> None:
    found = said(text, headers)
    assert (found.keep, found.drop, found.filters) == (names, (), ())


@pytest.mark.parametrize(
    ("text", "headers", "name"),
    [
        *((text, ENGLISH, "city") for text in (
            "without city", "without the city column", "no city column", "drop city", "leave city out",
            "all but city", "everything but city", "all columns except city", "do not import city",
            "import everything except the city column",
        )),
        *((text, GERMAN, "stadt") for text in (
            "ohne stadt", "ohne die Stadt", "ohne die Spalte stadt", "stadt weglassen", "alles außer stadt",
            "alle Spalten außer stadt", "lass die stadt weg", "alle Spalten bis auf stadt", "ignoriere stadt",
            "stadt nicht importieren",
        )),
        *((text, FRENCH, "ville") for text in (
            "sans ville", "sans la ville", "sans la colonne ville", "sauf ville", "toutes les colonnes sauf ville",
            "tout sauf la ville", "supprimer la colonne ville", "retirer ville", "ne pas importer la ville",
            "ignorer ville",
        )),
        *((text, SPANISH, "ciudad") for text in (
            "sin ciudad", "sin la ciudad", "sin la columna ciudad", "excepto ciudad",
            "todas las columnas menos ciudad", "todo salvo ciudad", "quitar la columna ciudad", "eliminar ciudad",
            "no importar ciudad", "omitir la ciudad",
        )),
    ],
)  # fmt: skip
def test_all_but_a_column(text: str, headers: list[str], name: str) -> None:
    found = said(text, headers)
    assert (found.drop, found.keep, found.filters) == ((name,), (), ())


@pytest.mark.parametrize(
    ("text", "headers", "value"),
    [
        *((text, ENGLISH, "US") for text in (
            "only US rows", "only the US rows into leads", "US rows only", "just US customers",
            "only rows from US", "only rows for US", "rows in the US only", "keep only US records",
            "import only the US orders", 'only "US" rows',
        )),
        *((text, GERMAN, "DE") for text in (
            "nur DE Zeilen", "nur Zeilen aus DE", "importiere nur Kunden aus DE",
        )),
        *((text, FRENCH, "FR") for text in (
            "seulement les lignes FR", "seulement les lignes de FR", "uniquement les clients de FR",
        )),
        *((text, SPANISH, "ES") for text in (
            "solo filas de ES", "solo las filas de ES", "solo los clientes de ES",
        )),
    ],
)  # fmt: skip
def test_rows_with_a_value_of_whichever_column(text: str, headers: list[str], value: str) -> None:
    assert kept(said(text, headers)) == f"some column is {value}"


@pytest.mark.parametrize(
    ("text", "headers", "told"),
    [
        ("date in 2024", ENGLISH, "date is 2024"),
        ("only rows with date in 2024", ENGLISH, "date is one of 2024"),
        ("only rows where date is in March 2024", ENGLISH, 'date is one of "March 2024"'),
        ("date during 2024", ENGLISH, "date is 2024"),
        ("only date in Q1 2024", ENGLISH, 'date is "Q1 2024"'),
        ("date after 2023", ENGLISH, "date > 2023"),
        ("date since March 2024", ENGLISH, 'date >= "March 2024"'),
        ("date between 2023 and 2024", ENGLISH, "date is between 2023 and 2024"),
        ("only rows from 2024", ENGLISH, "some column is 2024"),
        ("only rows from the year 2024", ENGLISH, "some column is 2024"),
        ("only rows of March 2024", ENGLISH, 'some column is "March 2024"'),
        ("year 2024 only", ENGLISH, "some column is 2024"),
        ("datum in 2024", GERMAN, "datum is 2024"),
        ("datum im Jahr 2024", GERMAN, "datum is 2024"),
        ("nur Zeilen mit datum im März 2024", GERMAN, 'datum is "März 2024"'),
        ("nur aus dem Jahr 2024", GERMAN, "some column is 2024"),
        ("datum vor 2024", GERMAN, "datum < 2024"),
        ("date en 2024", FRENCH, "date is 2024"),
        ("seulement les lignes de 2024", FRENCH, "some column is 2024"),
        ("fecha en 2024", SPANISH, "fecha is 2024"),
        ("solo filas de 2024", SPANISH, "some column is 2024"),
    ],
)
def test_rows_of_a_year(text: str, headers: list[str], told: str) -> None:
    assert kept(said(text, headers)) == told


@pytest.mark.parametrize(
    ("text", "encoding", "delimiter"),
    [
        ("the encoding is Windows-1250", "cp1250", None),
        ("encoding: latin-1, delimiter: ;", "latin-1", ";"),
        ("the file is in ISO 8859-2", "iso8859_2", None),
        ("UTF-8 encoded", "utf-8", None),
        ("the file was saved as cp1252 into leads", "cp1252", None),
        ("read it as Shift-JIS", "cp932", None),
        ("with encoding macroman", "mac_roman", None),
        ("the delimiter is a semicolon", None, ";"),
        ("separated by tabs", None, "\t"),
        ("semicolon-separated file", None, ";"),
        ("columns are separated by |", None, "|"),
        ("use comma as the delimiter", None, ","),
        ('separator ";"', None, ";"),
        ("tab delimited", None, "\t"),
        ("Kodierung ist Windows-1250, Trennzeichen ist Semikolon", "cp1250", ";"),
        ("durch Tabs getrennt", None, "\t"),
        ("Trennzeichen Strichpunkt, in die Tabelle leads", None, ";"),
        ("encodage latin-1, séparateur point-virgule", "latin-1", ";"),
        ("séparées par des tabulations", None, "\t"),
        ("codificación latin-1, separador punto y coma", "latin-1", ";"),
        ("separado por comas", None, ","),
    ],
)
def test_how_a_text_file_is_written(text: str, encoding: str | None, delimiter: str | None) -> None:
    found = said(text, ENGLISH)
    assert (found.encoding, found.delimiter, found.keep, found.types) == (encoding, delimiter, (), {})


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("email is required", "required", ("email",)),
        ("keep amount as text", "types", {"amount": "text"}),
        ("use email as key", "key", ("email",)),
        ("skip the first 2 rows", "skip_rows", 2),
        ("drop rows without email", "exclude", True),
        ("into leads, only rows where amount is over 100", "filters", "amount > 100"),
        ("only update existing rows", "duplicates", "update"),
        ("decimal separator is comma", "decimal_comma", True),
        ("the header is in row 2", "header_row", 2),
        ("keep duplicates", "duplicates", "keep"),
    ],
)
def test_other_phrases_mean_what_they_did(text: str, field: str, value: object) -> None:
    found = said(text, ENGLISH)
    assert (kept(found) if field == "filters" else getattr(found, field)) == value
    assert (found.first, found.encoding, found.delimiter, found.keep) == (None, None, None, ())
