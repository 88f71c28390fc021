"""Rows as people name them in import instructions: by a value, by what is wrong with them, or by a condition first."""

from __future__ import annotations

from pathlib import Path

import pytest

from atlas.errors import BadRequestError
from atlas.imports.files.opening import read_file
from atlas.imports.files.sniffing import open_upload
from atlas.imports.files.source import ReadOptions
from atlas.imports.inspection import inspect
from atlas.imports.plan import ImportPlan
from atlas.imports.planner import make_plan
from atlas.imports.staging import Staging
from atlas.language.instructions import ImportInstruction
from atlas.language.offline.import_clauses.parser import parse_import
from atlas.language.paraphrase import filter_text

CSV = (
    "id,customer,country,amount,status,zustand,statut,estado\n1,Ann,US,50,open,offen,ouvert,abierto\n"
    "2,Bob,DE,150,paid,bezahlt,payé,pagado\n3,Cid,US,250,paid,bezahlt,payé,pagado\n"
)
COLUMNS = CSV.partition("\n")[0].split(",")


@pytest.fixture(scope="module")
def staging(tmp_path_factory: pytest.TempPathFactory) -> Staging:
    folder: Path = tmp_path_factory.mktemp("everyday")
    (folder / "upload").write_text(CSV, encoding="utf-8")
    return Staging(folder, read_file(open_upload(folder / "upload", "f.csv", folder, 1 << 26), folder, None))


def said(text: str) -> ImportInstruction:
    return parse_import(text, ["leads", "sales"], COLUMNS)


def planned(staging: Staging, text: str) -> ImportPlan:
    found = said(text)
    assert (found.not_understood, found.question) == ((), None), text
    return make_plan(staging, inspect(staging, found, None), found, [], "f.csv")


KEPT = (
    ("into t, amounts over 100 only", "amount > 100"),
    ("import orders from the US into t", "country is US"),
    ("put the US orders into t", "country is US"),
    ("load into t but only paid ones", "status is paid"),
    ("into t, only paid", "status is paid"),
    ("in t, nur bezahlte", "zustand is bezahlt"),
    ("in t, Bestellungen aus US", "country is US"),
    ("dans t, uniquement les lignes payées", "statut is payé"),
    ("dans t, statut payé seulement", "statut is payé"),
    ("en t, solo las filas pagadas", "estado is pagado"),
    ("en t, pedidos de US", "country is US"),
)
LEFT = (
    ("into t without the open ones", "status is open"),
    ("into t, nothing from DE", "country is DE"),
    ("into t, everything but DE", "country is DE"),
    ("into t, rows where amount is over 100 should be left out", "amount > 100"),
    ("into t, records with no status must be skipped", "status is empty"),
    ("nach t ohne offene", "zustand is offen"),
    ("in t, Zeilen mit Status open weglassen", "status is open"),
    ("dans t, sans les ouverts", "statut is ouvert"),
    ("dans t, tout sauf US", "country is US"),
    ("en t, sin los abiertos", "estado is abierto"),
    ("en t, todo menos US", "country is US"),
)


@pytest.mark.parametrize(("text", "told", "exclude"), [(*k, False) for k in KEPT] + [(*k, True) for k in LEFT])
def test_rows_named_by_a_value_or_a_condition(staging: Staging, text: str, told: str, exclude: bool) -> None:
    plan = planned(staging, text)
    assert (plan.table, plan.exclude) == ("t", exclude)
    assert filter_text(plan.filters, exclude=False).removeprefix("only records where ") == told


@pytest.mark.parametrize(
    "text",
    [
        "into t, discard invalid rows",
        "into t, skip bad lines",
        "into t, ignore rows with errors",
        "into t, drop records that fail validation",
        "into t, faulty rows should be skipped",
        "in t, ungültige Zeilen verwerfen",
        "in t, ohne fehlerhafte Zeilen",
        "dans t, ignorer les lignes invalides",
        "en t, descartar filas inválidas",
    ],
)
def test_records_that_fail_are_told_to_wait(text: str) -> None:
    found = said(text)
    assert (found.table, found.not_understood, found.question, found.filters) == ("t", (), None, ())
    assert ("invalid", "records that fail a check are not written, and wait for review") in [
        (clause.kind, clause.meaning) for clause in found.understood
    ]


def test_what_a_file_holds_is_no_table() -> None:
    for text in (
        "add these customers to leads",
        "load my monthly orders into leads",
        "import the attached leads into sales",
    ):
        assert said(text).question is None
        assert said(text).table == text.rpartition(" ")[2]
    assert said("import customers").table == "customers"
    assert "Which table" in str(said("import cats into leads").question)


def test_new_rows_update_no_others() -> None:
    found = said("import the new customers into leads")
    assert (found.table, found.duplicates, found.only_existing, found.question) == ("leads", None, False, None)
    assert said("update the table leads with this file and add new ones").duplicates == "update"


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        ("into t, customer is called client", "customer", "client"),
        ("in t, customer heißt kunde", "customer", "kunde"),
        ("dans t, customer s'appelle client", "customer", "client"),
        ("en t, customer se llama cliente", "customer", "cliente"),
    ],
)
def test_columns_are_called_otherwise(text: str, old: str, new: str) -> None:
    assert said(text).rename == {old: new}


@pytest.mark.parametrize(
    "text",
    [
        "into t, everything but the cancelled stuff and so on",
        "in t, vorhandenes zusammenführen und überschreiben oder so",
        "into t, nothing special from nowhere",
        "dans t, écraser un peu",
        "en t, sobrescribir algo",
    ],
)
def test_words_on_rows_that_are_not_understood_are_asked(staging: Staging, text: str) -> None:
    found = said(text)
    plan = None if found.question else make_plan(staging, inspect(staging, found, None), found, [], "f.csv")
    assert found.question or (plan is not None and plan.questions)


def test_a_column_in_another_language_is_named(staging: Staging) -> None:
    found = said("into t, only rows where Betrag is over 100")
    with pytest.raises(BadRequestError) as refused:
        make_plan(staging, inspect(staging, found, None), found, [], "f.csv")
    assert "is 'amount' meant?" in str(refused.value.details)


def test_a_delimiter_that_no_line_has_is_asked_about(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_text(CSV, encoding="utf-8")
    with pytest.raises(BadRequestError) as refused:
        read_file(open_upload(path, "f.csv", tmp_path, 1 << 26), tmp_path, ReadOptions(delimiter="\t"))
    assert "no line has tab between cells, but every line has ','" in str(refused.value.details)
