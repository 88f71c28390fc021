"""Texts of tables in any encoding are read with their letters, and what was guessed is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from atlas.readers.files import read_file
from atlas.readers.staging import Staging
from atlas.readers.uploads import open_upload

TEXTS = {
    "cp1250": [
        "id,name,city\n1,Łukasz,Łódź\n2,Žofie,Ústí nad Labem\n", "id,imię\n1,Małgorzata Wójcik\n",
        "jméno;město\nPetr Dvořák;Plzeň\nJiří Černý;České Budějovice\n", "id,imię\n1,Zażółć gęślą jaźń\n",
        "név,város\nKovács Őrs,Győr\nSzűcs Ödön,Székesfehérvár\n", "nume,oraş\nIonuţ,Bucureşti\n",
        "ime,grad\nŽeljko Čović,Šibenik\n",
    ],
    "cp1252": [
        "name,city\nJosé Núñez,Málaga\nZoë,Köln\n", "nom;prix\ncrème brûlée;12 €\n", "navn,by\nSøren Ærø,Århus\n",
        "name,note\nAnn,it’s “fine” – really\n", "nome,cidade\nJoão,São Paulo\n", "id,name\n1,Müller\n2,Schäfer\n",
        "nafn,borg\nÞórður Guðmundsson,Ísafjörður\nBjörk,Reykjavík\n", "artikel,preis\nKäse,3 €\n",
        "name,city\nFrançois,Besançon\n", "a,b\n" + "plain,text\n" * 40_000 + "café,1\n",
    ],
    "cp1254": ["ad,şehir\nAyşe Yılmaz,İstanbul\nGökhan,Muğla\n", "isim;il\nŞule Çelik;İzmir\nÖmer Güneş;Ağrı\n"],
    "cp1257": [
        "vardas,miestas\nJonas Šimkus,Šiauliai\nRūta,Panevėžys\n", "vārds,pilsēta\nJānis Bērziņš,Rīga\n",
        "nimi,linn\nÜlo Mägi,Põlva\n", "id,pilsēta\n1,Liepāja\n2,Jūrmala\n",
    ],
    "cp1251": ["имя,город\nИван,Москва\n", "назва,місто\nОлена Ківш,Київ\n", "id,name\n1,Иван\n", "id;товар\n1;Чай\n"],
    "koi8_r": ["имя,город\nИван,Москва\n", "id,city\n1,Москва\n"],
    "cp866": ["имя,город\nИван,Москва\nОльга,Казань\n"],
    "cp1253": ["όνομα,πόλη\nΓιώργος,Αθήνα\n", "id,name\n1,Μαρία\n"],
    "cp1255": ["id,city\n1,ירושלים\n2,תל אביב\n"],
    "cp1256": ["id,city\n1,القاهرة\n2,الرياض\n"],
    "mac_roman": ["name,city\nRené Müller,Zürich\ncafé,naïve\n"],
    "cp850": ["name,city\nRené Müller,Zürich\ncafé,naïve\n"],
    "iso8859_2": ["id,name\n1,Łukasz Śliwa\n2,Żaneta Źrebiec\n"],
    "cp932": ["名前,住所\n田中太郎,東京都\n"], "euc_jp": ["名前,住所\n田中太郎,東京都\n"],
    "gb18030": ["姓名,城市\n张三,北京\n李四,上海\n"], "big5": ["姓名,城市\n張三,臺北\n"],
    "cp949": ["이름,도시\n김철수,서울\n"], "cp874": ["ชื่อ,เมือง\nสมชาย,กรุงเทพ\n"],
    "utf-16": ["id,name\n1,Łódź\n"], "utf-8-sig": ["id,name\n1,Łódź\n"],
}  # fmt: skip
CASES = [(encoding, text) for encoding, texts in TEXTS.items() for text in texts]


def cells(folder: Path, data: bytes) -> tuple[list[str], list[str]]:
    """Every cell of a CSV, its names first, and what is told of it."""
    path = folder / "file.csv"
    path.write_bytes(data)
    source = read_file(open_upload(path, "file.csv", folder, 10**9), folder)
    staging = Staging(folder, source)
    rows = staging.query("SELECT * EXCLUDE _n FROM raw ORDER BY _n")
    staging.close()
    return [*source.names, *(cell for row in rows for cell in row if cell is not None)], source.notes


@pytest.mark.parametrize(("encoding", "text"), CASES, ids=[f"{e}-{n}" for n, (e, _) in enumerate(CASES)])
def test_letters_are_kept(tmp_path: Path, encoding: str, text: str) -> None:
    found, notes = cells(tmp_path, text.encode(encoding))
    assert found == text.replace("\n", ",").replace(";", ",").rstrip(",").split(",")
    assert any(note.startswith("read as ") for note in notes) == (not encoding.startswith("utf-8"))


def test_lines_in_another_encoding_than_the_rest_are_read_and_told(tmp_path: Path) -> None:
    lines = ["id,name", *(f"{n},Łódź {n}" for n in range(20))]
    data = "\n".join(lines).encode() + b"\n21,caf\xe9\n22,na\xefve\n"
    found, notes = cells(tmp_path, data)
    assert found[-4:] == ["21", "café", "22", "naïve"]
    assert "2 lines are not UTF-8, unlike the others: read as cp1252" in notes
    assert found[3] == "Łódź 0"


@pytest.mark.parametrize("count", [1, 3])
def test_nul_characters_that_are_left_out_are_told(tmp_path: Path, count: int) -> None:
    found, notes = cells(tmp_path, b"id,name\n" + b"1,Bob\n" * 100 + b"1,A" + b"\0" * count + b"nn\n")
    assert found[-2:] == ["1", "Ann"]
    assert f"{count} NUL character{'' if count == 1 else 's'} left out" in notes


def test_another_encoding_that_fits_as_well_is_told(tmp_path: Path) -> None:
    _, notes = cells(tmp_path, "name,city\nJosé Núñez,Málaga\nZoë,Köln\n".encode("cp1252"))
    assert any("read as cp1252; cp1250" in note and "would fit, too" in note for note in notes)
