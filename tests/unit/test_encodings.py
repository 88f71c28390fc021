"""Texts of tables in any encoding are read with their letters, and what was guessed is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from atlas.imports.files.encodings import guess
from atlas.imports.files.opening import read_file
from atlas.imports.files.sniffing import open_upload
from atlas.imports.staging import Staging

TEXTS = {
    "cp1250": [
        "id,name,city\n1,Łukasz,Łódź\n2,Žofie,Ústí nad Labem\n",
        "id,imię\n1,Małgorzata Wójcik\n",
        "jméno;město\nPetr Dvořák;Plzeň\nJiří Černý;České Budějovice\n",
        "id,imię\n1,Zażółć gęślą jaźń\n",
        "név,város\nKovács Őrs,Győr\nSzűcs Ödön,Székesfehérvár\n",
        "nume,oraş\nIonuţ,Bucureşti\n",
        "ime,grad\nŽeljko Čović,Šibenik\n",
    ],
    "cp1252": [
        "name,city\nJosé Núñez,Málaga\nZoë,Köln\n",
        "nom;prix\ncrème brûlée;12 €\n",
        "navn,by\nSøren Ærø,Århus\n",
        "name,note\nAnn,it’s “fine” – really\n",
        "nome,cidade\nJoão,São Paulo\n",
        "id,name\n1,Müller\n2,Schäfer\n",
        "nafn,borg\nÞórður Guðmundsson,Ísafjörður\nBjörk,Reykjavík\n",
        "artikel,preis\nKäse,3 €\n",
        "name,city\nFrançois,Besançon\n",
        "a,b\n" + "plain,text\n" * 40_000 + "café,1\n",
    ],
    "cp1254": ["ad,şehir\nAyşe Yılmaz,İstanbul\nGökhan,Muğla\n", "isim;il\nŞule Çelik;İzmir\nÖmer Güneş;Ağrı\n"],
    "cp1257": [
        "vardas,miestas\nJonas Šimkus,Šiauliai\nRūta,Panevėžys\n",
        "vārds,pilsēta\nJānis Bērziņš,Rīga\n",
        "nimi,linn\nÜlo Mägi,Põlva\n",
        "id,pilsēta\n1,Liepāja\n2,Jūrmala\n",
    ],
    "cp1251": ["имя,город\nИван,Москва\n", "назва,місто\nОлена Ківш,Київ\n", "id,name\n1,Иван\n", "id;товар\n1;Чай\n"],
    "koi8_r": ["имя,город\nИван,Москва\n", "id,city\n1,Москва\n"],
    "cp866": ["имя,город\nИван,Москва\nОльга,Казань\n"],
    "cp1253": ["όνομα,πόλη\nΓιώργος,Αθήνα\n", "id,name\n1,Μαρία\n"],
    "cp1255": ["id,city\n1,ירושלים\n2,תל אביב\n"],
    "cp1256": ["id,city\n1,القاهرة\n2,الرياض\n"],
    "mac_roman": ["name,city\nRené Müller,Zürich\ncafé,naïve\n"],
    "cp850": ["name,city\nRené Müller,Zürich\ncafé,naïve\n"],
    "iso8859_2": ["id,name\n1,Łukasz Śliwa\n2,Żaneta Źrebiec\n", "id,miasto\n1,Łódź\n2,Gdańsk\n3,Kraków\n"],
    "iso8859_15": ["id,nom\n1,Œuvre\n2,cœur €\n", "nom,prix\ncafé,5 €\nœuf,7 €\n"],
    "cp932": ["名前,住所\n田中太郎,東京都\n"],
    "euc_jp": ["名前,住所\n田中太郎,東京都\n"],
    "gb18030": ["姓名,城市\n张三,北京\n李四,上海\n"],
    "big5": ["姓名,城市\n張三,臺北\n"],
    "cp949": ["이름,도시\n김철수,서울\n"],
    "cp874": ["ชื่อ,เมือง\nสมชาย,กรุงเทพ\n"],
    "utf-16": ["id,name\n1,Łódź\n"],
    "utf-8-sig": ["id,name\n1,Łódź\n"],
}
# Few letters, signs alone, words in capitals, half-width kana: little evidence.
SHORT = {
    "cp1250": [
        "k\nŁÓDŹ\nPOZNAŃ\n",
        "k\nDVOŘÁK\nČERNÝ\n",
        "k\nGyőr\n",
        "k\nŽižkov\n",
        "termék;ár\nkenyér;500\ntejföl;300\ntúró rúd;150\n",
        "naziv,kos\nčaj,5\nžlica,7\n",
        "produs,preţ\npâine,5\nlapte şi brânză,9\n",
        "názov,kód\nhrnček,1\nlyžica,2\nnôž,3\n",
        "art\nčokolada\nđubrivo\nšećer\n",
        "klient,saldo\n1,KOWALSKA MAŁGORZATA\n2,WIŚNIEWSKI PAWEŁ\n",
        "pracownik;dział\nGrzegorz Brzęczyszczykiewicz;księgowość\n",
        "id,hely\n1,SZÉKESFEHÉRVÁR\n2,GYŐR\n",
        "ulica\nDługa\nKrótka\nŚwiętojańska\n",
        "t\n20 °C\nciepło\n",
        "cena\n5 zł\n7 zł\n",
        "k\nčaj\nkáva\n",
        "k\nĽubomír\nŤažký\n",
        "k\nőrség\n",
        "k\nzł\n",
    ],
    "cp1252": [
        "k\nSÃO PAULO\nBELÉM\n",
        "k\nZürich–Köln\n",
        "k\nCôte d’Ivoire\nRéunion\n",
        "id,name\n1,Åse Øvrebø\n",
        "vara,pris\nsmör,30\nägg,25\nmjölk,12\n",
        "tuote,hinta\npöytä,30\ntyyny,25\n",
        "produit;qté\npâte à tarte;5\ngâteau;2\n",
        "naam,prijs\ncafé,2\nideeën,5\n",
        "nombre\nMuñoz\nPeña\n",
        "id,t\n1,20 °C\n2,25 °C\n",
        "item,price\ntea,£5\n",
        "k,v\n1,½ cup\n2,3 × 4\n",
        "a,b\n1,Straße 5\n",
        "nom,x\nœuvre,1\n",
        "id,note\n1,don’t\n2,can’t\n",
        "id,name\n1,Caffè\n2,Città\n",
        "id,trademark\n1,Foo™\n2,Bar®\n",
        "a,b\n1,foo…\n",
        "id,cidade\n1,Brasília\n2,Maceió\n",
        "id,qty\n1,5 µm\n2,3 m²\n",
        "id,name\n1,Beyoncé\n",
        "NAME,ORT\nMÜLLER,KÖLN\nSCHÄFER,MÜNCHEN\n",
        "a,b\nx – y,1\n",
        "a\n“quoted”\n",
        "a,b\nnaïve,1\n",
        "temp\n5°\n10°\n",
        "a,b\n3×4,2\n",
        "price\n€5\n€7\n",
        "price\n5 €\n",
        "a\nCafé “Zoë”\n",
        "area\n5 m²\n7 km²\n",
        "a\nJosé’s\n",
        "a\nrock ’n’ roll\n",
        "vol\n5 m³\n",
        "a\n±5\n",
        "id,dir\n1,N 45° W\n",
        "a\nEL NIÑO\nLA NIÑA\n",
        "a\nCOÛT\n",
        "k\n§ 5\n",
        "k\n© 2020 Foo\n",
        "k\nFoo® bar\n",
        "k\nÉtat\n",
        "k,v\nÀ la carte,1\n",
        "nr\nn° 5\n",
        "nr\nNº 5\n",
        "k\n¿Qué?\n¡Hola!\n",
        "k\n10\xa0000\n",
        "k\nfoo•bar\n",
        "k\n• foo\n",
        "k\n‰ 5\n",
        "k\nIt´s\n",
        "k\nL’école\nl’été\n",
        "k\nd’Azur\n",
        "id,k\n1,Ærø\n",
        "id,k\n1,Ísland\n2,Það\n",
        "k\nÞór\nGuðrún\nað\n",
        "k\nŒuvre\n",
        "k,v\nsmörgåsbord,1\n",
    ],
    "cp1254": [
        "ürün,fiyat\nçay,5\nşeker,7\nekmeği,9\n",
        "il\nDiyarbakır\nMuş\n",
        "AD\nIŞIK\nÇAĞRI\nGÜNEŞ\n",
    ],
    "cp1257": [
        "k\nRĪGA\nJŪRMALA\n",
        "k\nšiltas\nžalias\n",
        "prekė,kaina\nsūris,5\nmėsa,7\nžuvis,3\n",
        "prece,cena\nsiers,5\nāboli,7\nšķīvis,3\n",
        "kaup,hind\nõun,5\njäätis,2\nšokolaad,9\n",
        "NIMI\nŠIAULIAI\nPANEVĖŽYS\n",
    ],
    "cp1251": [
        "k\n№ 12\n№ 13\n",
        "k\nКИЇВ\nЛЬВІВ\n",
        "k\n«Союз»\n",
        "товар;цена\nХлеб;5\n",
        "id,стока\n1,мляко\n2,сирене\n",
        "артикул,назив\n1,Љубица\n2,Ђорђе\n",
        "id,n\n1,да\n2,нет\n",
        "id,name\n1,ИВАНОВ\n2,ПЕТРОВ\n",
        "ФИО;ГОРОД\nСИДОРОВА АННА;КАЗАНЬ\n",
        "id,name\n1,ООО «Ромашка»\n",
        "id,вес\n1,5 кг\n",
        "id,no\n1,№ 5\n",
        "х\nЁлка\n",
        "k\nъгъл\nбългария\n",
        "k\nчай\n",
    ],
    "koi8_r": [
        "k\nСОЮЗ\nМИР\n",
        "id,товар\n1,хлеб\n2,молоко\n",
        "id,name\n1,Петров Сергей\n",
        "ФИО\nИВАНОВ\nПЕТРОВ\n",
        "k\nобъект\nсъезд\n",
        "товар\nчай\nкофе\nсахар\n",
    ],
    "cp866": [
        "товар;цена\nХлеб;5\nМолоко;7\n",
        "id,name\n1,Петров Сергей\n2,Сидорова Анна\n",
        "ФИО\nИВАНОВ\nПЕТРОВ\n",
    ],
    "cp1253": [
        "k\nΚώστας\nΝίκος\n",
        "προϊόν,τιμή\nψωμί,5\nγάλα,7\n",
        "id,name\n1,ΠΑΠΑΔΟΠΟΥΛΟΣ\n2,ΝΙΚΟΣ\n",
        "ΟΝΟΜΑ\nΓΕΩΡΓΙΟΣ\nΜΑΡΙΑ\n",
        "k\nκαφές\nτσάι\n",
    ],
    "cp1255": [
        "מוצר,מחיר\nלחם,5\nחלב,7\n",
        "id,name\n1,דוד כהן\n",
        "k\nתה\nקפה\nסוכר\n",
    ],
    "cp1256": [
        "المنتج,السعر\nخبز,5\nحليب,7\n",
        "id,name\n1,محمد علي\n",
        "اسم\nفاطمة\n",
        "k\nشاي\nقهوة\n",
    ],
    "cp850": [
        "art;preis\nKäse;5\nBrötchen;2\nGemüse;9\n",
        "nom,ville\nHélène,Orléans\nAndré,Besançon\n",
        "ORT\nKÖLN\nMÜNCHEN\n",
    ],
    "cp437": [
        "name,city\nAndré,Zürich\nMünch,Köln\n",
    ],
    "mac_roman": [
        "nom,ville\nHélène,Orléans\nAndré,Besançon\n",
        "art;preis\nKäse;5\nBrötchen;2\n",
        "k\ndon’t\n",
        "k\n5 €\n",
    ],
    "cp852": [
        "imię,miasto\nŁukasz,Łódź\nŻaneta,Gdańsk\n",
    ],
    "iso8859_2": [
        "id,město\n1,Plzeň\n2,Šumperk\n3,Žďár\n",
    ],
    "cp932": [
        "商品,値段\nりんご,100\nみかん,50\n",
        "id,name\n1,ﾀﾅｶ ﾀﾛｳ\n2,ｽｽﾞｷ\n",
        "商品名\nテーブル\n",
        "ｶﾅ\nｽｽﾞｷ ｲﾁﾛｳ\nﾔﾏﾀﾞ ﾊﾅｺ\n",
        "口座,名義\n123,ｶ)ﾄﾖﾀ\n",
        "品名,数量\nｺｰﾋｰ,5\n紅茶(ｱｰﾙｸﾞﾚｲ),3\n緑茶,7\n",
        "取引日,摘要,金額\n2024/01/05,ﾃﾞﾝｷﾘﾖｳｷﾝ,5000\n2024/01/06,給与,200000\n",
    ],
    "euc_jp": [
        "商品,値段\nりんご,100\nみかん,50\n",
        "商品名\nテーブル\n",
        "品名,数量\nコーヒー,5\n紅茶,3\n",
    ],
    "gb18030": [
        "商品,价格\n苹果,5\n",
        "id,name\n1,王小明\n",
        "城市\n上海\n",
    ],
    "big5": [
        "商品,價格\n蘋果,5\n香蕉,3\n",
        "id,name\n1,王小明\n2,陳大文\n",
        "姓名\n王小明\n",
    ],
    "cp949": [
        "상품,가격\n사과,100\n",
        "이름\n김영희\n이철수\n박민수\n",
    ],
    "cp874": [
        "สินค้า,ราคา\nข้าว,5\nปลา,9\n",
        "ชื่อ\nสมหญิง\n",
    ],
}
# Read as another encoding, which is told together with the right one.
UNPROVEN = {
    "cp1250": [
        "kod,nazwa\n1,Żółw\n2,Kąt\n",
        "id,opis\n1,śruba\n2,nakrętka\n3,wkręt\n",
    ],
    "cp1254": [
        "ad\nÇağrı\n",
    ],
    "cp949": [
        "id,name\n1,홍길동\n",
    ],
    "cp932": [
        "品名\nｺｰﾋｰ\nｹｰｷ\n",
        "氏名,ﾌﾘｶﾞﾅ\n鈴木一郎,ｽｽﾞｷ ｲﾁﾛｳ\n山田花子,ﾔﾏﾀﾞ ﾊﾅｺ\n佐藤次郎,ｻﾄｳ ｼﾞﾛｳ\n",
    ],
    "mac_roman": [
        "k\nGrüße\nStraße\n",
    ],
    "cp1255": [
        "שם\nרחל\nיעקב\n",
    ],
    "cp1251": [
        "k\nобъект\n",
    ],
}
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
    assert "2 lines are not UTF-8, unlike the others: read as cp1252; cp1257 or cp1250 would fit, too" in notes
    assert found[3] == "Łódź 0"


def test_bytes_that_the_guess_does_not_have_are_told(tmp_path: Path) -> None:
    lines = ["id,name", *(f"{n},Łódź {n}" for n in range(20))]
    far = b"\n" + b"30,caf\xe9\n" * 40_000 + b"31,\x81\x8d\n32,\x81\n"
    found, notes = cells(tmp_path, "\n".join(lines * 4_000).encode() + far)
    assert found[-4:] == ["31", "\N{REPLACEMENT CHARACTER}" * 2, "32", "\N{REPLACEMENT CHARACTER}"]
    assert any("3 bytes that cp1252 does not have" in note for note in notes)


@pytest.mark.parametrize("count", [1, 3])
def test_nul_characters_that_are_left_out_are_told(tmp_path: Path, count: int) -> None:
    found, notes = cells(tmp_path, b"id,name\n" + b"1,Bob\n" * 100 + b"1,A" + b"\0" * count + b"nn\n")
    assert found[-2:] == ["1", "Ann"]
    assert f"{count} NUL character{'' if count == 1 else 's'} left out" in notes


def test_another_encoding_that_fits_as_well_is_told(tmp_path: Path) -> None:
    _, notes = cells(tmp_path, "name,city\nJosé Núñez,Málaga\nZoë,Köln\n".encode("cp1252"))
    assert any("read as cp1252; cp1250" in note and "would fit, too" in note for note in notes)


@pytest.mark.parametrize("encoding", SHORT)
def test_letters_of_short_texts_are_kept(tmp_path: Path, encoding: str) -> None:
    for text in SHORT[encoding]:
        assert _decoded(tmp_path, text, encoding)[0] == text


@pytest.mark.parametrize("encoding", UNPROVEN)
def test_letters_that_prove_little_tell_the_other_encodings(tmp_path: Path, encoding: str) -> None:
    for text in UNPROVEN[encoding]:
        assert text in _decoded(tmp_path, text, encoding)


def _decoded(folder: Path, text: str, encoding: str) -> list[str]:
    """A text as the guess reads it, then as the other encodings would that are told."""
    path = folder / "text"
    path.write_bytes(text.encode(encoding))
    found = guess(path)
    return [path.read_bytes().decode(name) for name in (found.name, *found.others)]
