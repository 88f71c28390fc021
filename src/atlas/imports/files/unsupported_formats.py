"""Recognizes formats of files that hold no importable table by their contents, and refuses the formats by name."""

from __future__ import annotations

import mmap
import re
from collections.abc import Collection
from pathlib import Path, PurePath
from typing import Never

from atlas.errors import BadRequestError
from atlas.imports.files.text_formats import OTHER_TEXTS

# The signature of old workbooks, old documents, messages, and workbooks with a password.
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OTHERS = "send CSV, Excel, JSON, XML or Parquet"
_TABLE = f"export its table and {_OTHERS}"
_UNPACK = f"unpack it and {_OTHERS}"
_MAGIC: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"%PDF", "a PDF", _TABLE),
    (0, b"%!PS", "a PostScript document", _TABLE),
    (0, b"{\\rtf", "an RTF document", _TABLE),
    (0, b"\x89PNG", "an image", _OTHERS),
    (0, b"\xff\xd8\xff", "an image", _OTHERS),
    (0, b"GIF8", "an image", _OTHERS),
    (0, b"II*\0", "an image", _OTHERS),
    (0, b"MM\0*", "an image", _OTHERS),
    (8, b"WEBP", "an image", _OTHERS),
    (4, b"ftypheic", "an image", _OTHERS),
    (4, b"ftypavif", "an image", _OTHERS),
    (4, b"ftyp", "a video", _OTHERS),
    (0, b"ID3", "an audio file", _OTHERS),
    (0, b"OggS", "an audio file", _OTHERS),
    (8, b"WAVE", "an audio file", _OTHERS),
    (0, b"SQLite format 3", "an SQLite database", _TABLE),
    (4, b"Standard Jet DB", "an Access database", _TABLE),
    (4, b"Standard ACE DB", "an Access database", _TABLE),
    (0, b"PGDMP", "a dump of a PostgreSQL database", _TABLE),
    (0, b"7z\xbc\xaf", "a 7z archive", _UNPACK),
    (0, b"Rar!", "a RAR archive", _UNPACK),
    (0, b"BZh", "a bzip2 file", _UNPACK),
    (0, b"\xfd7zXZ", "an xz file", _UNPACK),
    (0, b"\x28\xb5\x2f\xfd", "a zstd file", _UNPACK),
    (257, b"ustar", "a tar archive", _UNPACK),
    (0, b"\x7fELF", "a program", _OTHERS),
    (0, b"ORC", "an ORC file", "send it as Parquet or CSV"),
    (0, b"Obj\x01", "an Avro file", "send it as Parquet or CSV"),
    (0, b"ARROW1\0\0", "an Arrow file", "send it as Parquet"),
    (0, b"FEA1", "a Feather file", "send it as Parquet"),
    (0, b"\x89HDF", "an HDF5 file", "send it as Parquet or CSV"),
    (0, b"$FL2", "an SPSS file", "send it as CSV or Excel"),
    (0, b"<stata_dta>", "a Stata file", "send it as CSV or Excel"),
    (0, b"\x93NUMPY", "a NumPy file", "send it as Parquet or CSV"),
)
# Signatures of readable letters may begin a CSV as well. In these formats binary data follows.
_BINARY = (b"ID3", b"ORC", b"BZh")
_HTML_TAGS = (
    "html|head|body|table|tbody|thead|tr|div|span|p|h[1-6]|meta|style|script|title|ul|ol|center|font|form|section|article"
    "|main|br|link|nav|header|footer|a|b|img"
)
_HTML = re.compile(rf"<!doctype\s+html|<({_HTML_TAGS})(?=[\s>/])", re.IGNORECASE)
# Elements that occur in data as well belong to a page only if a page's other elements follow.
_SURELY_HTML = re.compile(
    r"(?i)<!doctype\s+html|<html[\s>]|<t[dh][\s>]|</?(?:body|div|span|br|script|style|meta)[\s>/]"
)
_PROLOGUE = re.compile(r"(?s)\s*(?:<\?.*?\?>|<!--.*?-->|<!doctype(?!\s+html)[^\[>]*(?:\[.*?\]\s*)?>)", re.IGNORECASE)
_XML_ROOTS = (
    (
        re.compile(r"<(?:\w+:)?Workbook\b[^>]*urn:schemas-microsoft-com:office:spreadsheet"),
        "an XML Spreadsheet 2003 of Excel",
        "open it in Excel and save it as .xlsx or CSV",
    ),
    (re.compile(r"<(?:\w+:)?(?:wordDocument|package)\b[^>]*schemas\.microsoft\.com/office"), "a Word document", _TABLE),
    (re.compile(r"<office:document\b"), "a flat OpenDocument file", "save it as .ods, .xlsx or CSV"),
    (re.compile(r"<(?:\w+:)?svg[\s>]"), "an SVG image", _OTHERS),
    (re.compile(r"<plist[\s>]"), "an Apple property list", _OTHERS),
)
_SQL = re.compile(
    r"(?i)(?:CREATE\s+(?:TEMP(?:ORARY)?\s+|UNLOGGED\s+)?(?:TABLE|DATABASE|SCHEMA)\s+[^\s,;]+"
    r"|DROP\s+(?:TABLE|DATABASE)\s+[^\s,;]+|INSERT\s+INTO\s+[^\s,;]+\s*(?:\(|VALUES|SELECT)"
    r"|BEGIN(?:\s+TRANSACTION)?\s*;|PRAGMA\s+\w+\s*=|SET\s+(?:@|\w+\s*=|NAMES\s)[^\n]*;|USE\s+[`\"\[]?\w+[`\"\]]?\s*;"
    r"|COPY\s+\S+\s*\([^)]*\)\s+FROM\s+stdin)"
)
_SQL_COMMENT = re.compile(r"(?s)\s*(?:--[^\n]*(?:\n|$)|/\*.*?\*/\s*;?)")
_SQL_DUMP = re.compile(r"(?i)--[^\n]*\b(?:dump|mysql|mariadb|postgresql database|phpmyadmin|sqlite)\b")
_MAIL_LINE = re.compile(
    r"(?i)(?:from|to|cc|subject|date|received|return-path|delivered-to|mime-version|message-id|content-type|reply-to"
    r"|x-[\w-]+|dkim-signature|authentication-results|list-[\w-]+|sender|references|in-reply-to): \S"
)
_MBOX = re.compile(r"From \S+ +(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} +\d")
_YAML_LINE = re.compile(r"(?:- +)?[\w .\"'/-]+:(?: +\S.*)?$|- +\S.*$|- *$|#.*$|\.\.\.$")
_TOML = re.compile(r"\[\[?[A-Za-z_][\w.\" -]*\]\]?[ \t]*(?:[#;][^\n]*)?\n\s*(?:[\w.\"-]+[ \t]*=|[#;]|\[|\n)")
# Code before JSON in scripts and in responses to scripts. Comments are no JSON either.
_SCRIPT = re.compile(
    r"(?s)(?=[^{\[])(?:\s*(?://[^\n]*\n|/\*.*?\*/))*\s*"
    r"(?:(?:var|let|const|export default)\s[^\n;=({\[]*=?|[\w$.]+\s*[=(]|\)\]\}'?,?|while\s*\(1\);|for\s*\(;;\);)?"
    r"\s*[{\[]\s*[{\[\"'\w}\]]"
)
_OLE_STREAMS = (
    (
        "EncryptedPackage",
        "Invalid file",
        "the workbook is protected with a password; save a copy without it and send that",
    ),
    ("WordDocument", "Unsupported file", f"it is a Word document; {_TABLE}"),
    ("PowerPoint Document", "Unsupported file", f"it is a PowerPoint document; {_TABLE}"),
    ("__properties_version1.0", "Unsupported file", f"it is an Outlook message; {_OTHERS}"),
)


def refuse_other_format(head: bytes, name: str) -> None:
    """Refuses a file whose first bytes are the signature of another format.

    Raises BadRequestError: for such a file.
    """
    for place, magic, what, instead in _MAGIC:
        if head[place : place + len(magic)] == magic and (magic not in _BINARY or _is_binary(head)):
            _refuse(name, what, instead)


def refuse_other_ole(path: Path, name: str) -> None:
    """Refuses an old Microsoft container that is no workbook, or that is encrypted.

    Raises BadRequestError: for such a container.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if _has_stream(data, "Workbook") or _has_stream(data, "Book"):
            # Documents embedded in a workbook have streams as well.
            return
        for stream, error, reason in _OLE_STREAMS:
            if _has_stream(data, stream):
                raise BadRequestError(error, f"{name}: {reason}")


def _has_stream(data: mmap.mmap, stream: str) -> bool:
    # Names of streams begin entries of 128 bytes.
    text = stream.encode("utf-16-le") + b"\0\0"
    place = data.find(text)
    while place >= 0 and place % 128:
        place = data.find(text, place + 1)
    return place >= 0


def refuse_other_archive(names: Collection[str], media_type: str, name: str) -> None:
    """Refuses a document in an archive.

    media_type: the type that an OpenDocument file declares.
    Raises BadRequestError: for such a document.
    """
    if any(n.endswith(".iwa") or n.endswith("/Index.zip") or n == "Index.zip" for n in names):
        _refuse(name, "a Numbers, Pages or Keynote document", "export it to Excel or CSV")
    for folder, what in (
        ("word/", "a Word document"),
        ("ppt/", "a PowerPoint document"),
        ("visio/", "a Visio drawing"),
    ):
        if any(n.startswith(folder) for n in names) and "[Content_Types].xml" in names:
            _refuse(name, f"{what}, an office document, but not a workbook", _TABLE)
    if media_type.startswith("application/epub"):
        _refuse(name, "an e-book", _OTHERS)
    if "opendocument" in media_type and "spreadsheet" not in media_type:
        kind = media_type.rpartition(".")[2]
        _refuse(name, f"an OpenDocument {kind}, an office document, but not a workbook", _TABLE)


def refuse_other_text(start: str, name: str) -> None:
    """Refuses a text in a format without a table.

    start: the first characters, without leading blanks.
    Raises BadRequestError: for such a text.
    """
    if start.startswith("<"):
        _refuse_markup(start, name)
    if start[:15].upper().startswith("BEGIN:VCALENDAR"):
        _refuse(name, "an iCalendar file", f"export the events as a table and {_OTHERS}")
    if start[:11].upper().startswith("BEGIN:VCARD"):
        _refuse(name, "a vCard file", f"export the contacts as a table and {_OTHERS}")
    for pattern, what, instead in OTHER_TEXTS:
        if pattern.match(start):
            _refuse(name, what, instead)
    if _MBOX.match(start):
        _refuse(name, "a mailbox (mbox)", _OTHERS)
    if _is_mail(start):
        _refuse(name, "an e-mail", "send the file that is attached to it")
    if _is_sql(start):
        _refuse(name, "an SQL script or dump", _TABLE)
    if _is_yaml(start, name):
        _refuse(name, "YAML", f"convert it to JSON, or {_OTHERS}")
    if _SCRIPT.match(start):
        _refuse(name, "JSON with a script or a comment before it", "send the JSON alone")
    if _TOML.match(start):
        _refuse(name, "a TOML or INI file of settings", f"convert it to JSON, or {_OTHERS}")


def _refuse(name: str, what: str, instead: str) -> Never:
    raise BadRequestError("Unsupported file", f"{name}: it is {what}; {instead}")


def _is_binary(head: bytes) -> bool:
    return any(byte < 9 or 13 < byte < 32 for byte in head[:512])


def _refuse_markup(start: str, name: str) -> None:
    place = 0
    while found := _PROLOGUE.match(start, place):
        place = found.end()
    root = start[place:].lstrip()
    for pattern, what, instead in _XML_ROOTS:
        if pattern.match(root):
            _refuse(name, what, instead)
    found = _HTML.match(root)
    if found and (found[0][1:].lower() in ("html", "body", "head") or _SURELY_HTML.search(root)):
        _refuse(name, "a web page (HTML)", f"copy its table into a workbook and {_OTHERS}")


def _is_mail(start: str) -> bool:
    lines = [line for line in start.splitlines()[:40] if not line.startswith((" ", "\t"))]
    return len(lines) >= 3 and all(_MAIL_LINE.match(line) for line in lines[:3])


def _is_sql(start: str) -> bool:
    if _SQL_DUMP.match(start) or (_SQL_DUMP.match(start.partition("\n")[2]) and start.startswith("--")):
        return True
    place = 0
    while found := _SQL_COMMENT.match(start, place):
        place = found.end()
    return _SQL.match(start[place:].lstrip()) is not None


def _is_yaml(start: str, name: str) -> bool:
    """Checks whether a text is YAML, by its marks or its list of mappings, or by its name together with its lines."""
    if start.startswith("%YAML"):
        return True
    lines = [line.rstrip() for line in start.splitlines()[:50] if line.strip()]
    marked = bool(lines) and lines[0] == "---"
    body = lines[1:] if marked else lines
    if not body or not all(_YAML_LINE.match(line.strip()) for line in body[:10]):
        return False
    named = PurePath(name.lower()).suffix in (".yml", ".yaml")
    mappings = len(body) > 1 and re.match(r"- +[\w-]+:(?: |$)", body[0]) and re.match(r" +[\w-]+:(?: |$)", body[1])
    nested = len(body) > 1 and re.fullmatch(r"[\w-]+:", body[0]) and re.match(r"(?: +[\w-]+:| *- )(?: |\S|$)", body[1])
    return bool(named or marked or mappings or nested)
