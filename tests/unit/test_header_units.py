"""Units that files say: in brackets, in a line below the names, beside the header."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.staged_tables import table

from atlas.imports.infer.header_units import header_unit, header_units, without_units
from atlas.kit.field_metadata import header_note, parse_field_metadata, parse_header_note

WITH = [
    ("speed [km/h]", "speed", "km/h"),
    ("precip_rate[m/s]", "precip_rate", "m/s"),
    ("Distance (mi)", "Distance", "mi"),
    ("PM2.5 [µg/m³]", "PM2.5", "µg/m³"),
    ("accel [m s-2]", "accel", "m s-2"),
    ("cost (€/m²)", "cost", "€/m²"),
    ("Temperature (°C)", "Temperature", "°C"),
    ("humidity [%]", "humidity", "%"),
    ("U [V]", "U", "V"),
]
WITHOUT = [
    "a (b)",
    "ratio (a/b)",
    "x [1]",
    "Name (optional)",
    "speed [m/s)",
    "[m]",
    "kind (int)",
    "Group (B)",
    "m/s",
    "",
]


@pytest.mark.parametrize(("header", "name", "unit"), WITH)
def test_headers_with_units(header: str, name: str, unit: str) -> None:
    said = header_unit(header)
    assert said is not None
    assert (said.name, said.unit) == (name, unit)


@pytest.mark.parametrize("header", WITHOUT)
def test_headers_without_units(header: str) -> None:
    assert header_unit(header) is None


def test_words_in_brackets_that_tell_siblings_apart_are_no_units() -> None:
    for headers in (["Group (A)", "Group (B)"], ["Temp (min)", "Temp (max)"], ["low (min)", "max temp"]):
        assert header_units(headers) == [None, None]
    assert header_units(["Dep. Delay (min)"])[0] is not None


def test_square_brackets_are_no_part_of_a_name_unless_it_would_be_there_twice() -> None:
    headers = ["temp [C]", "temp [F]", "v [m/s]", "Distance (mi)", "d [km]", "D"]
    assert without_units(headers, [True] * 6) == ["temp [C]", "temp [F]", "v", "Distance (mi)", "d [km]", "D"]
    assert without_units(headers, [False] * 6) == headers


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("time,voltage,current\ns,V,A\n0,4.14,0.1\n1,4.15,0.2\n", {0: "s", 1: "V", 2: "A"}),
        ("item,weight,price\n-,[kg],(EUR)\ntea,1.5,2\nrum,2.5,9\n", {1: "kg", 2: "EUR"}),
        ("id,name\nint,varchar\n1,x\n2,y\n", {}),
    ],
)
def test_a_line_of_units(tmp_path: Path, text: str, units: dict[int, str]) -> None:
    assert table(tmp_path, text)[2].units == units


LINES = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=40)


@given(LINES | st.just(""), st.lists(LINES, max_size=4).map("\n".join))
def test_what_is_said_of_a_column_comes_back(unit: str, description: str) -> None:
    assert parse_header_note(header_note(unit, description)) == (unit, description)
    assert parse_field_metadata({b"unit": unit.encode(), b"description": description.encode()}) == (unit, description)


def test_what_can_be_no_unit_is_left_out() -> None:
    assert parse_field_metadata({b"units": b" km ", b"comment": b"x"}) == ("km", "x")
    assert parse_field_metadata({b"unit": b"k\x00m", b"description": b"x" * 1001}) == ("", "")
    for text in ("Peter: is that right?", "", "the unit: km"):
        assert parse_header_note(text) == ("", "")
