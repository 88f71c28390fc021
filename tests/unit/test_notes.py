"""Notes as people write them, in four languages: carried out as they are meant, or asked about."""

from __future__ import annotations

import time
from typing import Any

import pytest

from atlas.language.offline.records.parser import parse_records
from atlas.tables.model import Table, TableColumn


def _table(number: int, table: str, key: str, /, **columns: str) -> Table:
    return Table(number, table, "s", tuple(TableColumn(name=c, header=c, type=t) for c, t in columns.items()), (key,))


CONTACTS = _table(1, "contacts", "email", name="text", email="text", phone="text", company="text", city="text")
PRODUCTS = _table(2, "products", "sku", sku="text", name="text", price="numeric", stock="bigint", status="text")
STAFF = _table(3, "staff", "email", first_name="text", last_name="text", email="text", birthday="date", country="text")
TABLES = [CONTACTS, PRODUCTS]

ANN = {"name": "Ann Lee", "email": "ann@lee.com"}
NEW: list[tuple[str, list[dict[str, str]]]] = [
    (
        "Please add a new contact: Ann Lee, ann@lee.com, +34 600 111 222, works at Acme Corp in Madrid.",
        [{**ANN, "phone": "+34 600 111 222", "company": "Acme Corp", "city": "Madrid"}],
    ),
    ("Add Ann Lee to the contacts, her mail is ann@lee.com", [ANN]),
    ("Add Ann Lee (ann@lee.com) to our contacts list, please.", [ANN]),
    ("Please register Ann Lee (ann@lee.com) as a new contact", [ANN]),
    ('Add contact: "Lee, Ann" <ann@lee.com>', [{"name": "Lee, Ann", "email": "ann@lee.com"}]),
    ("New contact: Ann Lee, ann@lee.com, lives in Frankfurt am Main", [{**ANN, "city": "Frankfurt am Main"}]),
    (
        "Add Ann Lee (ann@lee.com, +46 8 123 456) and Tom Lund (tom@lund.no, +47 22 33 44 55) to the contacts.",
        [{**ANN, "phone": "+46 8 123 456"}, {"name": "Tom Lund", "email": "tom@lund.no", "phone": "+47 22 33 44 55"}],
    ),
    (
        "Add two new contacts:\n1. Ann Lee, ann@lee.com, lives in Oslo\n2. Tom Lund, tom@lund.no, lives in Bergen",
        [{**ANN, "city": "Oslo"}, {"name": "Tom Lund", "email": "tom@lund.no", "city": "Bergen"}],
    ),
    (
        "From: Max Roe <max@firm.com>\nSubject: new contact\n\nHi team,\n\nplease add Ann Lee, ann@lee.com, "
        "works at Acme to our contacts.\n\nBest regards,\nMax Roe\nSales | Firm Ltd\nmax@firm.com | +49 30 1234567",
        [{**ANN, "company": "Acme"}],
    ),
    (
        "Bitte neuen Kontakt anlegen: Name: Ann Lee, E-Mail: ann@lee.com, Telefon: 089 / 123 45 67, Ort: München",
        [{**ANN, "phone": "089 / 123 45 67", "city": "München"}],
    ),
    (
        "Neuer Kontakt:\n- Name: Ann Lee\n- E-Mail: ann@lee.com\n- Ort: Bad Homburg vor der Höhe\n\n"
        "Mit freundlichen Grüßen\nMax",
        [{**ANN, "city": "Bad Homburg vor der Höhe"}],
    ),
    ("Lege einen neuen Kontakt an: Ann Lee, ann@lee.com, wohnt in Köln", [{**ANN, "city": "Köln"}]),
    ("Ann Lee, ann@lee.com, arbeitet bei Acme, bitte als Kontakt anlegen", [{**ANN, "company": "Acme"}]),
    ("Ajoute un contact : Ann Lee, ann@lee.com, habite à Lyon", [{**ANN, "city": "Lyon"}]),
    (
        "Nuevo contacto: Ann Lee, ann@lee.com, teléfono 600 123 456, ciudad Madrid",
        [{**ANN, "phone": "600 123 456", "city": "Madrid"}],
    ),
]


@pytest.mark.parametrize(("text", "records"), NEW, ids=[text[:50] for text, _ in NEW])
def test_new_records(text: str, records: list[dict[str, str]]) -> None:
    said = parse_records(text, TABLES)
    assert (said.question, said.intent) == (None, "insert")
    assert [(entity.table_hint, entity.data) for entity in said.entities] == [("contacts", each) for each in records]


JOHN, MAIL = {"name": "John Carter"}, {"email": "j@c.com"}
CHANGES: list[tuple[str, dict[str, Any], dict[str, str]]] = [
    ("Update contact j@c.com: phone is now +34 600 999 888", {"phone": "+34 600 999 888"}, MAIL),
    ("Update contact j@c.com: phone +1 555 222 3333, city Leeds", {"phone": "+1 555 222 3333", "city": "Leeds"}, MAIL),
    ("Please change the email of John Carter to j@c.com", {"email": "j@c.com"}, JOHN),
    ("John Carter's new email is j@c.com", {"email": "j@c.com"}, JOHN),
    ("The new phone of John Carter is +1 555 222 3333", {"phone": "+1 555 222 3333"}, JOHN),
    ("Contact j@c.com: remove the city", {"city": None}, MAIL),
    ("Remove the phone of John Carter", {"phone": None}, JOHN),
    ("John Carter moved to Barcelona", {"city": "Barcelona"}, JOHN),
    ("John Carter now works at Acme Corp.", {"company": "Acme Corp"}, JOHN),
    ("Bitte ändere die Telefonnummer von John Carter auf +34 600 111 333", {"phone": "+34 600 111 333"}, JOHN),
    ("John Carter wohnt jetzt in Köln.", {"city": "Köln"}, JOHN),
    ("Mets à jour le contact j@c.com : ville Paris", {"city": "Paris"}, MAIL),
    ("Actualiza el contacto j@c.com: ciudad Sevilla", {"city": "Sevilla"}, MAIL),
    ("set the price of product A1 to 12.99", {"price": "12.99"}, {"sku": "A1"}),
    ("Lösche den Kontakt j@c.com", {}, MAIL),
    ("Supprime le contact j@c.com", {}, MAIL),
    ("Borra el contacto j@c.com", {}, MAIL),
    ("Delete the contact John Carter, please", {}, JOHN),
]


@pytest.mark.parametrize(("text", "data", "match"), CHANGES, ids=[text[:50] for text, *_ in CHANGES])
def test_changes_of_one_record(text: str, data: dict[str, Any], match: dict[str, str]) -> None:
    said = parse_records(text, TABLES)
    assert (said.question, said.intent) == (None, "update" if data else "archive")
    assert [(entity.data, entity.match, entity.every) for entity in said.entities] == [(data, match, False)]


MANY: list[tuple[str, str, dict[str, str], list[tuple[str, str, str | None]], dict[str, str]]] = [
    ("set city to Berlin for everyone at Fabrikam", "update", {"city": "Berlin"}, [("company", "=", "Fabrikam")], {}),
    ("set the status to active for all products", "update", {"status": "active"}, [], {}),
    (
        "Pon la ciudad a Madrid para todos los contactos en Sevilla",
        "update",
        {"city": "Madrid"},
        [("city", "=", "Sevilla")],
        {},
    ),
    ("delete all contacts in Hamburg", "archive", {}, [("city", "=", "Hamburg")], {}),
    ("Lösche alle Kontakte in Hamburg", "archive", {}, [("city", "=", "Hamburg")], {}),
    (
        "archive all products with stock below 5 and status inactive",
        "archive",
        {},
        [("stock", "<", "5"), ("status", "=", "inactive")],
        {},
    ),
    (
        "Set status to inactive for all products where stock is 0",
        "update",
        {"status": "inactive"},
        [("stock", "=", "0")],
        {},
    ),
    (
        "set city to Ulm for all contacts whose phone is missing",
        "update",
        {"city": "Ulm"},
        [("phone", "empty", None)],
        {},
    ),
    (
        "increase the price of all products where status is active by 10 %",
        "update",
        {},
        [("status", "=", "active")],
        {"price": "+ 10 %"},
    ),
    (
        "price + 10 % for all products with status active",
        "update",
        {},
        [("status", "=", "active")],
        {"price": "+ 10 %"},
    ),
    ("raise all prices by 5%", "update", {}, [], {"price": "+ 5 %"}),
    ("senke die Preise aller Produkte um 5 Prozent", "update", {}, [], {"price": "- 5 %"}),
]


@pytest.mark.parametrize(
    ("text", "intent", "data", "conditions", "numbers"), MANY, ids=[text[:50] for text, *_ in MANY]
)
def test_changes_of_many_records(
    text: str,
    intent: str,
    data: dict[str, str],
    conditions: list[tuple[str, str, str | None]],
    numbers: dict[str, str],
) -> None:
    said = parse_records(text, TABLES)
    assert (said.question, said.intent, len(said.entities)) == (None, intent, 1)
    entity = said.entities[0]
    assert (entity.data, entity.every) == (data, True)
    assert [(each.column, each.operator, each.value) for each in entity.conditions] == conditions
    assert {name: change.words for name, change in entity.arithmetic.items()} == numbers


@pytest.mark.parametrize(
    "text",
    [
        # Not to be written, or not now.
        "Do not add Ann Lee, ann@lee.com to the contacts",
        "Add Ann Lee (ann@lee.com) to the contacts if she agrees",
        "Bitte Ann Lee, ann@lee.com nicht als Kontakt anlegen",
        "Don't delete the contacts in Hamburg",
        "Should I add Ann Lee, ann@lee.com to the contacts?",
        # Words that no field has.
        "Please add Ann Lee, ann@lee.com, she wants a demo next week, to the contacts",
        "Add a contact: Ann Lee, ann@lee.com, in March",
        "Add a contact: Ann Lee, ann@lee.com, lives in Spain",
        "Add a contact: Ann Lee, ann@lee.com, city: Berlin, Germany",
        "Update contact j@c.com: city Paris and call him tomorrow",
        "John Carter moved to Spain",
        "Add contact: Ann Lee, ann@lee.com\nThanks\nAlso delete the contact j@c.com",
        # Whose value is it, and how many records are there?
        "Add a contact: Ann Lee, Iberia Airlines",
        "Add contacts Ann Lee and Tom Berg",
        "Add Ann Lee and Tom Lund to the contacts: ann@lee.com, tom@lund.no",
        "Add Ann Lee and Tom Lund, tom@lund.no to the contacts",
        "Add Ann Lee, tom@lund.no and Tom Lund, ann@lee.com to the contacts",
        "Add three contacts: Ann Lee, ann@lee.com and Tom Lund, tom@lund.no",
        "Add contact: Ann Lee, ann@lee.com, ann@other.com",
        # Which rows, which field?
        "delete all contacts",
        "add city Berlin to contact j@c.com",
        "delete all contacts in Hamburg and Bremen",
        "delete all contacts in Hamburg except Lena Schwarz",
        "set city to Berlin for everyone not at Fabrikam",
        "John Carter used to live in Rome, now lives in Oslo",
        "John Carter no longer works at Acme",
        "Add contact: Ann Lee, ann@lee.com, works at Acme since May",
        "Add contact: Ann Lee, ann@lee.com (private: ann@home.se)",
        "Update all contacts: city Berlin",
        "set city to Berlin",
        "Maria moved to Barcelona",
        "John Carter's email is j@c.com",
        "increase all contacts by 10 %",
        "add contact name=Rob, email=rob@@rob, phone=abc",
    ],
)
def test_what_is_unclear_is_asked(text: str) -> None:
    said = parse_records(text, TABLES)
    assert (said.intent, said.entities) == (None, ())
    assert said.question


def test_a_name_is_divided_where_the_table_has_its_parts() -> None:
    said = parse_records("Add a staff: Ann Lee, ann@lee.com, born on 03.04.1980, lives in Spain", [STAFF])
    assert said.question is not None
    said = parse_records("Add Ann Lee, ann@lee.com, born on 03.04.1980 to the staff", [STAFF])
    assert [entity.data for entity in said.entities] == [
        {"first_name": "Ann", "last_name": "Lee", "email": "ann@lee.com", "birthday": "03.04.1980"}
    ]


def test_a_note_that_fits_several_tables_is_asked_about() -> None:
    leads = _table(4, "leads", "email", name="text", email="text")
    said = parse_records("Change the email of John Carter to j@c.com", [CONTACTS, leads])
    assert said.question == "Which table is meant: contacts or leads?"
    assert parse_records("Change the email of the lead John Carter to j@c.com", [CONTACTS, leads]).question is None


@pytest.mark.parametrize(
    "text",
    ["add " + "a " * 1990, "please " * 560, "set city to Berlin for all " + "in Berlin and " * 250, "new " * 900],
)
def test_nasty_notes_take_no_time_among_many_tables(text: str) -> None:
    tables = [_table(n, f"table_{n}", "email", name="text", email="text", city="text") for n in range(300)]
    before = time.process_time()
    assert parse_records(text, tables).intent is None
    assert time.process_time() - before < 5
