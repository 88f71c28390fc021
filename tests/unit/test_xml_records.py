"""XML: everything within a record is kept, with what belongs together, and the rest is told."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from atlas.imports.files.xml import read_xml

Row = dict[str, str]


def _read(tmp_path: Path, text: str) -> tuple[list[Row], str]:
    (tmp_path / "f.xml").write_text(text)
    source = read_xml(tmp_path / "f.xml", "f.xml")
    rows = [
        {name: cell for name, cell in zip(source.names, row.values(), strict=True) if cell is not None}
        for batch in source.batches
        for row in batch.to_pylist()
    ]
    return rows, "\n".join(source.notes)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        (
            "<r><i id='7'><id>8</id></i><i id='9'><id>10</id></i></r>",
            [{"id": "7", "id_2": "8"}, {"id": "9", "id_2": "10"}],
        ),
        ("<r><i><a b='1'><b>2</b></a><a_b>3</a_b></i><i/></r>", [{"a_b": "1", "a_b_2": "2", "a_b_3": "3"}, {}]),
        (
            "<r xmlns:a='x' xmlns:b='y'><i><a:id>1</a:id><b:id>2</b:id><a:n>3</a:n></i><i/></r>",
            [{"a_id": "1", "b_id": "2", "n": "3"}, {}],
        ),
        (
            "<r><i><t>Hello <b>bold</b> world</t></i><i><t>plain</t></i></r>",
            [{"t_text": "Hello bold world", "t_b": "bold"}, {"t": "plain"}],
        ),
        (
            "<r><p>One <a href='u'>two</a> three<br/> four</p><p>five</p></r>",
            [{"text": "One two three four", "a_href": "u", "a": "two"}, {"p": "five"}],
        ),
        ("<r><i><t><b>first</b> last</t></i><i/></r>", [{"t_text": "first last", "t_b": "first"}, {}]),
        (
            "<r><o><item><s>x</s><q>1</q></item><item><s>y</s></item></o><o><item><s>w</s></item></o></r>",
            [{"item": '[{"s":"x","q":"1"},{"s":"y"}]'}, {"item": '[{"s":"w"}]'}],
        ),
        (
            "<r><i><tel kind='home'>1</tel><tel kind='work'>2</tel><tel>3</tel></i><i/></r>",
            [{"tel": '[{"kind":"home","text":"1"},{"kind":"work","text":"2"},{"text":"3"}]'}, {}],
        ),
        (
            "<r><i><e id='1'><id>2</id><x>a<y>b</y>c</x></e><e/></i><i/></r>",
            [{"e": '[{"id":"1","id_2":"2","x":{"y":"b","text":"abc"}},{}]'}, {}],
        ),
        (
            "<r><i><k>a</k><v>1</v><k>b</k><v/><k>c</k><v>3</v></i><i/></r>",
            [{"k": '["a","b","c"]', "v": '["1",null,"3"]'}, {}],
        ),
        ("<r><i><tag>a;b</tag><tag>c</tag></i><i><tag>d</tag></i></r>", [{"tag": '["a;b","c"]'}, {"tag": '["d"]'}]),
        ("<r><i><tag>a</tag><tag>b</tag></i><i/></r>", [{"tag": "a; b"}, {}]),
        (
            "<r><o><g><n>1</n><m>a</m><m>b</m></g><g><n>2</n></g></o><o/></r>",
            [{"g": '[{"n":"1","m":["a","b"]},{"n":"2"}]'}, {}],
        ),
    ],
)
def test_all_of_a_record_is_kept(tmp_path: Path, text: str, rows: list[Row]) -> None:
    assert _read(tmp_path, text)[0] == rows


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "<order number='A17'><customer>Ann</customer><items><item><s>x</s></item><item><s>y</s></item></items>"
            "</order>",
            "outside of the <item> records: number of <order> = 'A17', <customer> = 'Ann'",
        ),
        (
            "<d><us><u><n>1</n></u><u><n>2</n></u><u><n>3</n></u></us><os><o><n>1</n></o><o><n>2</n></o></os></d>",
            "outside of the <u> records: <os>",
        ),
        (
            "<r><meta/><meta/><i a='1'/><i a='2'/><note>x<y z='1'/></note></r>",
            "2 <meta>, <note> (the text of <note>, <y> (z",
        ),
        (
            "<r><i><a>1</a></i><i><a>2</a></i><head><by>Ann</by><x v='3'/></head></r>",
            "<head> (<by> = 'Ann', <x> (v of <x> = '3'))",
        ),
    ],
)
def test_what_stands_outside_of_the_records_is_told(tmp_path: Path, text: str, told: str) -> None:
    assert told in _read(tmp_path, text)[1]


def test_lists_are_told(tmp_path: Path) -> None:
    notes = _read(tmp_path, "<r><o><i><s>x</s></i><i><s>y</s></i></o><o/></r>")[1]
    assert "elements that repeat within a record are kept as JSON lists, in 'i'" in notes
    assert "not read" not in notes


@pytest.mark.parametrize("inner", ["<t>a</t>" * 400_000, "<p>" + "x<b>a</b>" * 400_000 + "</p>"], ids=["list", "mixed"])
def test_many_elements_of_one_record_take_time_in_proportion(tmp_path: Path, inner: str) -> None:
    began = time.process_time()
    rows, _ = _read(tmp_path, f"<r><i>{inner}</i><i/></r>")
    # It takes about one; where each text was copied for the next, twelve.
    assert time.process_time() - began < 7
    assert sum(map(len, rows[0].values())) > 1_000_000
