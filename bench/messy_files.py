"""Files of one table in the ways in which people send it, each with what it should become. For `messy.py`.

The table has a number, a name with accents, an amount, a day, a postal code with leading zeros, and yes or no.
"""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

NAMES = ("id", "name", "amount", "joined", "zip", "active")
TYPES = {"id": "int", "name": "text", "amount": "float", "joined": "date", "zip": "text", "active": "bool"}
PEOPLE = ("José Ramos", "Zoë Müller", 'Ann "Annie" Lee', "O'Hara, Tim", "Besançon Léa", "Jörg Weiß")
Row = list[Any]


@dataclass(frozen=True)
class Messy:
    """A file. rows: what is right, by id; bad: rows that are wrong and should be told; readable: else to be refused."""

    title: str
    name: str
    data: bytes
    rows: list[Row]
    types: dict[str, str] = field(default_factory=lambda: TYPES)
    bad: int = 0
    readable: bool = True


def table(rows: int) -> list[Row]:
    """Rows of the table, the same each time."""
    return [
        [
            n,
            PEOPLE[n % 6],
            round(1_000 + n * 37.25 - (5_000 if n % 7 == 0 else 0), 2),
            date(2023, 1, 1) + timedelta(days=n * 5 % 700),
            f"{n * 97 % 100_000:05}",
            n % 3 == 0,
        ]
        for n in range(1, rows + 1)
    ]


def plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def lines(
    rows: Sequence[Row], *, between: str = ",", head: Sequence[str] = NAMES, **how: Callable[[Any], str]
) -> list[str]:
    """Lines of a CSV; `how` gives what a column's values are written as."""
    styles = [how.get(name, plain) for name in NAMES]

    def cell(text: str) -> str:
        return '"{}"'.format(text.replace('"', '""')) if any(part in text for part in (between, '"', "\n")) else text

    return [between.join(cell(part) for part in head)] + [
        between.join(cell(style(value)) for style, value in zip(styles, row, strict=True)) for row in rows
    ]


def text(parts: Sequence[str], end: str = "\n") -> str:
    return "".join(part + end for part in parts)


def german(value: float) -> str:
    return f"{value:,.2f}".translate(str.maketrans(",.", ".,"))


def dollars(value: float) -> str:
    return f"(${-value:,.2f})" if value < 0 else f"${value:,.2f}"


def workbook(rows: Sequence[Sequence[Any]]) -> bytes:
    """An Excel file of one sheet; days as Excel has them."""

    def cell(value: Any) -> str:
        if value is None:
            return "<c/>"
        if isinstance(value, bool):
            return f'<c t="b"><v>{int(value)}</v></c>'
        if isinstance(value, date):
            return f'<c s="1"><v>{(value - date(1899, 12, 30)).days}</v></c>'
        if isinstance(value, int | float):
            return f"<c><v>{value}</v></c>"
        return f'<c t="inlineStr"><is><t>{escape(str(value))}</t></is></c>'

    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{kind}.styles+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{kind}.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook {main} xmlns:r="{office}"><sheets><sheet name="Data" sheetId="1" r:id="r1"/>'
        "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        f'Type="{office}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="r2" '
        f'Type="{office}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet {main}><fonts count="1"><font/></fonts>'
        '<fills count="1"><fill><patternFill patternType="none"/></fill></fills>'
        '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="2">'
        '<xf numFmtId="0" xfId="0"/><xf numFmtId="14" xfId="0" applyNumberFormat="1"/></cellXfs></styleSheet>',
        "xl/worksheets/sheet1.xml": f"<worksheet {main}><sheetData>"
        + "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
        + "</sheetData></worksheet>",
    }
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, '<?xml version="1.0" encoding="UTF-8"?>' + part)
    return sink.getvalue()


def records(rows: Sequence[Row]) -> list[dict[str, Any]]:
    return [dict(zip(NAMES, [*row[:3], row[3].isoformat(), *row[4:]], strict=True)) for row in rows]


def xml(rows: Sequence[Row], encoding: str = "UTF-8") -> bytes:
    items = "".join(
        f'<item id="{row[0]}">'
        + "".join(f"<{n}>{escape(plain(v))}</{n}>" for n, v in zip(NAMES[1:], row[1:], strict=True))
        + "</item>"
        for row in rows
    )
    head = f'<?xml version="1.0" encoding="{encoding}"?><catalog><meta><made>today</made></meta><items>'
    return f"{head}{items}</items></catalog>".encode(encoding)


def messy_files(count: int) -> list[Messy]:
    """Every kind, of `count` rows."""
    rows = table(count)
    few = [row for row in rows if row[0] % 50]
    csv = lines(rows)
    wrong = [line if n % 50 else line + ",more,and more" for n, line in enumerate(csv)]
    wrong[0] = csv[0]
    gaps = [[*row[:2], None if row[0] % 10 == 0 else row[2], *row[3:]] for row in rows]
    half = len(csv) // 2
    nested = {"next": None, "data": {"items": records(rows)}}
    packed = gzip.compress(text(csv).encode())
    return [
        Messy("plain CSV", "plain.csv", text(csv).encode(), rows),
        Messy(
            "`;`, `1.234,50`, 31.12.2024",
            "german.csv",
            text(
                lines(
                    rows,
                    between=";",
                    amount=german,
                    joined=lambda d: d.strftime("%d.%m.%Y"),
                    active=lambda b: "ja" if b else "nein",
                )
            ).encode(),
            rows,
        ),
        Messy("Windows-1252", "windows.csv", text(csv, "\r\n").encode("cp1252"), rows),
        Messy("UTF-16, tabs", "unicode.txt", text(lines(rows, between="\t")).encode("utf-16"), rows),
        Messy(
            "titles above, header again below",
            "report.csv",
            text(["Members of all branches", "made on 3 May", "", *csv[:half], csv[0], *csv[half:]]).encode(),
            rows,
        ),
        Messy("$1,234.50 and ($3.00)", "money.csv", text(lines(rows, amount=dollars)).encode(), rows),
        Messy(
            "12/31/2024, Yes and No",
            "american.csv",
            text(lines(rows, joined=lambda d: d.strftime("%m/%d/%Y"), active=lambda b: "Yes" if b else "No")).encode(),
            rows,
        ),
        Messy(
            "`n/a` for nothing",
            "gaps.csv",
            text(lines(gaps, amount=lambda v: "n/a" if v is None else str(v))).encode(),
            gaps,
        ),
        Messy("2% of rows with too many cells", "ragged.csv", text(wrong).encode(), few, bad=count - len(few)),
        Messy(
            "2% of amounts are words",
            "words.csv",
            text(
                [
                    csv[0],
                    *(
                        line if row[0] % 50 else line.replace(plain(row[2]), "unknown yet")
                        for row, line in zip(rows, csv[1:], strict=True)
                    ),
                ]
            ).encode(),
            few,
            bad=count - len(few),
        ),
        Messy("Excel with a title", "book.xlsx", workbook([["Members"], [], NAMES, *rows]), rows),
        Messy("JSON, rows two levels down", "nested.json", json.dumps(nested).encode(), rows),
        Messy("XML, Latin-1", "items.xml", xml(rows, "ISO-8859-1"), rows),
        Messy("gzip cut short", "cut.csv.gz", packed[: len(packed) * 2 // 3], [], readable=False),
        Messy("JSON cut short", "cut.json", json.dumps(nested).encode()[:-900], [], readable=False),
    ]


def clean_files(folder: Path, rows: int) -> dict[str, Path]:
    """The same table as clean CSV, Excel, JSON and XML."""
    made = table(rows)
    texts = [[*row[:3], row[3].isoformat(), *row[4:]] for row in made]
    found = {
        "CSV": ("clean.csv", text(lines(made)).encode()),
        "JSON": ("clean.json", json.dumps(records(made)).encode()),
        "Excel": ("clean.xlsx", workbook([NAMES, *texts])),
        "XML": ("clean.xml", xml(made)),
    }
    for name, data in found.values():
        (folder / name).write_bytes(data)
    return {kind: folder / name for kind, (name, _) in found.items()}
