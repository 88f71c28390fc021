"""Small files that take much to read, for the readers and the server to refuse."""

from __future__ import annotations

import io
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq

_NS = "http://schemas.openxmlformats.org/"
_TYPES = (
    '<?xml version="1.0"?><Types xmlns="{ns}package/2006/content-types"><Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" '
    'ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/'
    'vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>'
).replace("{ns}", _NS)
_RELATIONS = f'<?xml version="1.0"?><Relationships xmlns="{_NS}package/2006/relationships">%s</Relationships>'
_RELATION = f'<Relationship Id="rId%d" Type="{_NS}officeDocument/2006/relationships/%s" Target="%s"/>'
_BOOK = (
    f'<?xml version="1.0"?><workbook xmlns="{_NS}spreadsheetml/2006/main" '
    f'xmlns:r="{_NS}officeDocument/2006/relationships"><sheets><sheet name="s" sheetId="1" r:id="rId1"/></sheets>'
    "</workbook>"
)


SHEET = "xl/worksheets/sheet1.xml"


def workbook(rows: str, *, shared: str | None = None, before: str = "", part: str = SHEET) -> bytes:
    """An xlsx of one sheet, which is that part, with these rows, and shared strings."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", _TYPES.replace(SHEET, part))
        archive.writestr("_rels/.rels", _RELATIONS % (_RELATION % (1, "officeDocument", "xl/workbook.xml")))
        relations = _RELATION % (1, "worksheet", part.removeprefix("xl/"))
        if shared is not None:
            relations += _RELATION % (2, "sharedStrings", "sharedStrings.xml")
            text = f'<?xml version="1.0"?><sst xmlns="{_NS}spreadsheetml/2006/main">{shared}</sst>'
            archive.writestr("xl/sharedStrings.xml", text)
        archive.writestr("xl/_rels/workbook.xml.rels", _RELATIONS % relations)
        archive.writestr("xl/workbook.xml", _BOOK)
        start = f'<?xml version="1.0"?><worksheet xmlns="{_NS}spreadsheetml/2006/main">{before}'
        archive.writestr(part, f"{start}<sheetData>{rows}</sheetData></worksheet>")
    return made.getvalue()


def far_cells(*places: str, part: str = SHEET) -> bytes:
    """An xlsx with a number in each of these cells, as `XFD1048576`, in a sheet that is that part."""
    numbers = [place.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ") for place in places]
    rows = [
        f'<row r="{number}"><c r="{place}"><v>1</v></c></row>' for number, place in zip(numbers, places, strict=True)
    ]
    return workbook("".join(rows), part=part)


def shared_text(length: int, cells: int) -> bytes:
    """An xlsx whose cells, ten a row, all have the same long text."""
    rows = ["<row>" + '<c t="s"><v>0</v></c>' * 10 + "</row>" for _ in range(cells // 10)]
    return workbook("".join(rows), shared=f"<si><t>{'x' * length}</t></si>")


def ods(cells: str) -> bytes:
    """An ods of one table with these rows."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        office = "urn:oasis:names:tc:opendocument:xmlns:"
        archive.writestr(
            "META-INF/manifest.xml",
            f'<?xml version="1.0"?><manifest:manifest xmlns:manifest="{office}manifest:1.0"><manifest:file-entry '
            'manifest:full-path="/" manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/>'
            "</manifest:manifest>",
        )
        archive.writestr(
            "content.xml",
            f'<?xml version="1.0"?><office:document-content xmlns:office="{office}office:1.0" xmlns:table="{office}'
            f'table:1.0" xmlns:text="{office}text:1.0"><office:body><office:spreadsheet><table:table table:name="s">'
            f"{cells}</table:table></office:spreadsheet></office:body></office:document-content>",
        )
    return made.getvalue()


def repeated_cells(rows: int, columns: int) -> bytes:
    """An ods whose one cell is repeated."""
    cell = (
        f'<table:table-cell table:number-columns-repeated="{columns}" office:value-type="float" office:value="1">'
        "<text:p>1</text:p></table:table-cell>"
    )
    return ods(f'<table:table-row table:number-rows-repeated="{rows}">{cell}</table:table-row>')


def dictionary_parquet(rows: int, length: int, columns: int = 1) -> bytes:
    """A Parquet file of one long text, which every row names by a number."""
    made = io.BytesIO()
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array(["x" * length]))
    table = pa.table({f"c{n}": texts for n in range(columns)})
    pq.write_table(table, made, compression="zstd")
    return made.getvalue()


def constant_parquet(rows: int) -> bytes:
    """A Parquet file whose rows are run lengths."""
    made = io.BytesIO()
    table = pa.table({"n": pa.nulls(rows, pa.int64()), "t": pa.repeat(pa.scalar("x"), rows)})
    pq.write_table(table, made, compression="zstd", row_group_size=rows)
    return made.getvalue()
