"""Frames (decoded rows as Arrow arrays), and how frames are fitted into the columns of a dataset.

A reader turns any request body into frames. Detecting a schema change, applying the change and fitting the values are
separate steps. The change is a value that can be inspected first (like the extract / normalize split of dlt).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import msgspec
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from atlas.timeseries.columns import EXACT_FLOAT, MAX_PHYSICAL_COLUMNS, Column, Dtype

TIMESTAMP = pa.timestamp("us", tz="UTC")

ARROW_TYPES = {
    Dtype.INT: pa.int64(),
    Dtype.FLOAT: pa.float64(),
    Dtype.BOOLEAN: pa.bool_(),
    Dtype.STRING: pa.string(),
}
_DTYPES = {arrow: dtype for dtype, arrow in ARROW_TYPES.items()}


@dataclass(frozen=True, slots=True)
class Frame:
    """Rows as arrays of one length.

    - ts: timestamp[us, UTC] without nulls.
    - columns: key to an int64, float64, bool or string array, null where the row lacks the key.
    - extra: string array of JSON members (`"key":value,…`, no braces) that no column holds, or None.
    - extra_keys: the keys in `extra`.
    - notes: unit and description of keys, where the file has them.
    - order: the place in the body of each row, or None for rows in the body's order.
    """

    ts: pa.Array
    columns: Mapping[str, pa.Array] = field(default_factory=dict)
    extra: pa.Array | None = None
    extra_keys: frozenset[str] = frozenset()
    notes: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    order: pa.Array | None = None

    def __len__(self) -> int:
        return len(self.ts)

    @property
    def nbytes(self) -> int:
        more = [array for array in (self.extra, self.order) if array is not None]
        arrays = [self.ts, *self.columns.values(), *more]
        return sum(array.nbytes for array in arrays)

    def sorted(self) -> Frame:
        """Sorts the rows by time. Rows with equal times keep their order."""
        micros = self.ts.cast(pa.int64()).to_numpy(zero_copy_only=False)
        if len(micros) < 2 or bool((micros[1:] >= micros[:-1]).all()):
            return self
        order = pa.array(micros.argsort(kind="stable"))
        return replace(self.take(order), order=order if self.order is None else self.order.take(order))

    def take(self, rows: pa.Array) -> Frame:
        """Returns rows by their indices."""
        return replace(
            self,
            ts=self.ts.take(rows),
            columns={name: array.take(rows) for name, array in self.columns.items()},
            extra=None if self.extra is None else self.extra.take(rows),
            order=None if self.order is None else self.order.take(rows),
        )


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """The changes of a write to a dataset's columns: keys to add, and int columns to turn into float."""

    add: Mapping[str, Dtype]
    widen: tuple[Column, ...]

    @property
    def empty(self) -> bool:
        return not self.add and not self.widen


def dtype_of(array: pa.Array) -> Dtype:
    """Returns the column type that holds every value of a frame's array."""
    return _DTYPES[array.type]


def plan_schema(existing: Mapping[str, Column], frames: Iterable[Frame]) -> SchemaChange:
    """Plans the change that lets `existing` columns hold `frames`.

    An inferred int column that meets a fraction becomes float. Any other clash changes nothing: the values that do not
    fit go to the overflow column.
    """
    add: dict[str, Dtype] = {}
    widen: dict[str, Column] = {}
    room = MAX_PHYSICAL_COLUMNS - sum(1 for column in existing.values() if column.physical)
    for frame in frames:
        for name, array in frame.columns.items():
            column = existing.get(name)
            if column is not None and column.dtype is not Dtype.JSON:
                if column.dtype is Dtype.INT and not column.declared and has_fraction(array):
                    widen[name] = column
                continue
            new = dtype_of(array)
            if array.null_count == len(array):
                continue
            old = add.get(name)
            if old is None or old is Dtype.JSON or (old is Dtype.INT and new is Dtype.FLOAT):
                add[name] = new
        for name in frame.extra_keys:
            if name not in existing:
                add.setdefault(name, Dtype.JSON)
    for name, dtype in add.items():
        if dtype is not Dtype.JSON:
            room -= 1
            if room < 0:
                add[name] = Dtype.JSON
    new_names = {n: d for n, d in add.items() if n not in existing or d is not Dtype.JSON}
    return SchemaChange(new_names, tuple(widen.values()))


def has_fraction(array: pa.Array) -> bool:
    """Checks whether a float array has a value that no int64 equals."""
    if array.type != pa.float64() or array.null_count == len(array):
        return False
    whole = pc.and_(pc.equal(pc.floor(array), array), pc.less(pc.abs(array), float(EXACT_FLOAT)))
    return not pc.all(whole).as_py()


def fit(frame: Frame, columns: Mapping[str, Column]) -> pa.Table:
    """Converts a frame to a table of `ts`, the physical columns and, where needed, `_extra` (JSON text).

    Values that their column cannot hold exactly move to `_extra`. Nothing is rounded or dropped.
    """
    arrays: dict[str, pa.Array] = {"ts": frame.ts}
    spilled: list[pl.Series] = []
    for name, array in frame.columns.items():
        if array.null_count == len(array):
            continue
        column = columns[name]
        if column.physical is None:
            spilled.append(members(name, pl.Series(array)))
            continue
        stored, rest = _fit_array(array, column.dtype)
        if stored is not None:
            arrays[column.physical] = stored
        if rest is not None:
            spilled.append(members(name, pl.Series(rest)))
    if frame.extra is not None and frame.extra.null_count < len(frame):
        spilled.append(pl.Series(frame.extra).cast(pl.String))
    if spilled:
        arrays["_extra"] = _wrap(join_members(spilled)).to_arrow().cast(pa.string())
    return pa.table(arrays)


def _fit_array(array: pa.Array, dtype: Dtype) -> tuple[pa.Array | None, pa.Array | None]:
    """Splits `array` into the part that a column of `dtype` holds and the part that does not fit."""
    target = ARROW_TYPES[dtype]
    if array.type == target:
        return array, None
    if dtype is Dtype.FLOAT and array.type == pa.int64():
        limit = pa.scalar(EXACT_FLOAT, pa.int64())
        fits = pc.and_(pc.less_equal(array, limit), pc.greater_equal(array, pa.scalar(-EXACT_FLOAT, pa.int64())))
    elif dtype is Dtype.INT and array.type == pa.float64():
        fits = pc.and_(pc.equal(pc.floor(array), array), pc.less(pc.abs(array), float(EXACT_FLOAT)))
    else:
        return None, array
    nothing = pa.scalar(None, array.type)
    stored = pc.if_else(fits, array, nothing).cast(target)
    if pc.all(fits).as_py():
        return stored, None
    return stored, pc.if_else(fits, nothing, array)


def nested_to_json(array: pa.Array) -> pa.Array:
    """Converts each value of any Arrow type to JSON text, and null to null.

    Raises UnicodeDecodeError: when a name inside the type is not UTF-8.
    Raises ArrowInvalid: when a struct has a field twice.
    Raises ArrowNotImplementedError: when JSON has no values for the type.
    """
    _read_names(array.type)
    try:
        values = pl.Series(array)
        texts = encode_values(values)
    except pl.exceptions.PanicException as error:
        # polars raises no Exception here (bytes inside a list are one case), so a handler of errors would miss it.
        raise pa.ArrowNotImplementedError(f"{array.type} cannot be written as JSON") from error
    return texts.set(values.is_null(), None).to_arrow().cast(pa.string())


def _read_names(kind: pa.DataType) -> None:
    """Reads each name in a type, because polars panics on a name that is not UTF-8, which no error handler expects."""
    if pa.types.is_struct(kind):
        fields = [kind.field(index) for index in range(kind.num_fields)]
        if len({field.name for field in fields}) < len(fields):
            raise pa.ArrowInvalid(f"{kind} has two fields of one name")
    elif pa.types.is_map(kind):
        fields = [kind.key_field, kind.item_field]
    elif pa.types.is_dictionary(kind):
        return _read_names(kind.value_type)
    else:
        fields = [kind.value_field] if pa.types.is_nested(kind) and hasattr(kind, "value_field") else []
    for inner in fields:
        assert isinstance(inner.name, str)
        _read_names(inner.type)


def encode_values(values: pl.Series) -> pl.Series:
    """Encodes each value as JSON text."""
    return values.rename("v").to_frame().select(as_json(pl.col("v"))).to_series()


def as_json(value: pl.Expr) -> pl.Expr:
    """Builds the expression that encodes a value as JSON text."""
    wrapped = pl.struct(value.alias("v")).struct.json_encode()
    return wrapped.str.strip_prefix('{"v":').str.strip_suffix("}")


def members(name: str, values: pl.Series) -> pl.Series:
    """Encodes each value as a JSON member `"name":value`, and null as null."""
    return values.rename("v").to_frame().select(member(name, pl.col("v"), values.dtype)).to_series()


def raw_members(name: str, texts: pl.Series) -> pl.Series:
    """Builds members like `members`, from values that are JSON texts already."""
    return pl.lit(f"{msgspec.json.encode(name).decode()}:").pipe(
        lambda key: texts.rename("v").to_frame().select(key + pl.col("v")).to_series()
    )


def member(name: str, value: pl.Expr, dtype: pl.DataType, *, before: str = "") -> pl.Expr:
    """Builds an expression like `members`, with `before` in front. `dtype` is the type of the values."""
    key = pl.lit(f"{before}{msgspec.json.encode(name).decode()}:")
    text = as_json(value) if dtype == pl.String else value.cast(pl.String)
    return pl.when(value.is_not_null()).then(key + text)


def join_members(parts: list[pl.Series]) -> pl.Series:
    """Joins the members of each row by commas. A row without members is null."""
    if len(parts) == 1:
        return parts[0]
    frame = pl.DataFrame([part.alias(str(index)) for index, part in enumerate(parts)])
    joined = frame.select(pl.concat_str(pl.all(), separator=",", ignore_nulls=True)).to_series()
    return joined.set(joined == "", None)


def _wrap(parts: pl.Series) -> pl.Series:
    return "{" + parts + "}"
