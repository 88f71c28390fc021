"""What is no record is left out and told; what is one keeps its cells in their columns, or waits."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from tests.staged_tables import Rows, table

from atlas.imports.files.in_worker import FileRequest, learn
from atlas.imports.files.source import Source
from atlas.worker_tasks import _file
from atlas.workers.protocol import Kind

HEADERS = (
    ("country,10,20,30\nPeru,5.5,6.5,7.5\nChad,7.1,8.1,9.1\n", ["country", "10", "20", "30"], 2),
    ("region,2024-01-01,2024-02-01\nnorth,5,6\nsouth,7,8\n", ["region", "2024-01-01", "2024-02-01"], 2),
    ("store,item,01/2024,02/2024\nA,tea,5,6\nB,rum,7,8\n", ["store", "item", "01/2024", "02/2024"], 2),
    ("Peru,5,6\nChad,7,8\nMali,1,2\n", ["", "", ""], 3),
    ("1,Peru,6\n2,Chad,8\n", ["", "", ""], 2),
    # Sizes and hours in even steps, over whole numbers that have none.
    ("size,36,37,38\nred,4,0,2\nblue,1,5,3\n", ["size", "36", "37", "38"], 2),
    ("day,0,6,12,18\nmon,3,1,7,2\ntue,2,2,9,4\n", ["day", "0", "6", "12", "18"], 2),
    ("a,1,2,3\nb,4,5,6\nc,7,8,9\n", ["", "", "", ""], 3),
    ("mpg cyl\n".replace(" ", ",") + "Mazda,21,6\nFiat,32,4\n", ["", "mpg", "cyl"], 2),
    # Programs write an index without a name.
    (",price\n0,5\n1,6\n", ["", "price"], 2),
    (",city\n0,Rome\n1,Oslo\n", ["", "city"], 2),
    (",,sum\nx,a,1\ny,b,2\n", ["", "", "sum"], 2),
    (",city\na,Rome\nb,Oslo\n", ["", "city"], 2),
    (",Report 2024\nid,name\n1,ann\n2,bob\n", ["id", "name"], 2),
    # In one column, what separates cells elsewhere is part of a text.
    ("note\nhello; world\nfoo\nbar\n", ["note"], 3),
    ("note\nhello, world\nfoo\nbar\nbaz\nqux\n", ["note"], 5),
    ("link\nhttp://a/b|c\nhttp://d/e\n", ["link"], 2),
)


@pytest.mark.parametrize(("text", "names", "records"), HEADERS)
def test_headers(tmp_path: Path, text: str, names: list[str], records: int) -> None:
    found, rows, _ = table(tmp_path, text)
    assert (found, len(rows)) == (names, records)


@pytest.mark.parametrize(
    "text", ["lebron,james\nmichael,jordan\nkobe,bryant\n", "tea,green\nrum,dark\ngin,dry\n", "alpha\nbeta\ngamma\n"]
)
def test_a_first_line_that_may_be_a_record_is_told(tmp_path: Path, text: str) -> None:
    _, _, source = table(tmp_path, text)
    assert any(
        note.startswith("took the first line") or "so the first line is a record" in note for note in source.notes
    )


@pytest.mark.parametrize(
    "text", ["first_name,last_name\nann,smith\nbob,brown\n", "Name,City\nAnn,Ulm\nBob,Bonn\n", "a,n\nx,1\ny,2\n"]
)
def test_a_plain_header_needs_no_word(tmp_path: Path, text: str) -> None:
    assert table(tmp_path, text)[2].notes == []


UNITS = (
    ("time,voltage,current\ns,V,A\n0,4.14,0.1\n1,4.15,0.2\n", 2),
    ("item,weight,price\n-,[kg],(EUR)\ntea,1.5,2\nrum,2.5,9\n", 2),
    ("t,p\n°C,%\n20,50\n21,60\n22,65\n", 3),
)


@pytest.mark.parametrize(("text", "records"), UNITS)
def test_a_line_of_units_is_no_record(tmp_path: Path, text: str, records: int) -> None:
    _, rows, source = table(tmp_path, text)
    assert len(rows) == records
    assert any(note.startswith("the line of units") for note in source.notes)


TYPES = (
    ("id,name,n\nint,varchar,float\n1,date,2.5\n2,b,3.5\n", ["1", "2"]),
    ("id,when,ok\nbigint,timestamp,boolean\n1,2024-01-01 10:00:00,true\n", ["1"]),
    ("name;city\nstring;string\nAnn;Ulm\nBob;Bonn\n", ["Ann", "Bob"]),
    ('code,price\nvarchar(20),"numeric(10, 2)"\na1,5.50\n', ["a1"]),
)


@pytest.mark.parametrize(("text", "first"), TYPES)
def test_a_line_of_types_is_no_record(tmp_path: Path, text: str, first: list[str]) -> None:
    _, rows, source = table(tmp_path, text)
    assert [row[0] for row in rows] == first
    assert any(note.startswith("the line of types") for note in source.notes)


@pytest.mark.parametrize("text", ["kind,base\nint,string\nfloat,bool\n", "type,alias\nint,integer\nyes,bool\n"])
def test_types_that_are_the_data_stay(tmp_path: Path, text: str) -> None:
    assert len(table(tmp_path, text)[1]) == 2


def test_a_first_record_of_words_is_no_line_of_units(tmp_path: Path) -> None:
    assert len(table(tmp_path, "name,score\nunknown person,none\nann,5\nbob,6\n")[1]) == 3
    assert len(table(tmp_path, "name,unit,n\ntea,kg,5\nrum,l,6\n")[1]) == 2


RAGGED = (
    ("id,name,qty,price\n1,tea,3,5\n2,rum 4,9\n3,oil,2,6\n", [2], 2),
    ("id,name,qty\n1,tea,3\n2,rum, dark,4\n3,oil,2\n4,gin, dry,6\n", [2, 4], 2),
    ("id,name,qty\n1,tea,3\n2,a,b,c,d,4\n3,oil,2\n", [2], 2),
    ("id,name,qty,note\n" + "1,a,2,x\n" * 50 + "2,b\n" + "1,a,2,x\n" * 50, [51], 100),
)


@pytest.mark.parametrize(("text", "waiting", "records"), RAGGED)
def test_ragged_records_wait(tmp_path: Path, text: str, waiting: list[int], records: int) -> None:
    _, rows, source = table(tmp_path, text)
    assert ([bad.number for bad in source.bad], len(rows)) == (waiting, records)


SHIFTED = (
    ("id,qty,name,note\n1,5,tea,\n2,,6,rum,\n3,7,oil,\n4,8,gin,\n", [2]),
    ("id;when;price\n1;2024-01-02;5\n2;2024-01-03;6\n3;2024-01-04;7\n4;x;2024-01-05;\n", [4]),
    ("a,b,c\n1,x,\n2,y,\n3,z,\n4,,w,\n", [4]),
)


@pytest.mark.parametrize(("text", "waiting"), SHIFTED)
def test_a_row_with_a_delimiter_too_many_waits_where_its_cells_are_of_other_columns(
    tmp_path: Path, text: str, waiting: list[int]
) -> None:
    _, rows, source = table(tmp_path, text)
    assert ([bad.number for bad in source.bad], len(rows)) == (waiting, 3)


TRAILING = (
    ("id,name,n\n1,tea,3,\n2,rum,4,\n3,oil,5,\n", 3),
    ("id,name,n\n1,tea,3\n2,rum,4,,\n3,oil,5\n4,gin,6\n", 4),
    ("id;name;n\n1;tea;\n2;;4;\n3;oil;5\n4;gin;6\n5;;7\n", 5),
)


@pytest.mark.parametrize(("text", "records"), TRAILING)
def test_delimiters_behind_the_last_cell_are_none(tmp_path: Path, text: str, records: int) -> None:
    names, rows, source = table(tmp_path, text)
    assert (names, len(rows), source.bad) == (["id", "name", "n"], records, [])


LONG_HEADERS = (
    ("id,,name,qty\n1,tea,3\n2,rum,4\n3,oil,5\n", ["id", "name", "qty"]),
    ("id;name;;note\n1;tea;\n2;rum;\n3;oil;\n", ["id", "name", "note"]),
    ("a\t\tb\n1\tx\n2\ty\n3\tz\n", ["a", "b"]),
)


@pytest.mark.parametrize(("text", "names"), LONG_HEADERS)
def test_a_blank_name_too_many_is_no_column(tmp_path: Path, text: str, names: list[str]) -> None:
    found, rows, source = table(tmp_path, text)
    assert (found, rows[0][:2]) == (names, ("1", "tea" if "tea" in text else "x"))
    assert any(note.startswith("the header has") for note in source.notes)


@pytest.mark.parametrize("text", ["1,tea,\n2,rum,\n3,oil,\n", "5;x;\n6;y;\n7;z;\n", "1\t2\t\n3\t4\t\n"])
def test_a_file_without_names_has_the_columns_that_its_rows_have(tmp_path: Path, text: str) -> None:
    names, rows, source = table(tmp_path, text)
    assert (
        len(names)
        == len(rows[0])
        == len(text.split("\n", maxsplit=1)[0].replace(";", ",").replace("\t", ",").split(","))
    )
    assert (source.bad, source.fixed) == ([], [])


SECOND = (
    ("id,name,qty\n1,tea,3\n2,rum,4\n3,oil,5\nid,name\n7,x\n8,y\n", 3, 2),
    ("id;name;qty\n1;tea;3\n2;rum;4\n3;oil;5\nid;name;qty;price\n7;x;1;2\n8;y;2;3\n9;z;3;4\n", 3, 3),
    ("city\tpop\tyear\nUlm\t1\t2020\nBonn\t2\t2021\nCITY\tPOP\nRom\t5\n", 2, 1),
)


@pytest.mark.parametrize(("text", "records", "others"), SECOND)
def test_another_table_below_with_other_columns_is_left_out_and_told(
    tmp_path: Path, text: str, records: int, others: int
) -> None:
    _, rows, source = table(tmp_path, text)
    assert (len(rows), source.bad) == (records, [])
    assert any(note.startswith("another table below") and f"{others} of its records" in note for note in source.notes)


APOSTROPHES = (
    ("id,name,note\n1,'Ann','it's fine, really'\n2,'Bob','don't'\n", ("1", "Ann", "it's fine, really")),
    ("id;name\n1;'O''Hara; Jim'\n2;'x'\n", ("1", "O'Hara; Jim")),
    ("'a','b'\n'1','5\" pipe, big'\n'2','the dog's, too'\n", ("1", '5" pipe, big')),
)


@pytest.mark.parametrize(("text", "first"), APOSTROPHES)
def test_apostrophes_as_quotes(tmp_path: Path, text: str, first: tuple[str, ...]) -> None:
    _, rows, source = table(tmp_path, text)
    assert (rows[0], len(rows), source.bad) == (first, 2, [])


@pytest.mark.parametrize(
    "text",
    [
        "id,name\n1,rock 'n' roll\n2,'tis\n3,dogs'\n",
        "id,q\n1,'a' and 'b'\n2,\"it's, ok\"\n",
        "a;b\n'twas;1\n'em;2\nx';3\n",
    ],
)
def test_apostrophes_in_texts_stay(tmp_path: Path, text: str) -> None:
    _, rows, source = table(tmp_path, text)
    assert "".join(cell for row in rows for cell in row).count("'") == text.count("'")
    assert source.bad == []


def test_last_cells_that_a_file_leaves_out_are_empty_and_told(tmp_path: Path) -> None:
    _, rows, source = table(tmp_path, "id,name,note\n1,a\n2,b,x\n3,c\n4,d\n")
    assert rows == [("1", "a", None), ("2", "b", "x"), ("3", "c", None), ("4", "d", None)]
    assert "3 records have no last cells, which were taken as empty" in source.notes


def test_a_comma_in_a_column_of_texts_is_kept_and_told(tmp_path: Path) -> None:
    _, rows, source = table(tmp_path, "note\nfoo\nhello, world\nbar\n")
    assert (rows, source.bad) == ([("foo",), ("hello, world",), ("bar",)], [])
    assert "1 record has ',' in its only cell, which was kept" in source.notes


@pytest.mark.parametrize(
    ("text", "records", "words"),
    [
        ("id,n\n1,a\n2,b\n* provisional,\n", 2, "'* provisional'"),
        ("id,n\n1,a\n2,b\n3,c\n(3 rows)\n", 3, "'(3 rows)'"),
        # The text may be a name, and the record lack the other cell.
        ("name,n\nann,1\nbob,2\nNote,\n", 3, ""),
        ("id,n\n1,a\n2,b\n3,\n", 3, ""),
    ],
)
def test_notes_below_two_columns_are_left_out_if_they_surely_are_none(
    tmp_path: Path, text: str, records: int, words: str
) -> None:
    _, rows, source = table(tmp_path, text)
    assert len(rows) == records
    assert any(words in note for note in source.notes if "below" in note) if words else source.bad == []


def test_lines_above_a_table_are_told(tmp_path: Path) -> None:
    notes = table(tmp_path, "Report of May\nby me\n\nid,name,n\n1,a,2\n2,b,3\n")[2].notes
    assert notes[0] == "3 lines above the table left out: 'Report of May'; 'by me'"


def test_notes_below_a_table_are_left_out_and_told(tmp_path: Path) -> None:
    text = "id,name,n\n1,a,2\n2,b,3\n\nSource: World Bank\n* preliminary\n"
    _, rows, source = table(tmp_path, text)
    assert (len(rows), source.bad) == (2, [])
    assert "2 lines below the table left out: 'Source: World Bank'; '* preliminary'" in source.notes


BELOW = (
    ("id,name,n\n1,a,2\n2,b,3\n(2 rows)\n", []),
    (" id | a | b \n----+---+---\n 1 | x | 2\n 2 | y | 3\n(2 rows)\n", []),
    ("id;name;qty\n1;tea;3\n2;rum\n4;gin;6\n3;oil;5\nid;name;qty;price\n7;x;1;2\n8;y;2;3\nQuelle: Amt\n", [2]),
)


@pytest.mark.parametrize(("text", "waiting"), BELOW)
def test_what_is_left_out_below_a_table_does_not_wait_as_well(tmp_path: Path, text: str, waiting: list[int]) -> None:
    path = tmp_path / "upload"
    path.write_text(text, encoding="utf-8")
    told = Source((), (), iter(()))
    for kind, content in _file(FileRequest(str(path), "f.csv", str(tmp_path), 10**9, 10**9), 10**9):
        if kind in (Kind.SOURCE, Kind.END):
            learn(told, pa.py_buffer(content))
    assert any("below" in note for note in told.notes)
    assert [record.number for record in told.bad] == waiting


QUOTES = (
    ('id,name,qty\n1,"the "big" one",3\n2,"plain",4\n', [("1", 'the "big" one', "3"), ("2", "plain", "4")], "within"),
    ('id;name\n1;"a "b" c "d""\n2;x\n', [("1", 'a "b" c "d"'), ("2", "x")], "within"),
    (
        'id,name,qty\n1,tea,3\n2,"big pipe,4\n3,oil,2\n4,"small pipe,6\n5,rum,7\n',
        [("1", "tea", "3"), ("2", '"big pipe', "4"), ("3", "oil", "2"), ("4", '"small pipe', "6"), ("5", "rum", "7")],
        "never closed",
    ),
    ('id,q,n\n1,"abc"def,5\n2,x,6\n', [("1", '"abc"def', "5"), ("2", "x", "6")], "within"),
    ('id;q\n1;"a"b"c"\n2;"ok"\n', [("1", 'a"b"c'), ("2", "ok")], "within"),
    ('id\tq\n1\t"abc" x\n2\t"y"\n', [("1", '"abc" x'), ("2", "y")], "within"),
    ('id,q,n\n1,"abc" ,5\n2,"x",6\n', [("1", "abc", "5"), ("2", "x", "6")], "blanks"),
    ('id,name,qty\n1,5" pipe,3\n2,oil,2\n', [("1", '5" pipe', "3"), ("2", "oil", "2")], ""),
    ('id,name,qty\n1,"a\nb",3\n2,"c ""d""\ne",4\n', [("1", "a\nb", "3"), ("2", 'c "d"\ne', "4")], ""),
)


@pytest.mark.parametrize(("text", "rows", "told"), QUOTES)
def test_stray_quotes(tmp_path: Path, text: str, rows: Rows, told: str) -> None:
    _, found, source = table(tmp_path, text)
    assert found == rows
    assert any(told in note for note in source.notes) if told else not source.notes


def test_a_stray_quote_in_the_header_leaves_the_names(tmp_path: Path) -> None:
    names, rows, source = table(tmp_path, 'id,"name,qty,price,"note"\n1,tea,3,5,"x"\n2,rum,4,9,"y"\n')
    assert ([name.strip('"') for name in names], len(rows)) == (["id", "name", "qty", "price", "note"], 2)
    assert source.notes


STRAY = (
    # Before a number, with a quoted cell behind that has a delimiter.
    (
        'id,qty,name,note\n1,"9,"Pillow, red","soft, warm"\n2,4,Lamp,"old"\n',
        ("1", '"9', "Pillow, red", "soft, warm"),
        2,
    ),
    ('id;name;note\n"1;"a; b";"c"\n2;x;y\n3;z;u\n', ('"1', "a; b", "c"), 3),
    # A cell that begins with two.
    ('id,name,url\n1,""Tea, green","x.org"\n2,"Rum","y.org"\n', ("1", '"Tea, green', "x.org"), 2),
    ('a\tb\tc\n1\t""x y"\t2\n3\tz\t4\n', ("1", '"x y', "2"), 2),
    # One alone in the last cell, and in the first line.
    ('id,name,note\n1,"tea",""\n2,"rum","\n3,"oil",""\n', ("1", "tea", None), 3),
    ('id,"name,note\n1,"a, b",c\n2,"d",e\n', ("1", "a, b", "c"), 2),
    # Inches that end a quoted cell, with delimiters in the next.
    ('id,item,text\n1,"Table, 48"","big, round"\n2,"Bike, 24"","fast"\n', ("1", 'Table, 48"', "big, round"), 2),
    ('id,item,text\n1,"5" pipe, long","say "hi", then go"\n2,b,c\n', ("1", '5" pipe, long', 'say "hi", then go'), 2),
)


@pytest.mark.parametrize(("text", "first", "records"), STRAY)
def test_stray_quotes_move_no_cell(tmp_path: Path, text: str, first: tuple[str, ...], records: int) -> None:
    _, rows, source = table(tmp_path, text)
    assert (rows[0], len(rows), source.bad) == (first, records, [])
    assert any("quote" in note for note in source.notes)


@pytest.mark.parametrize(
    "text",
    [
        'id,a,b\n1,"x,"y,"z\n2,u,v\n3,w,x\n',
        'id,a,b\n1,"x" y,"z" w,2\n2,u,v\n3,w,x\n',
        'id;a;b\n1;"x;y"z;"w;v"u;t\n2;u;v\n3;w;x\n',
    ],
)
def test_a_line_whose_quotes_can_be_read_in_no_one_way_waits(tmp_path: Path, text: str) -> None:
    _, rows, source = table(tmp_path, text)
    assert ([bad.number for bad in source.bad], [row[0] for row in rows]) == ([1], ["2", "3"])


TEXT_TABLES = (
    ('id, name, note\n1, ann, "one, two"\n2, bob, "three"\n', ["id", "name", "note"], ("1", "ann", "one, two")),
    ('id; name; note\n1; ann; "one; two"\n2; bob; "x\ny"\n', ["id", "name", "note"], ("1", "ann", "one; two")),
    ('id name note\n1 ann "one two"\n2 bob "three"\n', ["id", "name", "note"], ("1", "ann", "one two")),
    ("x y z\n1 2 3\n4 5 6\n7 8 9\n", ["x", "y", "z"], ("1", "2", "3")),
    (
        "NAME      STATUS   AGE\nbeta one  Active   4y\nb         -        5y\n",
        ["NAME", "STATUS", "AGE"],
        ("beta one", "Active", "4y"),
    ),
    ("id::title::n\n1::Toy Story::5\n2::Heat::6\n", ["id", "title", "n"], ("1", "Toy Story", "5")),
    ("id||name\n1||a\n2||b\n", ["id", "name"], ("1", "a")),
    (
        "| id | name | n |\n|----|:-----|--:|\n| 1 | a \\| b | 5 |\n| 2 | b |  |\n",
        ["id", "name", "n"],
        ("1", "a | b", "5"),
    ),
    ("id | name\n---|---\n1 | a\n2 | b\n", ["id", "name"], ("1", "a")),
    (
        " id | name  | n \n----+-------+---\n  1 | bob b | 5\n  2 | ann   | 6\n(2 rows)\n",
        ["id", "name", "n"],
        ("1", "bob b", "5"),
    ),
    (
        "+----+------+\n| id | name |\n+----+------+\n|  1 | ann  |\n|  2 | bob  |\n+----+------+\n",
        ["id", "name"],
        ("1", "ann"),
    ),
    ("=====  =====\nA      B\n=====  =====\nx      1\ny      2\n=====  =====\n", ["A", "B"], ("x", "1")),
    ("id          name\n----------- ----------\n          1 ann\n          2 bob\n", ["id", "name"], ("1", "ann")),
    ("ID   NAME\n---- --------\n1    ann b\n22   bob\n", ["ID", "NAME"], ("1", "ann b")),
    ("a~b~c\n1~2~3\n4~5~6\n", ["a", "b", "c"], ("1", "2", "3")),
    ("a^b\n1^2\n3^4\n", ["a", "b"], ("1", "2")),
    ("a\x1fb\n1\x1f2\n3\x1f4\n", ["a", "b"], ("1", "2")),
)


@pytest.mark.parametrize(("text", "names", "first"), TEXT_TABLES)
def test_tables_in_texts(tmp_path: Path, text: str, names: list[str], first: tuple[str, ...]) -> None:
    found, rows, _ = table(tmp_path, text, "file.txt")
    assert (found, rows[0]) == (names, first)


@pytest.mark.parametrize(
    "text", ["name\nAnn Smith\nBob Brown\n", "note\nit is fine\nnot so good\nwhy not\n", "full name\nAnn Smith\nBob\n"]
)
def test_a_column_of_texts_stays_one(tmp_path: Path, text: str) -> None:
    assert len(table(tmp_path, text)[0]) == 1


TOTALS = (
    ("item,amount\nA,10\nB,20\nC,30\nTotal,60\n", 3),
    ("item;amount\nA;1.000,50\nB;20,25\nSumme;1.020,75\n", 2),
    ("id,name,qty,price\n1,tea,3,$5.00\n2,rum,4,$9.50\n,Grand Total:,7,$14.50\n", 2),
    ("id,n,avg\n1,5,2\n2,6,4\n3,7,6\nTOTAL,18,4\n", 3),
    ("item,n\nA,10\nB,20\nTotal,30\nAverage,15\n", 2),
    ("item,price,qty\nA,10,1\nB,20,3\nTOTAL:,,4\n", 2),
    ("item,n\nTotal,30\nA,10\nB,20\n", 2),
    ("item,amount\nA,(10.00)\nB,25.50\nTotal,15.50\n", 2),
    ("item,amount\nA,10\nB,20\nTotal (2 items),30\n", 2),
    ("posten,chf\nA,1'000.50\nB,2'000.25\nTotal,3'000.75\n", 2),
    ("region,item,n\nN,a,1\nN,b,2\nN,Total,3\nS,a,4\nS,b,5\nS,Total,9\nGrand total,,12\n", 4),
    ("brand,n\nEni,5\nShell,1\nTotal,20\nBP,3\nGrand total,29\n", 4),
)


@pytest.mark.parametrize(("text", "records"), TOTALS)
def test_totals_are_left_out_and_told(tmp_path: Path, text: str, records: int) -> None:
    _, rows, source = table(tmp_path, text)
    assert len(rows) == records
    assert any("as it is their total" in note for note in source.notes)


@pytest.mark.parametrize(
    ("text", "records"), [("item,n\nA,10\nB,20\nTotal,31\n", 3), ("brand,n\nEni,5\nShell,1\nTotal,20\nBP,3\n", 4)]
)
def test_what_only_looks_like_a_total_stays(tmp_path: Path, text: str, records: int) -> None:
    _, rows, source = table(tmp_path, text)
    assert len(rows) == records
    assert any("looks like a total" in note for note in source.notes)


def test_an_average_is_left_out_and_told(tmp_path: Path) -> None:
    _, rows, source = table(tmp_path, "item;n\nA;10\nB;20\nC;33\nDurchschnitt;21\n")
    assert len(rows) == 3
    assert any("as it is their average" in note for note in source.notes)


def test_a_sum_that_nothing_names_is_told(tmp_path: Path) -> None:
    _, rows, source = table(tmp_path, "item,amount\nA,10\nB,20\n,30\n")
    assert len(rows) == 3
    assert any("is the sum of the others, and was imported" in note for note in source.notes)


@pytest.mark.parametrize("text", ["brand,n\nShell,1\nBP,3\nTotal Gas,4\n", "a,b\n1,2\n3,4\n4,6\n"])
def test_a_record_that_happens_to_be_a_sum_stays(tmp_path: Path, text: str) -> None:
    _, rows, source = table(tmp_path, text)
    assert (len(rows), source.notes) == (3, [])
