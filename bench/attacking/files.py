"""Small files that ask for much."""

from __future__ import annotations

import gzip
import io
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

_TYPES = (
    '<?xml version="1.0"?><Types xmlns="{ns}package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/xl/workbook.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
    '<Override PartName="/xl/worksheets/sheet1.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>'
    '<Override PartName="/xl/sharedStrings.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/></Types>'
)
_NS = "http://schemas.openxmlformats.org/"


def workbook(rows: str, strings: str = "") -> bytes:
    """An xlsx file of one sheet with these `<row>` elements and `<si>` shared strings."""
    out = io.BytesIO()
    relation = '<?xml version="1.0"?><Relationships xmlns="{ns}package/2006/relationships">{all}</Relationships>'
    one = '<Relationship Id="rId{id}" Type="{ns}officeDocument/2006/relationships/{kind}" Target="{target}"/>'
    main = f'xmlns="{_NS}spreadsheetml/2006/main"'
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("[Content_Types].xml", _TYPES.format(ns=_NS))
        first = one.format(id=1, ns=_NS, kind="officeDocument", target="xl/workbook.xml")
        book.writestr("_rels/.rels", relation.format(ns=_NS, all=first))
        parts = one.format(id=1, ns=_NS, kind="worksheet", target="worksheets/sheet1.xml")
        parts += one.format(id=2, ns=_NS, kind="sharedStrings", target="sharedStrings.xml")
        book.writestr("xl/_rels/workbook.xml.rels", relation.format(ns=_NS, all=parts))
        book.writestr(
            "xl/workbook.xml",
            f'<?xml version="1.0"?><workbook {main} xmlns:r="{_NS}officeDocument/2006/relationships">'
            '<sheets><sheet name="s" sheetId="1" r:id="rId1"/></sheets></workbook>',
        )
        sheet = f'<?xml version="1.0"?><worksheet {main}><sheetData>{rows}</sheetData></worksheet>'
        book.writestr("xl/worksheets/sheet1.xml", sheet)
        book.writestr("xl/sharedStrings.xml", f'<?xml version="1.0"?><sst {main}>{strings}</sst>')
    return out.getvalue()


def far_cells(*cells: str) -> bytes:
    """A workbook with A1 and cells far from it, such as XFD1048576."""
    rows = '<row r="1"><c r="A1"><v>1</v></c></row>'
    for cell in cells:
        row = cell.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
        rows += f'<row r="{row}"><c r="{cell}"><v>1</v></c></row>'
    return workbook(rows)


def shared_strings(cells: int = 40_000, length: int = 32_000) -> bytes:
    """A workbook in which many cells show one long text."""
    rows = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(1, cells + 1))
    return workbook(rows, f"<si><t>{'x' * length}</t></si>")


def wide_csv(columns: int) -> bytes:
    return (",".join(f"c{n}" for n in range(columns)) + "\n" + ",".join("1" * columns) + "\n").encode()


def one_cell_csv(size: int) -> bytes:
    return b"a,b\n1," + b"x" * size + b"\n"


def parquet_dictionary(rows: int = 5_000_000, length: int = 1_000) -> bytes:
    """A Parquet file of a few hundred kilobytes whose texts are gigabytes."""
    values = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array(["y" * length]))
    out = io.BytesIO()
    pq.write_table(pa.table({"a": values}), out, compression="zstd")
    return out.getvalue()


def parquet_nested(depth: int = 60) -> bytes:
    kind = pa.int64()
    value: object = 1
    for _ in range(depth):
        kind, value = pa.list_(kind), [value]
    out = io.BytesIO()
    pq.write_table(pa.table({"a": pa.array([value], kind)}), out)
    return out.getvalue()


def arrow_with_lies() -> bytes:
    """An Arrow stream whose lengths are damaged."""
    table = pa.table({"timestamp": pa.array(["2026-01-01"] * 100), "a": pa.array(range(100))})
    out = io.BytesIO()
    with pa.ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table)
    body = bytearray(out.getvalue())
    at = body.rindex((100).to_bytes(8, "little"))
    body[at : at + 8] = (2**62).to_bytes(8, "little")
    return bytes(body)


def brackets(depth: int, kind: str = "[") -> bytes:
    closing = {"[": "]", "{": "}"}[kind]
    inner = '{"a":' if kind == "{" else "["
    return (inner * depth + "1" + closing * depth).encode()


def gzip_bomb(megabytes: int = 2_000) -> bytes:
    """A gzip file of zeros, a thousandth of its content's size."""
    out = io.BytesIO()
    block = b"0" * 2**20
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=9) as file:
        for _ in range(megabytes):
            file.write(block)
    return out.getvalue()


def zip_of(name: str, content: bytes, times: int = 1) -> bytes:
    """`content` in a zip in a zip, and so on."""
    for level in range(times):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name if level == 0 else f"{level}.zip", content)
        content = out.getvalue()
    return content


def entity_bomb() -> bytes:
    """XML whose entities name each other."""
    entities = '<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    return f'<?xml version="1.0"?><!DOCTYPE r [{entities}]><r><x>&a11;</x></r>'.encode()


def deep_xml(depth: int = 100_000) -> bytes:
    return b"<a>" * depth + b"</a>" * depth
