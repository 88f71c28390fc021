"""Formats of texts that hold no table and are recognized by their first lines, with what to send instead."""

from __future__ import annotations

import re

_TABLE = "export its table and send CSV, Excel, JSON, XML or Parquet"
_OTHERS = "send CSV, Excel, JSON, XML or Parquet"
_BANK = "export the payments as CSV"
# Each pattern is too long or too odd for the header of a table and its first record.
OTHER_TEXTS = tuple(
    (re.compile(pattern), what, instead)
    for pattern, what, instead in (
        (r"-----BEGIN [A-Z0-9 ]+-----\s", "a certificate or a key", _OTHERS),
        (r"(?:version: 1\s+)?dn::? \S[^\n]*\n[\w;-]+::? ", "an LDIF file", _TABLE),
        (
            r"(?i)@(?:article|book|inproceedings|misc|phdthesis|techreport|string|comment)\s*\{",
            "a BibTeX file of references",
            _TABLE,
        ),
        (r"TY  - [A-Z]+\s*\n[A-Z][A-Z0-9]  - ", "a RIS file of references", _TABLE),
        (r">[^\n,;\t]*\n(?:(?:[A-Za-z*-]+\r?\n)+>|(?:[A-Z*-]{20,}\r?\n)+\Z)", "a FASTA file of sequences", _OTHERS),
        (r"UNA:\+.[ ?*]|UNB\+UN[A-Z]{2}:\d\+", "an EDIFACT message", _TABLE),
        (r"ISA\*\d\d\*[^\n]{10}\*\d\d\*", "an X12 message", _TABLE),
        (r"(?:\{1:[^\n]*\n)?:20:[^\n]*\n:(?:2[158]C?|86):", "an MT940 statement of a bank", _BANK),
        (r"OFXHEADER:\d+|<\?OFX ", "an OFX statement of a bank", _BANK),
        (
            r"!(?:Type:(?:Bank|Cash|CCard|Invst|Oth A|Oth L|Cat|Class|Memorized)|Account|Option:\S+)\s*\n",
            "a QIF file of a bank",
            _BANK,
        ),
        (r"0 HEAD\s*\n1 (?:SOUR|GEDC|CHAR|DEST|DATE|SUBM|FILE)\b", "a GEDCOM file", _TABLE),
        (
            r"(?i)(?:%[^\n]*\n\s*)*@relation\s+\S[^\n]*\n\s*(?:%[^\n]*\n\s*)*@attribute\s",
            "a Weka file (ARFF)",
            "save it as CSV",
        ),
        (r"ID;P[A-Z]*(?:;[^\n]*)?\n(?:[A-Z];|[A-Z]\s*\n)", "a SYLK file", "save it as .xlsx or CSV"),
        (r"TABLE\s*\n0,1\s*\n\"", "a DIF file", "save it as .xlsx or CSV"),
        (r"\\(?:documentclass|usepackage)\b|\\begin\{", "a LaTeX document", _TABLE),
        (
            r"#!/|(?:(?:import|from) [\w.]+(?: import [\w., *]+| as \w+)?\s*\n\s*)+(?:def|class|@|async def) ?\w",
            "a program",
            _OTHERS,
        ),
        (r"(?i)mime-version: 1\.0\s*\ncontent-", "an e-mail or an archive of a web page", _OTHERS),
    )
)
