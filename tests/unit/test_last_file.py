"""What a file leaves open of its encoding and delimiter is as in the table's last file, and the opposite is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from atlas.errors import BadRequestError
from atlas.imports.files.opening import read_file
from atlas.imports.files.sniffing import open_upload
from atlas.imports.files.source import ReadOptions
from atlas.tables.model import FileFormat


def read(
    folder: Path, data: bytes, options: ReadOptions, name: str = "f.csv"
) -> tuple[list[list[str | None]], FileFormat, str]:
    """Rows with the header, what the file shows of how it is written, and the notes."""
    path = folder / "file"
    path.write_bytes(data)
    source = read_file(open_upload(path, name, folder, 10**8), folder, options)
    rows = [list(row.values()) for batch in source.batches for row in batch.to_pylist()]
    return [list(source.names), *rows], source.written, "; ".join(source.notes)


def last(encoding: str | None = None, delimiter: str | None = None) -> ReadOptions:
    return ReadOptions(before=FileFormat(encoding, delimiter))


# One or a few letters beyond ASCII, which several encodings have words for.
@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        *(("cp1250", text) for text in ("ł", "ą", "ż", "Łódź", "Gdańsk", "Dvořák", "Škoda")),
        *(("cp1252", text) for text in ("Müller", "ß", "Ångström", "naïve – x")),
        *(("iso8859_2", text) for text in ("Gdańsk", "Łódź")),
        *(("cp1254", text) for text in ("İstanbul", "ğ", "Şişli")),
        *(("cp1257", text) for text in ("ėžys", "Šiauliai")),
        ("latin-1", "Müller"),
        ("cp850", "Müller"),
        ("cp437", "Größe"),
        ("mac_roman", "Müller"),
    ],
)
def test_a_few_letters_are_those_of_the_last_file(tmp_path: Path, encoding: str, text: str) -> None:
    for line in (f"1,{text}", f'2,"{text}"', f"{text},7"):
        rows, written, notes = read(tmp_path, f"id,v\n{line}\n".encode(encoding), last(encoding))
        assert text in rows[1]
        assert written == FileFormat(encoding, ",")
    assert f"read as {encoding}, as the last file of the table" in notes


@pytest.mark.parametrize(
    ("encoding", "before", "text"),
    [
        ("cp1251", "cp1252", "Москва, улица Ленина, дом пять"),
        ("cp1252", "cp1251", "Größe, Maße, Straße, Übung, Äpfel, naïve"),
        ("cp932", "cp1252", "東京都千代田区丸の内一丁目"),
        ("utf-8", "cp1252", "Müller"),
        ("utf-8-sig", "cp1250", "Müller"),
        ("utf-16", "utf-8", "id,v\n1,Müller"),
        ("cp1253", "utf-8", "Αθήνα, Θεσσαλονίκη, Πάτρα"),
    ],
)
def test_a_file_that_shows_its_encoding_is_read_in_it(tmp_path: Path, encoding: str, before: str, text: str) -> None:
    told = text.replace(",", ";") if "\n" not in text else text.rsplit(",", maxsplit=1)[-1]
    rows, written, notes = read(tmp_path, f"id,v\n1,{told}\n".encode(encoding), last(before, ","))
    assert rows[1] == ["1", told]
    assert written.encoding == encoding.removesuffix("-sig")
    assert f"the file is in {written.encoding}, the last file of the table was in {before}" in notes


def test_ascii_shows_no_encoding(tmp_path: Path) -> None:
    _, written, notes = read(tmp_path, b"id,v\n1,a\n", last("cp1250", ","))
    assert (written, notes) == (FileFormat(None, ","), "")
    _, written, notes = read(tmp_path, b"id\n1\n2\n", last("cp1250", ";"))
    assert (written, notes) == (FileFormat(), "")


# Files that two delimiters divide into as many cells in each row.
@pytest.mark.parametrize(
    ("text", "before", "cells"),
    [
        ("1,5;2,5\n3,1;4,2\n5,0;6,1\n", ";", ["1,5", "2,5"]),
        ("1,5;2,5\n3,1;4,2\n5,0;6,1\n", ",", ["1", "5;2", "5"]),
        ("a;b,c\n1;2,3\n4;5,6\n", ";", ["a", "b,c"]),
        ("a;b,c\n1;2,3\n4;5,6\n", ",", ["a;b", "c"]),
        ("a|b,c\n1|2,3\n", "|", ["a", "b,c"]),
        ("a\tb;c\n1\t2;3\n", "\t", ["a", "b;c"]),
        ("a\tb;c\n1\t2;3\n", ";", ["a\tb", "c"]),
    ],
)
def test_an_open_delimiter_is_that_of_the_last_file(tmp_path: Path, text: str, before: str, cells: list[str]) -> None:
    rows, written, notes = read(tmp_path, text.encode(), last(None, before))
    assert cells in rows or rows[1][: len(cells)] == cells
    assert written.delimiter == before
    assert "between cells" not in notes or "as in the last file of the table" in notes


@pytest.mark.parametrize(
    ("text", "before"),
    [
        ("id;v\n9;1,5\n", ","),
        ("id,v\n9,a;b\n8,c\n", ";"),
        ("sep=;\nid;v,w\n1;2,3\n", ","),
        ("id\tv\n1\tx, y\n", ","),
        ("id|v\n1|x\n", ";"),
    ],
)
def test_a_file_that_shows_its_delimiter_is_read_by_it(tmp_path: Path, text: str, before: str) -> None:
    rows, written, notes = read(tmp_path, text.encode(), last(None, before))
    assert (len(rows[0]), len({len(row) for row in rows})) == (2, 1)
    assert written.delimiter not in (None, before)
    assert "the file has " in notes
    assert "the last file of the table had" in notes


def test_json_and_workbooks_are_no_last_file_of_a_kind(tmp_path: Path) -> None:
    _, written, notes = read(tmp_path, '[{"v": "Müller"}]'.encode(), last("cp1250", ";"), "f.json")
    assert (written, notes) == (FileFormat(), "")
    _, written, notes = read(tmp_path, b"| a | b |\n|---|---|\n| 1 | 2 |\n", last(None, ";"), "f.md")
    assert written == FileFormat()


@pytest.mark.parametrize(
    ("options", "data", "name", "reason"),
    [
        (ReadOptions(encoding="cp1250"), b"\xef\xbb\xbfa,b\n1,2\n", "f.csv", "the file is utf-8, as it begins"),
        (ReadOptions(encoding="utf-8"), b"a,b\n1,\xff\n", "f.csv", "not valid utf-8 text at byte 6"),
        (ReadOptions(delimiter=";"), b"sep=,\na,b\n1,2\n", "f.csv", "the first line of the file says ','"),
        (ReadOptions(delimiter=";"), b'[{"a": 1}]', "f.json", "a delimiter is spoken of"),
        (ReadOptions(encoding="cp1250"), b"<r><a><b>1</b></a><a><b>2</b></a></r>", "f.xml", "an encoding is spoken of"),
    ],
)
def test_what_is_stated_and_cannot_be_is_refused(
    tmp_path: Path, options: ReadOptions, data: bytes, name: str, reason: str
) -> None:
    with pytest.raises(BadRequestError) as refused:
        read(tmp_path, data, options, name)
    assert reason in str(refused.value.details)


def test_what_is_stated_counts(tmp_path: Path) -> None:
    rows, written, _ = read(tmp_path, "id;v,w\n1;ł,2\n".encode("cp1250"), ReadOptions(encoding="cp1250", delimiter=";"))
    assert (rows, written) == ([["id", "v,w"], ["1", "ł,2"]], FileFormat("cp1250", ";"))
