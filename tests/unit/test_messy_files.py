"""Files of every kind into texts and types: dialects, encodings, headers, broken and hostile ones."""

from __future__ import annotations

import gzip
import io
import itertools
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from atlas.errors import AtlasError, BadRequestError
from atlas.imports.checked import check
from atlas.imports.checks import Staged
from atlas.imports.files.opening import read_file
from atlas.imports.files.sniffing import open_upload
from atlas.imports.files.source import ReadOptions
from atlas.imports.matched import match
from atlas.imports.planner import inspect, make_plan
from atlas.imports.staging import Staging
from atlas.kit.identifiers import unique_identifiers
from atlas.language.instructions import ImportInstruction

LIMIT = 64 * 1024 * 1024
Read = Callable[..., tuple[dict[str, str], list[dict[str, Any]], Staging]]


@pytest.fixture
def read(tmp_path: Path) -> Any:
    """Reads a file: types by column, records that pass, and the staging, which is closed after the test."""
    opened: list[Staging] = []
    numbers = itertools.count()

    def run(data: bytes, name: str = "f.csv", **said: Any) -> tuple[dict[str, str], list[dict[str, Any]], Staging]:
        folder = tmp_path / str(next(numbers))
        folder.mkdir()
        path = folder / "upload"
        path.write_bytes(data)
        upload = open_upload(path, name, folder, LIMIT)
        instruction = ImportInstruction(table="t", duplicates="keep", **said)
        staging = Staging(folder, read_file(upload, folder, ReadOptions(sheet=instruction.sheet)))
        opened.append(staging)
        plan = make_plan(staging, inspect(staging, instruction), instruction, [], name)
        planned = check(Staged(staging, plan))
        return {c.name: c.type for c in plan.columns}, match(planned, []).sample_rows(1000), staging

    yield run
    for staging in opened:
        staging.close()


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (b"a,b,c\n1,2,3\n", [{"a": 1, "b": 2, "c": 3}]),
        (b"a;b\n1,5;x\n2,25;y\n", [{"a": 1.5, "b": "x"}, {"a": 2.25, "b": "y"}]),
        (b"a\tb\n1\tx\n", [{"a": 1, "b": "x"}]),
        (b"a|b\n1|x\n", [{"a": 1, "b": "x"}]),
        (b"sep=;\na;b\n1;x\n", [{"a": 1, "b": "x"}]),
        (b'a,b\n1,"ha ""ha"" ha"\n', [{"a": 1, "b": 'ha "ha" ha'}]),
        (b'a,b\n1,"two\nlines"\n2,x\n', [{"a": 1, "b": "two\nlines"}, {"a": 2, "b": "x"}]),
        (b"\xef\xbb\xbfa,b\r\n1,x\r\n", [{"a": 1, "b": "x"}]),
        ("a,b\n1,žluť\n".encode("utf-16"), [{"a": 1, "b": "žluť"}]),
        ("a,b\n1,ß\n".encode("utf-16-le"), [{"a": 1, "b": "ß"}]),
        (
            "name,town\nJosé,Málaga\nZoë,Besançon\n".encode("cp1252"),
            [{"name": "José", "town": "Málaga"}, {"name": "Zoë", "town": "Besançon"}],
        ),
        (
            b"Report of May\nmade by me\n\nid,name,n\n1,a,2\n2,b,3\n",
            [{"id": 1, "name": "a", "n": 2}, {"id": 2, "name": "b", "n": 3}],
        ),
        (b"id,name\n1,a\n\n,\n2,b\n", [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]),
        (b"id,name\n1,a\nid,name\n2,b\n", [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]),
        (b"id,name,x\n1,a\n2,b,3\n", [{"id": 2, "name": "b", "x": 3}]),
        (
            b"id,name,x\n1,a\n2,b,3\n3,c\n4,d\n",
            [{"id": 1, "name": "a"}, {"id": 2, "name": "b", "x": 3}, {"id": 3, "name": "c"}, {"id": 4, "name": "d"}],
        ),
        (b"name,name,\nx,y,1\n", [{"name": "x", "name_2": "y", "column_3": 1}]),
        (b"1,a\n2,b\n", [{"column_1": 1, "column_2": "a"}, {"column_1": 2, "column_2": "b"}]),
        (b"a,b\r1,x\r2,y\r", [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]),
    ],
)
def test_dialects(read: Read, data: bytes, rows: list[dict[str, Any]]) -> None:
    assert read(data)[1] == rows


@pytest.mark.parametrize(
    ("cells", "kind", "values"),
    [
        (["007", "12"], "text", ["007", "12"]),
        (["1", "-2", "3"], "bigint", [1, -2, 3]),
        (["1.5", "2"], "double", [1.5, 2.0]),
        (["1,234.50", "12.00", "$5"], "numeric", [1234.5, 12.0, 5]),
        (["1.234,50", "12,00"], "numeric", [1234.5, 12.0]),
        (["1 234,56", "2 000"], "double", [1234.56, 2000.0]),
        (["€ 12", "€ 1,000"], "bigint", [12, 1000]),
        (["12%", "5.5%"], "numeric", [0.12, 0.055]),
        (["(123)", "45"], "bigint", [-123, 45]),
        (["-$5.50", "$1"], "numeric", [-5.5, 1]),
        (["NA", "DE", "US"], "text", ["NA", "DE", "US"]),
        (["NO", "SE"], "text", ["NO", "SE"]),
        (["yes", "No"], "boolean", [True, False]),
        (["ja", "Nein", "ja"], "boolean", [True, False, True]),
        (["SÍ", "no"], "boolean", [True, False]),
        (["SI", "NO"], "text", ["SI", "NO"]),
        (["ja", "ja"], "text", ["ja", "ja"]),
        (["0", "1"], "bigint", [0, 1]),
        (["1234567890123456", "1"], "text", ["1234567890123456", "1"]),
        (["+49301234567", "030 123456"], "text", ["+49301234567", "030 123456"]),
        (["2024-01-31", "2024-02-01"], "date", ["2024-01-31", "2024-02-01"]),
        (["31/01/2024", "01/02/2024"], "date", ["2024-01-31", "2024-02-01"]),
        (["01/31/2024", "02/01/2024"], "date", ["2024-01-31", "2024-02-01"]),
        (["31.01.2024", "1.2.2024"], "date", ["2024-01-31", "2024-02-01"]),
        (["Jan 5, 2024", "Feb 10, 2024"], "date", ["2024-01-05", "2024-02-10"]),
        (["5-Jan-24", "10-Feb-24"], "date", ["2024-01-05", "2024-02-10"]),
        (["2024-01-31T10:00:00Z", "2024-01-31T12:00:00+02:00"], "timestamp", ["2024-01-31 10:00:00+00"] * 2),
        (["31.01.2024 10:30", "1.2.2024 00:00"], "timestamp", ["2024-01-31 10:30:00+00", "2024-02-01 00:00:00+00"]),
        (["1/31/2024 1:05 PM", "2/1/2024 12:00 AM"], "timestamp", ["2024-01-31 13:05:00+00", "2024-02-01 00:00:00+00"]),
        (["1e5", "2.5E-3"], "double", [1e5, 0.0025]),
        (["1_000", "2"], "text", ["1_000", "2"]),
        (["nan", "inf"], "text", ["nan", "inf"]),
        (["1", "n/a", "2"], "bigint", [1, None, 2]),
        (["2024", "2023"], "bigint", [2024, 2023]),
    ],
)
def test_types_are_decided_for_the_column(read: Read, cells: list[str], kind: str, values: list[Any]) -> None:
    data = "k;v\n" + "".join(f'{n};"{cell}"\n' for n, cell in enumerate(cells))
    types, rows, _ = read(data.encode())
    assert types["v"] == kind
    assert [row.get("v") for row in rows] == values


def test_another_column_decides_the_order_of_dates(read: Read) -> None:
    types, rows, _ = read(b"a,b\n01/02/2024,13/02/2024\n03/04/2024,14/02/2024\n")
    assert types == {"a": "date", "b": "date"}
    assert rows[0]["a"] == "2024-02-01"
    assert read(b"a\n01/02/2024\n", day_first=True)[1][0]["a"] == "2024-02-01"


def test_a_word_among_numbers_costs_no_record_and_many_make_a_text(read: Read) -> None:
    numbers = "".join(f"{n}\n" for n in range(20))
    types, rows, staging = read(f"k,n\n{''.join(f'{n},{n}' + chr(10) for n in range(20))}20,oops\n".encode())
    assert (types["n"], len(rows), rows[20]) == ("bigint", 21, {"k": 20})
    assert staging.query("SELECT _n FROM rejected") == []
    many = "oops\n" * 5
    assert read(f"n\n{numbers}{many}".encode())[0]["n"] == "text"


def test_a_row_with_too_many_cells_is_told_with_its_number(read: Read) -> None:
    _, rows, staging = read(b"a,b\n1,x\n2,y,z\n3,w\n")
    assert [row["a"] for row in rows] == [1, 3]
    assert [(bad.number, bad.text) for bad in staging.source.bad] == [(2, "2,y,z")]
    assert staging.records == 3
    many = b"a,b\n" + b"".join(b"%d,x\n" % n if n % 1000 else b"%d,x,y\n" % n for n in range(1, 200_001))
    _, _, staging = read(many)
    assert len(staging.source.bad) == 200
    assert staging.source.bad[0].number == 1000
    assert staging.query("SELECT count(*), min(_n), max(_n), count(DISTINCT _n) FROM raw") == [
        (199_800, 1, 199_999, 199_800)
    ]
    assert staging.query("SELECT count(*) FROM raw WHERE c0 <> _n::VARCHAR") == [(0,)]


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (b'[{"a": 1, "b": "007"}, {"a": 2.5}]', [{"a": 1.0, "b": "007"}, {"a": 2.5}]),
        (b'{"a": 1}\n{"a": 2, "b": null}\n', [{"a": 1}, {"a": 2}]),
        (b'{"data": {"items": [{"id": 1}, {"id": 2}]}, "next": null}', [{"id": 1}, {"id": 2}]),
        (
            b'[{"id": 1, "at": {"city": "Ulm", "geo": {"lat": 1.5}}, "tags": ["x", "y"]}]',
            [{"id": 1, "at_city": "Ulm", "at_geo_lat": 1.5, "tags": ["x", "y"]}],
        ),
        (b'[["id", "n"], [1, "x"], [2, "y"]]', [{"id": 1, "n": "x"}, {"id": 2, "n": "y"}]),
        (b'[{"big": 123456789012345678901234}]', [{"big": 123456789012345678901234}]),
        (b'[{"when": "2024-01-31", "n": "12"}]', [{"when": "2024-01-31", "n": "12"}]),
        (b'{"name": "one"}', [{"name": "one"}]),
    ],
)
def test_json(read: Read, data: bytes, rows: list[dict[str, Any]]) -> None:
    assert read(data, "f.json")[1] == rows


def test_xml(read: Read) -> None:
    data = b"""<?xml version="1.0" encoding="ISO-8859-1"?><catalog><meta><made>today</made></meta><items>
    <item id="1"><name>J\xf6rg</name><at><city>Ulm</city></at><tag>a</tag><tag>b</tag></item>
    <item id="2"><name>Ann</name></item></items></catalog>"""
    assert read(data, "f.xml")[1] == [
        {"id": 1, "name": "Jörg", "at_city": "Ulm", "tag": "a; b"},
        {"id": 2, "name": "Ann"},
    ]


def test_xml_keeps_all_that_elements_hold(read: Read) -> None:
    """Attributes, text beside elements, lists with holes, namespaces, comments; what is outside of records is told."""
    data = b"""<s:feed xmlns:s="urn:s" xmlns="urn:t"><title>all</title>
    <entry s:id="7" lang=""><note> see <b>this</b> tail</note><tag/><tag>x<!-- -->y</tag><s:tag>z</s:tag></entry>
    <entry><extra k="v"/><note><![CDATA[<plain>]]></note>  <empty/></entry><entry>words</entry><link/></s:feed>"""
    types, rows, staging = read(data, "f.xml")
    assert "<title> = 'all'" in staging.source.notes[-1]
    assert " ".join(types) == "id lang entry note note_text note_b tag s_tag extra_k empty"
    assert rows == [
        {"id": 7, "note_text": "see this tail", "note_b": "this", "tag": "xy", "s_tag": "z"},
        {"extra_k": "v", "note": "<plain>"},
        {"entry": "words"},
    ]


def test_parquet_gz_and_zip(read: Read) -> None:
    sink = io.BytesIO()
    table = pa.table({"id": [1, 2], "name": ["a", None], "when": pa.array([0, 1], pa.timestamp("s")), "l": [[1], [2]]})
    pq.write_table(table, sink)
    types, rows, _ = read(sink.getvalue(), "wrong.csv")
    assert types == {"id": "bigint", "name": "text", "when": "timestamp", "l": "json"}
    assert rows[0] == {"id": 1, "name": "a", "when": "1970-01-01 00:00:00+00", "l": [1]}
    assert read(gzip.compress(b"a\n1\n"), "f.csv.gz")[1] == [{"a": 1}]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("__MACOSX/._data.csv", b"junk")
        archive.writestr("data.csv", b"a,b\n1,x\n")
    assert read(packed.getvalue(), "f.zip")[1] == [{"a": 1, "b": "x"}]


def test_parquet_tells_what_texts_cannot_show(read: Read) -> None:
    ticks = [1, -3_600_000_000_500, 129_600_000_000_000, None]
    floats = [float("nan"), float("inf"), 1.5, -float("inf")]
    columns = {
        "ns": pa.array(ticks, pa.duration("ns")),
        "s": pa.array([59, -1, 360_000, 0], pa.duration("s")),
        "f": floats,
        "b": pa.array([b"ab", b"\xff", b"", None], pa.binary()),
        "u": pa.array([b"abcd"] * 4, pa.binary(4)),
    }
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    types, rows, staging = read(sink.getvalue(), "f.parquet")
    notes = staging.source.notes
    assert set(types.values()) == {"text"}
    found = [[row.get(name) for row in rows] for name in columns]
    assert found[:2] == [
        ["0:00:00.000000001", "-1:00:00.0000005", "36:00:00", None],
        ["0:00:59", "-0:00:01", "100:00:00", "0:00:00"],
    ]
    assert found[2] == [None, "inf", "1.5", "-inf"]
    assert [found[3][:2], found[4][0]] == [["6162", "ff"], "61626364"]
    assert "NaN in 1 value stored as no value" in notes
    assert all(f"{name} has bytes, which are stored as text in hexadecimal digits" in notes for name in "bu")


def workbook(sheets: dict[str, list[list[Any]]], merged: str | None = None) -> bytes:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
        if merged:
            sheet.merge_cells(merged)
    sink = io.BytesIO()
    book.save(sink)
    return sink.getvalue()


def test_excel(read: Read) -> None:
    from datetime import datetime

    data = workbook(
        {
            "Notes": [["read me"]],
            "Data": [
                ["Sales of May", None, None],
                [],
                ["Id", "Name", "When", "Price"],
                [1, "007", datetime(2024, 1, 31), 1.5],
                [2, "x", datetime(2024, 2, 1), 2],
            ],
        }
    )
    types, rows, staging = read(data, "f.xlsx")
    assert types == {"id": "bigint", "name": "text", "when": "date", "price": "numeric"}
    assert rows[0] == {"id": 1, "name": "007", "when": "2024-01-31", "price": 1.5}
    assert any("Notes" in note for note in staging.source.notes)
    assert read(data, "f.xlsx", sheet="notes")[1] == []
    with pytest.raises(BadRequestError, match="Invalid file"):
        read(data, "f.xlsx", sheet="nope")
    grouped = workbook(
        {
            "S": [
                ["Contact", None, "Address", None],
                ["Name", "Phone", "City", "Zip"],
                ["Ann", "+49 30 123456", "Ulm", "01067"],
            ]
        },
        "A1:B1",
    )
    assert read(grouped, "f.xlsx")[1] == [
        {"contact_name": "Ann", "contact_phone": "+49 30 123456", "address_city": "Ulm", "address_zip": "01067"},
    ]


def test_formulas_give_the_values_that_were_saved(read: Read) -> None:
    data = workbook({"S": [["id", "twice"], [1, "=A2*2"], [2, "=A3*2"]]})
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(packed, "w") as target:
        for item in source.infolist():
            text = source.read(item)
            if item.filename.endswith("sheet1.xml"):
                for formula, value in ((b"A2*2", b"20"), (b"A3*2", b"40")):
                    for empty in (b"<v></v>", b"<v/>", b"<v />"):
                        text = text.replace(b"<f>%b</f>%b" % (formula, empty), b"<f>%b</f><v>%b</v>" % (formula, value))
            target.writestr(item, text)
    assert [row.get("twice") for row in read(packed.getvalue(), "f.xlsx")[1]] == [20, 40]


def bomb() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.csv", b"0" * 300_000_000)
    return packed.getvalue()


LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha">'
    + b"".join(b'<!ENTITY %c "&%c;&%c;&%c;&%c;&%c;">' % (98 + n, *[97 + n] * 5) for n in range(9))
    + b"]><r><i><n>&j;</n></i></r>"
)


@pytest.mark.parametrize(
    ("data", "name", "told"),
    [
        (b"", "f.csv", "empty"),
        (b"\n\n  \n", "f.csv", "empty"),
        (b"\xef\xbb\xbf", "f.csv", "empty"),
        (bomb(), "f.zip", ("limit", "times its size")),
        (gzip.compress(b"0" * 300_000_000), "f.csv.gz", ("limit", "times its size")),
        (LAUGHS, "f.xml", "document types"),
        (b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r><i><n>&x;</n></i></r>', "f.xml", "document types"),
        (b"<r><i><n>1</n></i><i>", "f.xml", "not well-formed"),
        (b"<r>" + b"<a>" * 5000, "f.xml", "nested"),
        (b"<r>" + b"".join(b"<i%d/>" % n for n in range(100_001)) + b"</r>", "f.xml", "100,000 kinds of elements"),
        (b'<?xml version="1.0" encoding="x-none"?><r><i a="1"/></r>', "f.xml", "encoding"),
        (b"<r></r>", "f.xml", "no records"),
        (b'[{"a": 1}, {"a":', "f.json", "JSON"),
        (b'{"a": [1, 2', "f.json", "JSON"),
        (b"PK\x03\x04 broken", "f.xlsx", "damaged"),
        (b"\x1f\x8b broken", "f.gz", "damaged"),
        (b"PAR1 broken", "f.parquet", "f.parquet"),
        (b"%PDF-1.4", "f.pdf", "a PDF"),
        (b"\x89PNG\r\n", "f.png", "an image"),
        (bytes(range(256)) * 10, "f.csv", ("neither text", "f.csv", "no data")),
        (",".join(f"c{n}" for n in range(10_000)).encode() + b"\n1", "f.csv", "10,000 columns"),
        (b"[" + b"{" * 10_000, "f.json", "JSON"),
        (b'"' * 1001, "f.csv", ""),
    ],
    ids=range(23),
)
def test_broken_and_hostile_files(read: Read, data: bytes, name: str, told: str | tuple[str, ...]) -> None:
    try:
        read(data, name)
        text = ""
    except AtlasError as error:
        text = f"{error.message}: {error.details}"
    assert "/tmp" not in text
    parts = (told,) if isinstance(told, str) else told
    if text or ("neither text" not in parts and "" not in parts):
        assert any(part in text for part in parts), text


def test_a_file_cut_in_the_middle_of_a_quote(read: Read) -> None:
    with pytest.raises(AtlasError):
        read(b'a,b\n1,x\n2,"never closed' + b" and more" * 100)


cell = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0\r"), max_size=12)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(cell, min_size=3, max_size=3), min_size=1, max_size=8))
def test_any_csv_written_by_python_comes_back(read: Read, rows: list[list[str]]) -> None:
    import csv

    sink = io.StringIO()
    csv.writer(sink, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([["alpha", "beta", "gamma"], *rows])
    _, _, staging = read(sink.getvalue().encode(), types={"alpha": "text", "beta": "text", "gamma": "text"})
    blanks = " \t\r\n\u00a0\ufeff\u200b\u200e\u200f\u2060"
    wanted = [[text.strip(blanks) or None for text in row] for row in rows]
    wanted = [row for row in wanted if any(row) and row != ["alpha", "beta", "gamma"]]
    found = [list(row) for row in staging.query("SELECT c0, c1, c2 FROM raw ORDER BY _n")]
    assert found == wanted


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200), st.sampled_from(["f.csv", "f.json", "f.xml", "f.xlsx", "f.zip", "f.parquet"]))
def test_random_bytes_never_break_the_readers(read: Read, data: bytes, name: str) -> None:
    try:
        read(data, name)
        told = None
    except AtlasError as error:
        told = error.details
    assert "/tmp" not in f"{told}"


def test_identifiers() -> None:
    names = [
        "Email Address",
        "emailAddress",
        "E-Mail",
        "2024 Sales",
        "Größe (cm)",
        "%",
        "",
        "_row",
        "id",
        "x" * 200,
        "ชื่อ",
        "नाम",
        "❤️",
    ]
    assert unique_identifiers(names) == [
        "email_address",
        "email_address_2",
        "email",
        "n2024_sales",
        "größe_cm",
        "percent",
        "column_7",
        "row",
        "id",
        "x" * 63,
        # Vowels and other marks are parts of letters.
        "ชื่อ",
        "नाम",
        "column_13",
    ]


def test_json_round_trip_of_numbers(read: Read) -> None:
    rows = [{"n": n, "f": n / 7} for n in range(50)]
    assert read(json.dumps(rows).encode(), "f.json")[1] == rows


@pytest.mark.parametrize(
    ("data", "rows", "note"),
    [
        (
            b"# made by x\n# unit, EUR\nid,amount\n1,2\n3,4\n",
            [{"id": 1, "amount": 2}, {"id": 3, "amount": 4}],
            "2 lines above the table left out",
        ),
        (b"# a, b\n\nname,price\nx,1\ny,2\n", [{"name": "x", "price": 1}, {"name": "y", "price": 2}], "left out"),
        (
            b"#chrom,pos\nchr1,100\nchr2,200\n",
            [{"number_chrom": "chr1", "pos": 100}, {"number_chrom": "chr2", "pos": 200}],
            "",
        ),
        (
            b'id,name,n\n1,a,10\n2,b,20\n"Grand Total: 2",,\nPage -1 of 1,,\n',
            [{"id": 1, "name": "a", "n": 10}, {"id": 2, "name": "b", "n": 20}],
            "2 lines below the table left out",
        ),
        (
            b"name,town,n\nann,Rome,1\nbob,Bonn,2\nSource: our own,,\n",
            [{"name": "ann", "town": "Rome", "n": 1}, {"name": "bob", "town": "Bonn", "n": 2}],
            "1 line below the table",
        ),
        (
            b"name,town,n\nann,Rome,1\nbob,Bonn,2\nCarl,,\n",
            [{"name": "ann", "town": "Rome", "n": 1}, {"name": "bob", "town": "Bonn", "n": 2}, {"name": "Carl"}],
            "",
        ),
        (
            "id,name\n1,José\n2,".encode() + "Müller\n".encode("cp1252"),
            [{"id": 1, "name": "José"}, {"id": 2, "name": "Müller"}],
            "1 line is not UTF-8",
        ),
        ("id,name\n1,日本\n".encode("utf-32"), [{"id": 1, "name": "日本"}], "read as utf-32"),
        (
            b"Company X\nReport: sales\nFrom: May,To: June\n\nday,item,n\n2024-01-01,a,5\n2024-01-02,b,6\n",
            [{"day": "2024-01-01", "item": "a", "n": 5}, {"day": "2024-01-02", "item": "b", "n": 6}],
            "4 lines above the table left out",
        ),
        (
            b"Name:,Ann\nDate:,2024-01-01\n\nid,item,n\n1,a,5\n2,b,6\n",
            [{"id": 1, "item": "a", "n": 5}, {"id": 2, "item": "b", "n": 6}],
            "3 lines above the table left out",
        ),
        (
            b"id,a\n1,x\n2,y\n\nid,b\n1,p\n2,q\n",
            [{"id": 1, "a": "x"}, {"id": 2, "a": "y"}],
            "another table below the first was left out, with 2 of its records: id, b",
        ),
        (b"id,a\n1,x\nID,A\n3,z\n", [{"id": 1, "a": "x"}, {"id": 3, "a": "z"}], "1 repeated header line left out"),
        (
            b"dept,n\nA,10\nA,20\nA Total,30\nB,5\nB Total,5\nGrand Total,35\n",
            [{"dept": "A", "n": 10}, {"dept": "A", "n": 20}, {"dept": "B", "n": 5}],
            "2 more records that are totals left out",
        ),
        (
            b"Quarterly report;;\nCreated: 2024-01-01;;\n;;\nid;item;n\n1;a;5\n2;b;6\n",
            [{"id": 1, "item": "a", "n": 5}, {"id": 2, "item": "b", "n": 6}],
            "3 lines above the table left out",
        ),
        (
            b"Account: 12345\tName: X\n\nDate\tItem\tN\n2024-01-01\ta\t5\n2024-01-02\tb\t6\n",
            [{"date": "2024-01-01", "item": "a", "n": 5}, {"date": "2024-01-02", "item": "b", "n": 6}],
            "2 lines above the table left out",
        ),
        (
            b'"Sales by region, 2024"\n"Printed: 1 Jan 2024"\nregion,q1,q2\nNorth,1,2\nSouth,3,4\n',
            [{"region": "North", "q1": 1, "q2": 2}, {"region": "South", "q1": 3, "q2": 4}],
            "2 lines above the table left out",
        ),
        (
            b"id,name,n\n1,a,10\n2,b,20\n*** End of report ***,,\n",
            [{"id": 1, "name": "a", "n": 10}, {"id": 2, "name": "b", "n": 20}],
            "1 line below the table left out",
        ),
        (
            b"id,name,n\n1,a,10\n2,b,20\n\nGenerated on 2024-01-01 by X,,\nConfidential,,\n",
            [{"id": 1, "name": "a", "n": 10}, {"id": 2, "name": "b", "n": 20}],
            "2 lines below the table left out",
        ),
        (
            b"city,name,n\nRome,a,10\nBonn,b,20\nTotal,,30\nNote: estimates,,\n",
            [{"city": "Rome", "name": "a", "n": 10}, {"city": "Bonn", "name": "b", "n": 20}],
            "as it is their total: Total, 30",
        ),
        (b"id,a\n1,x\n2,id\n3,y\n", [{"id": 1, "a": "x"}, {"id": 2, "a": "id"}, {"id": 3, "a": "y"}], ""),
    ],
)
def test_what_stands_around_records(read: Read, data: bytes, rows: list[dict[str, Any]], note: str) -> None:
    """As other programs' users reported: comments with commas, notes below, files put together of several."""
    _, found, staging = read(data)
    assert found == rows
    notes = [told for told in staging.source.notes if "records apart" not in told]
    assert any(note in told for told in notes) if note else not any("left out" in told for told in notes)


def test_a_nul_in_json_is_left_out_and_told(read: Read) -> None:
    _, rows, staging = read(b'[{"id":1,"a\\u0000b":"x\\u0000y"},{"id":2,"a\\u0000b":"\\u0000"}]', "f.json")
    assert rows == [{"id": 1, "ab": "xy"}, {"id": 2}]
    assert "NUL characters in 2 values left out" in staging.source.notes


@pytest.mark.parametrize(
    "text",
    ['// c\n[{"id":1}]', '/* c */ {"id":1}', 'var data = [{"id":1}];', 'cb([{"id":1}])', ')]}\',\n[{"a":1}]'],
)
def test_scripts_around_json_are_refused(read: Read, text: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        read(text.encode(), "f.json")
    assert "JSON with a script or a comment" in str(caught.value.details)


@pytest.mark.parametrize(
    ("mode", "flags", "told"),
    [
        (0o120777, 0, "data.csv is a link; pack the file itself"),
        (0o020666, 0, "data.csv is no plain file; pack the file itself"),
        (0o100644, 1, "data.csv is encrypted; send it without a password"),
    ],
)
def test_members_of_archives_that_are_no_files(read: Read, tmp_path: Path, mode: int, flags: int, told: str) -> None:
    packed = tmp_path / "data.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        member = zipfile.ZipInfo("data.csv")
        member.external_attr = mode << 16
        archive.writestr(member, b"/etc/passwd")
    data = bytearray(packed.read_bytes())
    data[6], data[data.index(b"PK\x01\x02") + 8] = flags, flags
    with pytest.raises(BadRequestError) as refused:
        read(bytes(data), "data.zip")
    assert told in str(refused.value.details)
