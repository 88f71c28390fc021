"""JSON, Excel and files of no table: every value is kept or told, and what cannot be read is refused by its name."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from atlas.errors import BadRequestError
from atlas.imports.files.opening import read_file
from atlas.imports.files.sniffing import open_upload
from atlas.imports.files.source import ReadOptions

Rows = list[list[str | None]]
Read = Callable[..., tuple[list[str], Rows, str]]

_LIMIT = 64 * 1024 * 1024
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"

_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
_BOOK = f'<Relationship Id="r1" Target="xl/workbook.xml" Type="{_LINKS}/officeDocument"/>'


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Reads a file: its names, its rows and all that is told."""

    def run(data: str | bytes, name: str = "f.json", options: ReadOptions | None = None) -> tuple[list[str], Rows, str]:
        path = tmp_path / "upload"
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        source = read_file(open_upload(path, name, tmp_path, _LIMIT), tmp_path, options)
        rows = [list(row.values()) for batch in source.batches for row in batch.to_pylist()]
        return list(source.names), rows, "\n".join(source.notes)

    return run


@pytest.mark.parametrize(
    ("data", "names", "rows"),
    [
        ('[{"Id": 1, "id": 2}, {"ID": 3}]', ["Id", "id", "ID"], [["1", "2", None], [None, None, "3"]]),
        ('{"userUPN": "a", "UserUpn": "b"}\n{"userUPN": "c"}\n', ["userUPN", "UserUpn"], [["a", "b"], ["c", None]]),
        ('[{"a.b": 1, "a b": 2, "a-b": 3, "$x": 4, "": 5}]', ["a.b", "a b", "a-b", "$x", ""], [list("12345")]),
        (
            '[{"": {"x": 1.10, "~/": true}, "N": [1.10], "n": null}]',
            [" x", " ~/", "N", "n"],
            [["1.10", "true", "[1.10]", None]],
        ),
        ('[{"v": 1, "v_1": 2}, {"v": 3, "v_1": 4}]', ["v", "v_1"], [["1", "2"], ["3", "4"]]),
        ('[{"a": "x", "A": 2}, {"a": {"b": 1}, "A": 3}]', ["a", "A"], [["x", "2"], ['{"b":1}', "3"]]),
    ],
)
def test_every_json_key_has_its_own_column(read: Read, data: str, names: list[str], rows: Rows) -> None:
    found, cells, _ = read(data)
    assert found == names
    assert cells == rows


@pytest.mark.parametrize(
    ("data", "names", "rows", "told"),
    [
        (
            '{"65791": {"n": "A", "p": 5}, "65792": {"n": "B"}}',
            ["key", "n", "p"],
            [["65791", "A", "5"], ["65792", "B", None]],
            "the key is in 'key'",
        ),
        (
            '{"ok": true, "users": {"ann": {"key": 1}, "bob": {"key": 2}, "\\"c": {"key": 3}}}',
            ["_key", "key"],
            [["ann", "1"], ["bob", "2"], ['"c', "3"]],
            "'users' holds objects by key",
        ),
        (
            '{"name": {"0": "A", "1": "B"}, "pop": {"0": 5, "1": 6.50}}',
            ["name", "pop"],
            [["A", "5"], ["B", "6.50"]],
            "columns of numbered values",
        ),
        ('{"a": [{"x": 1}], "b": {"c": [{"y": 1000}, {"y": 2}]}}', ["y"], [["1000"], ["2"]], "not the 1 in 'a'"),
        ('{"next": null, "total": 1, "data": [{"x": 1}]}', ["x"], [["1"]], "'next', 'total'"),
        ('{"billing": {"city": "Ulm"}, "n": 1}', ["billing city", "n"], [["Ulm", "1"]], ""),
    ],
)
def test_what_a_json_object_holds_is_read_or_told(
    read: Read, data: str, names: list[str], rows: Rows, told: str
) -> None:
    found, cells, notes = read(data)
    assert found == names
    assert cells == rows
    assert told in notes


@pytest.mark.parametrize(
    ("data", "key"),
    [
        ('[{"a": 1, "a": 2}]', "'a'"),
        ('[{"a": {"x": 1, "x": 2}}, {"a": {"x": 3}}]', "'x'"),
        ('{"a": {"x": 1}}\n{"a": {"b": {"y": 1, "x": 3, "\\u0079": 2}}}\n', "'y'"),
        ('[{"Id": 1, "id": 2, "Id": 3}]', "'Id'"),
        ('[{"N": 1, "n": {"q\'": 1}}, {"n": {"q\'": 3, "q\'": 3}}]', "'q''"),
        ('{"data": [{"a": 1}], "data": [{"a": 2}, {"a": 3}]}', "'data'"),
        ('{"n": 1, "m": 2, "n": {"k": 1}}', "'n'"),
        ('{"x": {"n": 1}, "x": {"n": 2}, "y": {"n": 3}}', "'x'"),
        ('{"x": {"n": 1}, "z": {"n": 2, "n": 3}, "y": {"n": 3}}', "'n'"),
        ('{"meta": {"page": 1, "page": 2}, "rows": [{"a": 1}]}', "'page'"),
    ],
)
def test_a_key_that_an_object_has_twice_is_refused_by_name(read: Read, data: str, key: str) -> None:
    """One of its values would be lost."""
    with pytest.raises(BadRequestError) as refused:
        read(data)
    assert key in str(refused.value.details)


def test_a_column_is_the_member_that_it_names(read: Read) -> None:
    """Not a column of what is read by a name like that of DuckDB's functions."""
    names, rows, _ = read('[{"x": 1, "read_json": {"x": 2, "a.b": {"c": 3}}, "json": null}, {"json": {"x": 4}}]')
    assert names == ["x", "read_json x", "read_json a.b c", "json x"]
    assert rows == [["1", "2", "3", None], [None, None, None, "4"]]


def test_a_key_that_stays_within_a_json_cell_is_kept_twice(read: Read) -> None:
    data = '[{"a": [{"k": 1, "k": 2}], "b": {"x": 1, "x": 2}}, {"b": 5}]'
    assert read(data)[1] == [['[{"k":1,"k":2}]', '{"x":1,"x":2}'], [None, "5"]]
    assert read('[["a", "b"], [{"k": 1, "k": 2}, 5], [[{"x": 1, "x": 2}], 6]]')[1] == [
        ['{"k": 1, "k": 2}', "5"],
        ['[{"x": 1, "x": 2}]', "6"],
    ]


def test_cells_of_arrays_are_what_the_file_writes(read: Read) -> None:
    data = '[["a", "b"], [ 1.50 , {"n": 1.10, "m": [2.0, "x"]}], [null, "\\u00e4"], [12345678901234567890.5, true]]'
    assert read(data)[1] == [
        ["1.50", '{"n": 1.10, "m": [2.0, "x"]}'],
        [None, "ä"],
        ["12345678901234567890.5", "true"],
    ]
    assert read('[1.50, null, "x", {"a": 1.10}]')[1] == [["1.50"], [None], ["x"], ['{"a": 1.10}']]


def test_a_record_that_is_too_long_is_refused_without_a_path(read: Read) -> None:
    with pytest.raises(BadRequestError) as refused:
        read('[{"a": "' + "x" * 34_000_000 + '"}]')
    assert refused.value.details == "f.json: a record is longer than 16 MiB, which a record may not be"


def _workbook(sheet: str, names: tuple[str, ...] = ("Data",)) -> bytes:
    """A workbook whose last sheet has this XML; the others have one cell."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("_rels/.rels", f'<Relationships xmlns="{_PACKAGE}">{_BOOK}</Relationships>')
        sheets = "".join(f'<sheet name="{n}" sheetId="{i}" r:id="r{i}"/>' for i, n in enumerate(names, 1))
        links = "".join(
            f'<Relationship Id="r{i}" Target="worksheets/s{i}.xml" Type="{_LINKS}/worksheet"/>'
            for i, _ in enumerate(names, 1)
        )
        archive.writestr(
            "xl/workbook.xml", f'<workbook xmlns="{_MAIN}" xmlns:r="{_LINKS}"><sheets>{sheets}</sheets></workbook>'
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{_PACKAGE}">{links}</Relationships>',
        )
        for i, _ in enumerate(names, 1):
            inner = sheet if i == len(names) else f"<sheetData>{_row(1, 'x')}</sheetData>"
            archive.writestr(f"xl/worksheets/s{i}.xml", f'<worksheet xmlns="{_MAIN}">{inner}</worksheet>')
    return packed.getvalue()


def _row(number: int, *cells: str | float | None, more: str = "") -> str:
    """A row of texts, numbers, and cells given as XML with {} for their place."""
    parts = []
    for at, cell in enumerate(cells):
        place = f'r="{"ABCDEFGH"[at]}{number}"'
        if isinstance(cell, str) and cell.startswith("<"):
            parts.append(cell.replace("<c", f"<c {place}", 1))
        elif isinstance(cell, str):
            parts.append(f'<c {place} t="inlineStr"><is><t>{cell}</t></is></c>')
        elif cell is not None:
            parts.append(f"<c {place}><v>{cell}</v></c>")
    return f'<row r="{number}"{more}>{"".join(parts)}</row>'


def _sheet(*rows: str, before: str = "", after: str = "") -> bytes:
    return _workbook(f"{before}<sheetData>{''.join(rows)}</sheetData>{after}")


def test_error_cells_are_told(read: Read) -> None:
    """Among numbers they stand for no value, which the import replaces and lists; among texts they are texts."""
    error = '<c t="e"><f>1/0</f><v>{}</v></c>'
    data = _sheet(
        _row(3, "id", "ratio", "word"),
        _row(4, 1, error.format("#DIV/0!"), "a"),
        _row(5, 2, 0.5, error.format("#REF!")),
        _row(6, 3, error.format("#N/A"), "b"),
    )
    _, rows, notes = read(data, "f.xlsx")
    assert rows == [["1", "#DIV/0!", "a"], ["2", "0.5", "#REF!"], ["3", "#N/A", "b"]]
    assert notes == "3 cells have an error of Excel (#DIV/0!, #N/A, #REF!) in place of a value, in 'ratio', 'word'"


def test_an_empty_error_cell_takes_nothing_from_the_next(read: Read) -> None:
    data = _sheet(_row(1, "a", "b"), _row(2, '<c t="e"/>', 5), _row(3, 1, '<c t="e"><v>#NUM!</v></c>'))
    assert read(data, "f.xlsx")[1] == [[None, "5"], ["1", "#NUM!"]]


def test_formulas_without_a_saved_value_are_told(read: Read) -> None:
    data = _sheet(
        _row(1, "a", "sum", "text"),
        _row(2, 1, "<c><f>A2+1</f></c>", '<c t="str"><f>""</f><v></v></c>'),
        _row(3, 2, "<c><f>A3+1</f><v/></c>", '<c t="str"><f>"x"</f><v>x</v></c>'),
        _row(4, 3, '<c><f t="shared" si="0"/><v></v></c>'),
        _row(5, 4, "<c><f>A5+1</f><v>5</v></c>"),
    )
    _, rows, notes = read(data, "f.xlsx")
    assert [row[1] for row in rows] == [None, None, None, "5"]
    assert "3 cells have a formula whose value was never saved, so they are empty, in 'sum';" in notes
    assert "'text'" not in notes


def test_merged_cells_are_filled_downwards_and_told(read: Read) -> None:
    data = _sheet(
        _row(1, "title"),
        _row(2, "dept", "who", "pay"),
        _row(3, "A", "x", 1),
        _row(4, None, "y", 2),
        _row(5, None, "z", 3),
        _row(6, "B", "both", None),
        after='<mergeCells><mergeCell ref="A1:C1"/><mergeCell ref="A3:A5"/><mergeCell ref="B6:C6"/></mergeCells>',
    )
    names, rows, notes = read(data, "f.xlsx")
    assert names == ["dept", "who", "pay"]
    assert rows == [["A", "x", "1"], ["A", "y", "2"], ["A", "z", "3"], ["B", "both", None]]
    assert "2 cells below the first of a merged area took its value, in 'dept'" in notes
    assert "1 area of merged cells spans several columns" in notes


def test_hidden_rows_and_columns_are_told(read: Read) -> None:
    hidden = ' hidden="1"'
    data = _sheet(
        _row(1, "a", "b"),
        _row(2, 1, 2, more=hidden),
        _row(3, 3, 4),
        _row(4, 5, 6, more=' hidden="true"'),
        before='<cols><col min="1" max="1" width="3"/><col min="2" max="9" hidden="1"/></cols>',
    )
    _, rows, notes = read(data, "f.xlsx")
    assert len(rows) == 3
    assert notes == "the sheet has 2 hidden rows and 1 hidden column ('b'), imported like the others"


def test_lines_above_a_sheets_table_are_told(read: Read) -> None:
    data = _sheet(_row(1, "Report of May"), _row(2, "id", "n"), _row(3, 1, "a"), _row(4, 2, "b"))
    names, rows, notes = read(data, "f.xlsx")
    assert (names, len(rows)) == (["id", "n"], 2)
    assert notes == "1 line above the table left out: 'Report of May'"


@pytest.mark.parametrize(
    ("data", "names", "rows"),
    [
        ('{"id": [1, 2], "n": ["a", null]}', ["id", "n"], [["1", "a"], ["2", None]]),
        (
            '{"columns": ["id", "n"], "index": [0, 1], "data": [[1, "a"], [2, "b"]]}',
            ["id", "n"],
            [["1", "a"], ["2", "b"]],
        ),
        (
            '{"place": "Ulm", "hourly": {"time": ["t1", "t2"], "temp": [1.5, 2]}}',
            ["time", "temp"],
            [["t1", "1.5"], ["t2", "2"]],
        ),
        # Lists of other lengths, and lists beside values, are cells of one record.
        ('{"tags": ["a", "b"], "sizes": [1]}', ["tags", "sizes"], [['["a","b"]', "[1]"]]),
        ('{"id": 7, "tags": ["a", "b"]}', ["id", "tags"], [["7", '["a","b"]']]),
    ],
)
def test_columns_of_a_json_object_are_records(read: Read, data: str, names: list[str], rows: Rows) -> None:
    found, cells, notes = read(data)
    assert (found, [[cell and cell.replace(" ", "") for cell in row] for row in cells]) == (names, rows)
    assert ("each is a record" in notes) == (len(rows) > 1)


def test_two_tables_side_by_side_are_told(read: Read) -> None:
    beside = _sheet(_row(1, "id", "n", None, "sku", "p"), _row(2, 1, "a", None, "x", 5), _row(3, 2, "b", None, "y", 6))
    assert "an empty column is between 'n' and 'sku': these may be two tables" in read(beside, "f.xlsx")[2]
    unnamed = _sheet(_row(1, "id", "n", None, "sku"), _row(2, 1, "a", "note", "x"), _row(3, 2, "b", None, "y"))
    assert read(unnamed, "f.xlsx")[2] == ""


def test_only_the_sheet_that_is_read_is_spoken_of(read: Read) -> None:
    inner = f"<sheetData>{_row(1, 'a', 'b')}{_row(2, 1, '<c><f>A2</f></c>')}{_row(3, 2, 3)}</sheetData>"
    data = _workbook(inner, ("First &amp; small", "Data"))
    assert "never saved" in read(data, "f.xlsx")[2]
    with pytest.raises(BadRequestError):
        read(data, "f.xlsx", ReadOptions(sheet="none"))


def _packed(*names: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in names:
            archive.writestr(name, "application/vnd.oasis.opendocument.text" if name == "mimetype" else "<x/>")
    return packed.getvalue()


@pytest.mark.parametrize(
    ("data", "name", "what"),
    [
        ("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n", "a.ics", "iCalendar"),
        ("\ufeffbegin:vcalendar\n", "a.csv", "iCalendar"),
        ("BEGIN:VCARD\nFN:Ann\nEND:VCARD\n", "a.vcf", "vCard"),
        ("\n\nBEGIN:VCARD\r\n", "a.txt", "vCard"),
        ("<table><tr><th>a</th></tr></table>", "a.xls", "web page"),
        ("<div><table><tr><td>1</td></tr></table></div>", "a", "web page"),
        ('<?xml version="1.0"?><!DOCTYPE html PUBLIC "-//W3C//DTD"><html xmlns="x"/>', "a.xml", "web page"),
        ("<!-- made --><html><body/></html>", "a.html", "web page"),
        ("<META charset=x><TABLE><TR><TD>1</TABLE>", "a.xls", "web page"),
        ('<?xml version="1.0"?><!-- c --><svg xmlns="http://www.w3.org/2000/svg"/>', "a.svg", "SVG"),
        (
            '<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>'
            '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>',
            "a.xls",
            "XML Spreadsheet 2003",
        ),
        ('<ss:Workbook xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"/>', "a.xml", "XML Spreadsheet 2003"),
        ("-- MySQL dump 10.13\n\nDROP TABLE x;", "a.sql", "SQL"),
        ("--\n-- PostgreSQL database dump\n--\n", "a", "SQL"),
        ("/* x */\nCREATE TABLE IF NOT EXISTS t (a int);\n", "a.txt", "SQL"),
        ("insert into t(a) values (1);", "a.csv", "SQL"),
        ("From: a@b.c\nTo: d@e.f\nSubject: =?utf-8?q?x?=\nDate: Mon\n\nHi, all\n", "a.eml", "e-mail"),
        ("Received: from x\n by y\nMIME-Version: 1.0\nMessage-ID: <x>\n", "a.txt", "e-mail"),
        ("From ann@x.org Mon Jan  1 00:00:00 2024\nSubject: x\n", "a.mbox", "mailbox"),
        ("- id: 1\n  name: Ann\n- id: 2\n  name: Bob\n", "a.txt", "YAML"),
        ("---\nid: 1\nname: x\n", "a", "YAML"),
        ("users:\n  - ann\n  - bob\n", "a.yaml", "YAML"),
        ("[owner]\nname = 'x'\n", "a.toml", "TOML"),
        ("[[fruit]]\n# c\nname = 1\n", "a.txt", "TOML"),
        ("-----BEGIN CERTIFICATE-----\r\nMIIB\r\n", "a.pem", "certificate"),
        ("dn: cn=ann\ncn: ann\n", "a.csv", "LDIF"),
        ("@article{x,\n title={a},\n}\n", "a.txt", "BibTeX"),
        ("TY  - JOUR\r\nAU  - Ann\r\n", "a.ris", "RIS"),
        (">s1 x\nACGT\nAC\n>s2\nGGTT\n", "a.csv", "FASTA"),
        ("UNA:+.? '\nUNB+UNOA:1+a+b'\n", "a", "EDIFACT"),
        (":20:STARTUMS\r\n:25:DE1\r\n", "a.sta", "MT940"),
        ("OFXHEADER:100\nDATA:OFXSGML\n", "a.ofx", "OFX"),
        ("!Type:Bank\nD01/02/2024\nT-5.00\n^\n", "a.qif", "QIF"),
        ("0 HEAD\n1 SOUR x\n", "a.ged", "GEDCOM"),
        ("% c\n@RELATION x\n\n@ATTRIBUTE a numeric\n@DATA\n1\n", "a.arff", "ARFF"),
        ("ID;PWXL;N;E\nC;Y1;X1;K1\nE\n", "a.slk", "SYLK"),
        ("\\begin{tabular}{ll}\na & b \\\\\n", "a.tex", "LaTeX"),
        ("import os\n\ndef f(x):\n    return x, 1\n", "a.csv", "program"),
        ("%PDF-1.4", "a.csv", "PDF"),
        (b"GIF89a\1\0", "a", "image"),
        (b"\xff\xd8\xff\xe0", "a.csv", "image"),
        (b"II*\0\x08", "a", "image"),
        ("{\\rtf1 x}", "a.doc", "RTF"),
        (b"ARROW1\0\0", "a.arrow", "Arrow"),
        (_packed("[Content_Types].xml", "word/document.xml"), "a.docx", "Word"),
        (_packed("mimetype", "content.xml"), "a.odt", "text"),
        (_packed("[Content_Types].xml", "ppt/p.xml"), "a.pptx", "PowerPoint"),
        (_packed("Index/Document.iwa", "Metadata/x.plist"), "a.numbers", "Numbers"),
        (_packed("Index.zip", "preview.jpg"), "a.pages", "Numbers"),
    ],
)
def test_files_without_a_table_are_refused_by_name(read: Read, data: str | bytes, name: str, what: str) -> None:
    with pytest.raises(BadRequestError) as refused:
        read(data, name)
    assert what in str(refused.value.details)
    assert any(word in str(refused.value.details) for word in ("send", "save", "export", "convert"))


def test_bytes_that_are_no_text_are_refused(read: Read) -> None:
    with pytest.raises(BadRequestError) as refused:
        read(b"name\n" + bytes(range(1, 256)), "a.csv")
    assert "neither text nor a format" in str(refused.value.details)
    assert read("a,b\n1,x\x07y\n", "a.csv")[1] == [["1", "x\x07y"]]


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ("Insert,into,values\n1,2,3\n", "a.csv"),
        ("From To,Date\nx,y\n", "a.csv"),
        ("From,To,Subject\na,b,c\n", "a.csv"),
        ("id: name\n1: x\n2: y\n", "a.txt"),
        ("BEGIN,END\n1,2\n", "a.csv"),
        ("-,-\n1,2\n", "a.csv"),
        ("ID3,b\n1,2\n", "a.csv"),
        ("set,use\n1,2\n", "a.csv"),
        ("<table><row><id>1</id></row><row><id>2</id></row></table>", "a.xml"),
        ("<p><a id='1'/><a id='2'/></p>", "a.xml"),
        ('[["a", "b"], [1, 2]]', "a.csv"),
        ("---\n1\n2\n", "a.csv"),
        ("ID;Product;N\n1;a;b\n", "a.csv"),
        (">a\nx\ny\n", "a.csv"),
        ("import\nexport\n", "a.csv"),
        ("0 HEAD,x\n1,2\n", "a.csv"),
        ("@id,@name\n1,a\n", "a.csv"),
        ('<rss version="2.0"><channel><item><title>a</title></item><item><title>b</title></item></channel></rss>', "a"),
    ],
)
def test_tables_that_begin_like_other_files_are_read(read: Read, data: str, name: str) -> None:
    assert read(data, name)[1]
