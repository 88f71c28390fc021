"""Tables and datasets as Excel workbooks: what is exported is what an import of the file reads again."""

from __future__ import annotations

import io
from datetime import datetime

import openpyxl
import pytest
from tests.conftest import Client, People, make_dataset

from atlas.kit import workbooks

pytestmark = pytest.mark.anyio
TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = (
    "id,name,amount,ratio,born,at,ok,long\n"
    "1,=1+1,1.10,0.30000000000000004,2024-02-29,2024-02-29T10:00:00Z,true,123456789012345\n"
    "2,<r>x</r>,22.25,1e-7,1899-12-31,2024-02-29T10:00:00.123Z,false,1234567890123456789\n"
    '3,"a ""b"" _x0041_ é 😀\nc",0.07,12345.678901234567,2000-01-01,2024-02-29T10:00:00.123456Z,true,-5\n'
    "4,,,,,,,\n"
)


async def exported(client: Client, key: str, path: str) -> openpyxl.Workbook:
    answer = await client(key).get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == TYPE
    assert ".xlsx" in answer.headers["content-disposition"]
    return openpyxl.load_workbook(io.BytesIO(answer.content))


async def imported(client: Client, key: str, name: str, content: bytes, table: str) -> None:
    said = {"instruction": f"Import this into my {table} table, keep all duplicates"}
    answer = await client(key).post("/api/v1/smart-import", files={"file": (name, content)}, data=said)
    assert answer.status_code in (200, 201), answer.text


async def cells(client: Client, key: str, table: str) -> list[dict[str, object]]:
    answer = await client(key).get(f"/api/v1/tables/{table}/rows")
    return [{name: value for name, value in row.items() if name != "_row"} for row in answer.json()["rows"]]


async def test_a_table_comes_back_as_it_was(client: Client, people: People) -> None:
    await imported(client, people.owner, "things.csv", CSV.encode(), "things")
    book = await exported(client, people.owner, "/api/v1/tables/things/export?format=xlsx")
    sheet = book.active
    assert (sheet.title, sheet.freeze_panes) == ("things", "A2")
    header, *lines = list(sheet.iter_rows())
    assert [cell.value for cell in header] == ["id", "name", "amount", "ratio", "born", "at", "ok", "long"]
    assert all(cell.font.bold for cell in header)
    # Nothing is a formula, whatever it looks like.
    assert all(cell.data_type != "f" for line in lines for cell in line)
    assert [line[1].value for line in lines[:2]] == ["=1+1", "<r>x</r>"]
    assert (lines[0][4].value, lines[0][4].is_date) == (datetime(2024, 2, 29), True)
    assert [line[6].value for line in lines] == [True, False, True, None]
    assert lines[1][7].value == "1234567890123456789"
    assert sheet.column_dimensions["B"].width > sheet.column_dimensions["A"].width
    again = await client(people.owner).get("/api/v1/tables/things/export?format=xlsx")
    await imported(client, people.owner, "things.xlsx", again.content, "copies")
    before, after = await cells(client, people.owner, "things"), await cells(client, people.owner, "copies")
    assert [row["name"] for row in before] == [row["name"] for row in after]
    for name in ("id", "amount", "ratio", "ok"):
        assert [row[name] for row in before] == [row[name] for row in after], name


async def test_a_dataset_by_everybody_who_may_read_it(client: Client, people: People) -> None:
    dataset = await make_dataset(client(people.owner), name="sheets")
    rows = [
        {"timestamp": "2026-01-05T10:00:00Z", "values": {"n": 1.5, "word": "=HYPERLINK()", "big": 2**60}},
        {"timestamp": "2026-01-05T10:00:00.000001Z", "values": {"n": 2, "deep": {"a": [1]}}},
    ]
    await client(people.owner).post("/api/rows/bulk_insert/", json={"dataset": dataset, "rows": rows})
    path = f"/api/rows/bulk_download/?dataset={dataset}&output=xlsx"
    sheet = (await exported(client, people.owner, path)).active
    header, first, second = ([cell.value for cell in line] for line in sheet.iter_rows())
    found = dict(zip(header, first, strict=True))
    assert (found["timestamp"], found["n"], found["word"]) == (datetime(2026, 1, 5, 10), 1.5, "=HYPERLINK()")
    assert found["big"] == str(2**60)
    assert second[0] == "2026-01-05T10:00:00.000001"
    for key, status in ((None, 401), (people.stranger, 403)):
        assert (await client(key).get(path)).status_code == status
    held = (await client(people.owner).get(path)).headers["etag"]
    assert (await client(people.owner).get(path, headers={"If-None-Match": held})).status_code == 304
    head = await client(people.owner).head(path)
    assert (head.status_code, head.content) == (200, b"")
    empty = await exported(client, people.owner, f"{path}&end=2020-01-01")
    assert len(list(empty.active.iter_rows())) == 1


async def test_what_no_sheet_can_hold_is_told_before_anything_is_sent(
    client: Client, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = await make_dataset(client(people.owner), name="too long")
    rows = [{"timestamp": f"2026-01-0{day}", "values": {"text": "x" * length}} for day, length in ((1, 5), (2, 40_000))]
    await client(people.owner).post("/api/rows/bulk_insert/", json={"dataset": dataset, "rows": rows})
    path = f"/api/rows/bulk_download/?dataset={dataset}&output=xlsx"
    answer = await client(people.owner).get(path)
    assert (answer.status_code, answer.json()["error"]) == (400, "Text too long")
    assert "row 2, column 'text'" in answer.json()["details"]
    monkeypatch.setattr(workbooks, "MAX_ROWS", 2)
    answer = await client(people.owner).get(path)
    assert (answer.status_code, answer.json()["error"]) == (400, "Too many rows")


@pytest.mark.parametrize(
    ("title", "name"),
    [("a/b:c", "a b c"), ("x" * 50, "x" * 31), ("'", "Sheet1"), ("History", "Sheet1"), ("Übersicht", "Übersicht")],
)
def test_sheets_have_names_that_excel_takes(title: str, name: str) -> None:
    assert workbooks.sheet_name(title) == name


SELECTED = (
    "SELECT 1 AS one, 1.10::numeric AS price, 0.30000000000000004::float8 AS ratio, 12345678901234567890 AS long, "
    "DATE '2024-02-29' AS day, TIMESTAMPTZ '2024-02-29 10:00:00+02' AS moment, INTERVAL '1 day 2 hours' AS span, "
    "true AS ok, '=1+1' AS text, NULL AS nothing, 'NaN'::numeric AS nan"
)


async def test_rows_of_sql_are_a_workbook_of_their_types(client: Client, people: People) -> None:
    body = {"sql": SELECTED, "title": "a/b: ü"}
    answer = await client(people.owner).post("/api/v1/sql/export", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (200, TYPE), answer.text[:300]
    assert (answer.headers["x-rows-count"], answer.headers["x-truncated"]) == ("1", "false")
    assert "a%2Fb%3A%20%C3%BC.xlsx" in answer.headers["content-disposition"]
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).active
    names, values = ([cell.value for cell in line] for line in sheet.iter_rows())
    assert dict(zip(names, values, strict=True)) == {
        "one": 1,
        "price": 1.1,
        "ratio": 0.30000000000000004,
        "long": "12345678901234567890",
        "day": datetime(2024, 2, 29),
        "moment": datetime(2024, 2, 29, 8),
        "span": "P1DT2H",
        "ok": True,
        "text": "=1+1",
        "nothing": None,
        "nan": "NaN",
    }
    assert (sheet["B2"].number_format, sheet["I2"].data_type) == ("0.00", "s")


async def test_a_file_of_sql_has_so_many_rows_and_says_if_there_are_more(client: Client, people: People) -> None:
    owner = client(people.owner)
    many = " UNION ALL ".join(f"SELECT {n} AS n" for n in range(1, 31)) + " ORDER BY n"
    answer = await owner.post("/api/v1/sql/export", json={"sql": many, "format": "csv", "max_rows": 3})
    assert (answer.text, answer.headers["x-truncated"]) == ("n\n1\n2\n3\n", "true")
    assert answer.headers["content-type"].startswith("text/csv")
    for wrong in ({"sql": "DROP TABLE x"}, {"sql": many, "format": "pdf"}, {"sql": many, "max_rows": 0}):
        assert (await owner.post("/api/v1/sql/export", json=wrong)).status_code in (400, 422)
    long = {"sql": f"WITH a AS (SELECT '{'x' * 9_000}' AS t) SELECT t || t || t || t AS text FROM a"}
    refused = await owner.post("/api/v1/sql/export", json=long)
    assert (refused.status_code, "32,767" in refused.text) == (400, True)
    assert (await client(None).post("/api/v1/sql/export", json={"sql": many})).status_code == 401
