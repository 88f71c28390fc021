"""Import instructions, several of each kind that was once misread: read rightly, or asked about."""

from __future__ import annotations

import pytest

from atlas.language.instructions import ImportInstruction
from atlas.language.offline.import_clauses.parser import parse_import
from atlas.language.paraphrase import filter_text

HEADERS = ["email", "zip", "code", "status", "amount", "name", "Full Name", "order date", "country", "price"]


def said(text: str) -> ImportInstruction:
    return parse_import(text, ["leads", "sales", "order items"], HEADERS)


def kept(text: str) -> str:
    """The filter as it is told; `?` before it where a question is asked."""
    found = said(text)
    told = filter_text(found.filters, exclude=found.exclude) if found.filters else "all"
    return ("? " if found.question else "") + told.removeprefix("only records where ")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        # A clause ends where a word ends, so that nothing behind it is lost.
        ("into leads, only rows where order date is 01/02/2024", "order date is 01/02/2024"),
        ("into leads, only rows where order date is after 01/02/2024", "order date > 01/02/2024"),
        ("into leads, only rows where order date is before 1.2.2024", "order date < 1.2.2024"),
        ("into leads, only rows where code is over 10/3a", "code > 10/3a"),
        ("into leads, only rows where order date is on or after March 3, 2024", 'order date >= "March 3, 2024"'),
        (
            "into leads, only rows where order date is before 3rd of March 2024 and status is open",
            'order date < "3rd of March 2024" and status is open',
        ),
        (
            "into leads, only rows where order date is between 1 Jan 2024 and 31 Jan 2024",
            'order date is between "1 Jan 2024" and "31 Jan 2024"',
        ),
        ("into leads, only rows where name is April or May", "name is one of April, May"),
        ("Dans la table sales, lignes où name est « Jean Dupont »", 'name is "Jean Dupont"'),
    ],
)
def test_values_are_taken_whole(text: str, told: str) -> None:
    assert kept(text) == told


@pytest.mark.parametrize(
    "text",
    [
        "into leads, only rows where status is open, closed",
        "into leads, only rows with status of open",
        "into leads, only rows where amount is 10 give or take",
        "into leads, only rows where amount is over 5 wugs",
    ],
)
def test_what_may_belong_to_a_condition_is_asked(text: str) -> None:
    assert kept(text).startswith("?")


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("only rows where status is open and zip is text", "types", {"zip": "text"}),
        ("only rows where status is open and name is required", "required", ("name",)),
        ("only rows where status is open and email is unique", "key", ("email",)),
        ("only rows where status is open and email is the primary key", "key", ("email",)),
        ("nur Zeilen, bei denen status gleich open ist und email ist Pflicht", "required", ("email",)),
        ("seulement les lignes où status est open et email est obligatoire", "required", ("email",)),
        ("solo las filas donde status es open y email es la clave", "key", ("email",)),
        ("solo las filas donde status es open y zip es texto", "types", {"zip": "text"}),
    ],
)
def test_what_is_said_of_a_column_is_no_value_of_it(text: str, field: str, value: object) -> None:
    assert (kept(text), getattr(said(text), field)) == ("status is open", value)


@pytest.mark.parametrize(
    "text",
    [
        "leave out country IN", "without country IT", "omit country AS", "not country US", "keep country US",
        "only country IT", "exclude status open", "exclude the US", "remove country us and id 3",
        "disable deduplication", "keine Duplikatprüfung", "sans vérification des doublons",
        "dry-run only", "test run", "validate only", "what if", "Probelauf", "essai à blanc", "simulacro", "don't save",
        "this is a test", "Trockenlauf bitte", "solo una prueba", "nach amount sortiert", "trié par amount",
        "ordenado por amount", "anonymisieren", "anonymiser les données", "anonimizar",
    ],
)  # fmt: skip
def test_what_nobody_would_swallow_is_asked(text: str) -> None:
    found = said(f"into leads, {text}")
    assert found.question is not None
    assert found.not_understood


@pytest.mark.parametrize(
    "text", ["no dedup", "without duplicate check", "don't check for duplicates", "turn off duplicate detection"]
)
def test_no_check_of_duplicates_keeps_them(text: str) -> None:
    assert (said(text).duplicates, said(text).question) == ("keep", None)


def test_a_word_in_quotes_is_a_value() -> None:
    assert kept('only rows where status is "text" and zip is "key"') == "status is text and zip is key"
    assert kept("only rows where status is key") == "status is key"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("into leads, only rows where amount is $1,000 or more", "amount >= $1,000"),
        ("into leads, only rows where amount is 100 or less", "amount <= 100"),
        ("into leads, only rows where amount is 10+", "amount >= 10"),
        ("into leads, only rows where amount is 10 or over 50", "amount is 10 or amount > 50"),
        ("nur Zeilen, bei denen amount gleich 10 oder mehr ist", "amount >= 10"),
        ("into leads, only rows with amount from 10 to 20", "amount is between 10 and 20"),
        ("into leads, where amount ranges from 10 to 20", "amount is between 10 and 20"),
        ("into leads, only rows where amount is no greater than 5", "amount <= 5"),
        ("into leads, only rows where status is neither open nor closed", "status is not one of open, closed"),
        ("nur Zeilen, bei denen status weder open noch closed ist", "status is not one of open, closed"),
        ("lignes où status n'est ni open ni closed", "status is not one of open, closed"),
        ("filas donde status no es ni open ni closed", "status is not one of open, closed"),
        ("lignes où amount n'est pas supérieur à 10", "amount <= 10"),
        ("filas donde amount no es menor que 10", "amount >= 10"),
        ("nur Zeilen, bei denen status open oder closed ist", "status is one of open, closed"),
        ('nur Zeilen, bei denen name "Müller, Anna" ist', 'name is "Müller, Anna"'),
        (
            "into leads, only rows where Full Name starts with A or B",
            "Full Name starts with A or Full Name starts with B",
        ),
        ("into leads, only rows where country is one of: US, DE", "country is one of US, DE"),
        ("into leads, only rows where status like 'op%'", "status starts with op"),
        ("into leads, only rows where status is not like '%en'", "status does not end with en"),
        ("into leads, only rows where status like 'a%b'", "? all"),
        ("into leads, everything but rows where country is US", "all records but those where country is US"),
        ("into leads, all rows other than those where status is open", "all records but those where status is open"),
    ],
)
def test_other_words_for_comparisons(text: str, told: str) -> None:
    assert kept(text) == told


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("replace sales completely", {"table": "sales", "replace": True}),
        ("delete all rows from sales and import this", {"table": "sales", "replace": True}),
        ("clear out the order items table then load the file", {"table": "order items", "replace": True}),
        ("sync this file with sales by email", {"table": "sales", "duplicates": "update", "key": ("email",)}),
        ("merge into sales on email", {"table": "sales", "duplicates": "update", "key": ("email",)}),
        ("insert only new rows into sales", {"table": "sales", "duplicates": "skip"}),
        (
            "update prices in sales matching on email",
            {"table": "sales", "only_existing": True, "keep": ("email", "price")},
        ),
        ("Mettre à jour le price dans la table sales selon email", {"table": "sales", "keep": ("email", "price")}),
        ("Actualizar el price en la tabla sales por email", {"table": "sales", "keep": ("email", "price")}),
        (
            "Aktualisiere den price in der Tabelle sales anhand von email",
            {"table": "sales", "keep": ("email", "price")},
        ),
        ("this goes into leads", {"table": "leads"}),
    ],
)
def test_other_words_for_what_becomes_of_a_table(text: str, facts: dict[str, object]) -> None:
    found = said(text)
    assert {name: getattr(found, name) for name in facts} == facts
    assert (found.question, found.not_understood) == (None, ())


@pytest.mark.parametrize(
    "text",
    [
        "into leads, treat zip as text and as a number",
        "into leads, no header row and the header is in row 3",
        "do not clear the sales table",
        "never overwrite rows in sales",
        "truncate nothing, load into sales",
        "No vaciar la tabla sales",
        "Ne pas vider la table sales",
        "into leads, zip is text and a number",
        "in leads, zip als Zahl und als Text behandeln",
        "dans leads, traiter zip comme texte et comme nombre",
        "en leads, tratar zip como texto y como número",
        "into leads, treat zip and amount as text and number",
    ],
)
def test_what_contradicts_itself_is_asked(text: str) -> None:
    assert said(text).question


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        (
            "drop the column notes, the key is email and zip and zip and code are text",
            {"key": ("email", "zip"), "types": {"zip": "text", "code": "text"}},
        ),
        (
            "drop the column notes, zip and code are text",
            {"drop": ("notes",), "types": {"zip": "text", "code": "text"}},
        ),
        ("match on email and zip and code are text", {"key": ("email",), "types": {"zip": "text", "code": "text"}}),
        ("match on email and zip and code is text", {"key": ("email", "zip"), "types": {"code": "text"}}),
        ("rename name to customer, treat zip as text", {"rename": {"name": "customer"}, "types": {"zip": "text"}}),
        ("rename name to text, email to date", {"rename": {"name": "text", "email": "date"}, "types": {}}),
    ],
)
@pytest.mark.parametrize("headers", [HEADERS, []])
def test_a_list_ends_where_the_next_clause_begins(text: str, facts: dict[str, object], headers: list[str]) -> None:
    found = parse_import(text, [], headers)
    assert {name: getattr(found, name) for name in facts} == facts


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Import this into my leads table, the order date is the key", ("order date",)),
        ("Create a table named buyers and the key is the zip column", ("zip",)),
        ("Create a new table called clients, the client's full name identifies each record", ("Full Name",)),
        ("Import into leads, deduplicate by the person's email", ("email",)),
        ("Import into leads, match on the code field, treat the zip column as text", ("code",)),
        ("Create a new table called contacts, records with the same email are duplicates", ("email",)),
        ("Import into leads, rows with the same code and zip count as duplicates", ("code", "zip")),
        ("Import into leads, rename the price column to cost, the customer's code is the key", ("code",)),
    ],
)
def test_words_around_a_column_are_part_of_the_clause(text: str, key: tuple[str, ...]) -> None:
    found = said(text)
    assert (found.key, found.not_understood, found.question) == (key, (), None)
    assert set(found.rename) <= {"price"}


@pytest.mark.parametrize("headers", [HEADERS, []])
@pytest.mark.parametrize(
    "text",
    [
        "rename name to customer, skip duplicates. into leads",
        "rename name to customer, skip duplicates into leads",
        "rename name to customer and ignore duplicates, into leads",
        "Benenne name in customer um, überspringe Duplikate, in die Tabelle leads",
        "renomme name en customer, ignore les doublons, dans la table leads",
        "renombra name a customer, omite duplicados, en la tabla leads",
    ],
)
def test_a_list_of_new_names_ends_at_the_next_clause(text: str, headers: list[str]) -> None:
    found = parse_import(text, ["leads"], headers)
    assert (found.table, found.rename, found.duplicates, found.question) == (
        "leads",
        {"name": "customer"},
        "skip",
        None,
    )


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("append to leads but ignore rows that exist already", {"duplicates": "skip"}),
        ("into leads, skip existing records", {"duplicates": "skip"}),
        ("into leads, email required, utf-8", {"required": ("email",), "encoding": "utf-8"}),
        ("In die Tabelle leads, Dubletten nach E-Mail überspringen", {"duplicates": "skip", "key": ("email",)}),
        ("In die Tabelle leads, vorhandene Zeilen überspringen", {"duplicates": "skip"}),
        ("In die Tabelle leads importieren, price in kosten umbenennen", {"rename": {"price": "kosten"}}),
        ("In die Tabelle leads, email Pflicht", {"required": ("email",)}),
        (
            "Charge dans leads sans la colonne country, zip en texte, la clé est email",
            {"drop": ("country",), "types": {"zip": "text"}, "key": ("email",)},
        ),
        ("Importer dans leads, email obligatoire", {"required": ("email",)}),
        ("Importer dans leads, ignorer les lignes existantes", {"duplicates": "skip"}),
        ("Importar en leads, email obligatorio", {"required": ("email",)}),
        ("Importar en leads, omitir las filas que ya existen", {"duplicates": "skip"}),
    ],
)
def test_short_forms_of_clauses(text: str, facts: dict[str, object]) -> None:
    found = said(text)
    assert ({name: getattr(found, name) for name in facts}, found.question, found.table) == (facts, None, "leads")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("into leads, only keep US and DE rows", "some column is one of US, DE"),
        ("into leads, only open or pending orders", "some column is one of open, pending"),
        ("import everything except closed rows into leads", "all records but those where some column is closed"),
        ("In leads nur US und DE Zeilen importieren", "some column is one of US, DE"),
        (
            "Tout importer sauf les lignes dont status est closed dans leads",
            "all records but those where status is closed",
        ),
        ("Importar todo excepto las filas con status closed en leads", "all records but those where status is closed"),
    ],
)
def test_values_of_a_column_without_its_name(text: str, told: str) -> None:
    found = said(text)
    assert (kept(text), found.table) == (told, "leads")


@pytest.mark.parametrize(
    "text",
    [
        "In leads nur Zeilen aus US und DE importieren",
        "into leads, only rows where status is open and frobnicated",
        "dans la table leads, lignes où status est open et frobnique",
    ],
)
def test_words_that_a_join_ties_to_a_condition_are_asked_about(text: str) -> None:
    assert said(text).question is not None
