"""Few rows of Arrow read without a native reader come out as they do with one, or are left to it."""

from __future__ import annotations

import io
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas.errors import AtlasError
from atlas.timeseries.frames import Frame
from atlas.timeseries.ingest import arrow_small, tabular

CLOCKS = [pa.timestamp(unit, zone) for unit in ("s", "ms", "us", "ns") for zone in (None, "UTC", "Europe/Berlin")]
PLAIN = [
    pa.int8(),
    pa.int16(),
    pa.int32(),
    pa.int64(),
    pa.uint8(),
    pa.uint16(),
    pa.uint32(),
    pa.float32(),
    pa.float64(),
]
PLAIN += [pa.bool_(), pa.string(), pa.large_string()]
ODD = [pa.uint64(), pa.float16(), pa.binary(), pa.date32(), pa.decimal128(9, 2), pa.timestamp("us"), pa.null()]
ODD += [pa.list_(pa.int64()), pa.dictionary(pa.int8(), pa.string()), pa.string_view(), pa.duration("s")]
SAMPLES: dict[str, list[Any]] = {
    "f": [0.5, -0.0, 1.0, float("nan"), 1e300, None],
    "s": ["a", "", "ä€", "x\0", None],
    "b": [True, False, None],
    "i": [0, 1, 100, None],
}


def cells(kind: pa.DataType, rows: int) -> st.SearchStrategy[list[Any]]:
    if pa.types.is_floating(kind):
        values = st.sampled_from(SAMPLES["f"]) if kind.bit_width > 16 else st.just(None)
    elif pa.types.is_integer(kind):
        values = st.sampled_from(SAMPLES["i"])
    elif kind == pa.bool_():
        values = st.sampled_from(SAMPLES["b"])
    elif kind in (pa.string(), pa.large_string(), pa.string_view()):
        values = st.sampled_from(SAMPLES["s"])
    else:
        values = st.just(None)
    return st.lists(values, min_size=rows, max_size=rows)


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    rows = draw(st.sampled_from([1, 1, 2, 9, 0]))
    clock = draw(st.sampled_from(CLOCKS))
    moments = st.lists(
        st.sampled_from([0, 1_000, -1, 1_735_689_600, 2**61, *([None] * (rows > 5))]), min_size=rows, max_size=rows
    )
    arrays, names = [pa.array(draw(moments), clock)], [draw(st.sampled_from(["timestamp", "ts", "Time"]))]
    for index in range(draw(st.integers(0, 3))):
        kind = draw(st.sampled_from([*PLAIN, *PLAIN, *ODD]))
        arrays.append(pa.array(draw(cells(kind, rows)), kind))
        names.append(draw(st.sampled_from(["a", f"c{index}", f"ä{index}", "values.timestamp"])))
    table = pa.table(arrays, names=names)
    # A slice has offsets, which a writer cuts or keeps.
    return table.slice(draw(st.integers(0, 1))) if rows > 1 else table


def stream(table: pa.Table, **options: Any) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def usual(body: bytes) -> Frame | str:
    try:
        frames = list(tabular.read_arrow(io.BytesIO(body), None, None))
    except AtlasError as error:
        return str(error)
    return frames[0] if len(frames) == 1 else "no frame, or several"


def same(one: Frame, other: Frame) -> bool:
    def columns(frame: Frame) -> dict[str, tuple[pa.DataType, list[str]]]:
        full = {name: array for name, array in frame.columns.items() if array.null_count < len(array)}
        return {name: (array.type, [repr(value) for value in array.to_pylist()]) for name, array in full.items()}

    return one.ts.equals(other.ts) and columns(one) == columns(other) and other.extra is None and not other.notes


def check(body: bytes) -> bool:
    found = arrow_small.decode(body, 1)
    if found is None:
        return False
    expected = usual(body)
    assert isinstance(expected, Frame), (body, expected)
    assert same(found.frame(), expected), (body, found, expected)
    return True


def padded_wrong(body: bytes) -> bool:
    """Whether a native reader minds bytes of the messages that mean nothing."""
    try:
        return not pa.ipc.open_stream(body).read_all()
    except (pa.ArrowInvalid, OSError) as error:
        return "Invalid flatbuffers message" in str(error)


@given(tables(), st.booleans())
@settings(max_examples=100, deadline=None)
def test_rows_are_those_of_the_native_reader(table: pa.Table, old: bool) -> None:
    version = pa.ipc.MetadataVersion.V4 if old else pa.ipc.MetadataVersion.V5
    check(stream(table, metadata_version=version))


TABLE = pa.table(
    {
        "timestamp": pa.array([0, 1], pa.timestamp("us")),
        "a": [1, None],
        "b": ["x", "yz"],
        "c": [0.5, 1.5],
        "d": [True, None],
    }
)


def test_usual_streams_are_plain() -> None:
    for kind in PLAIN:
        values = (
            pa.array([1, None, 0], pa.int8()).cast(kind) if kind.id not in (13, 34) else pa.array(["a", None, ""], kind)
        )
        table = pa.table({"timestamp": pa.array([0, 1, 2], pa.timestamp("ms", "UTC")), "a": values})
        assert check(stream(table)), kind
        # Pandas and others note their index and types for the whole table.
        assert check(stream(table.replace_schema_metadata({"pandas": "{}"})))
    assert check(stream(TABLE))
    assert check(stream(TABLE)[:-8])


@pytest.mark.parametrize(
    "body",
    [
        stream(TABLE) + stream(TABLE),
        stream(pa.concat_tables([TABLE, TABLE])),
        stream(TABLE, compression="lz4"),
        stream(
            pa.table([TABLE["timestamp"]], pa.schema([pa.field("timestamp", pa.timestamp("us"), metadata={"a": "b"})]))
        ),
        stream(TABLE)[8:],
        stream(TABLE) + b"more",
        b"",
    ],
)
def test_others_are_left(body: bytes) -> None:
    assert arrow_small.decode(body, 1) is None


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_damage_is_found(data: st.DataObject) -> None:
    """A changed byte gives what the native reader gives of it, or is left to it; and nothing else happens."""
    body = bytearray(stream(TABLE))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at] = data.draw(st.sampled_from([0, 1, 2, 4, 8, 127, 128, 255, body[at] ^ 1]))
    if arrow_small.decode(bytes(body), 1) is not None and not padded_wrong(bytes(body)):
        check(bytes(body))
