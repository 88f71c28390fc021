"""Rules of the prose in the source: docstrings begin with a verb, sentences are short, and words of a dialect stay out.

A heuristic, not a grammar. The first word of a function's docstring ends with "s" and is no plural noun. Properties,
special methods and commands of the command line (whose help is imperative) need no verb.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "atlas"
TOP = "top-level modules"
LONGEST_SENTENCE = 25  # words
NO_VERB = r"property$|\.setter$|\.(command|group|callback)\b|^remote$"  # decorators
# Packages that need not keep the rules yet. The set only shrinks: a package that passes is taken off.
UNFINISHED: set[str] = set()
GENERATED = SOURCE / "client" / "_sync"  # from client/_async, by scripts/make_sync.py

# Words that end as a verb does and are none. A word that is a verb, too (Counts, Names, Records) may begin a docstring.
NOUNS = set(
    """
    Access Always Arguments Arrays Atlas Batches Beginnings Blocks Buckets Bytes Callers Categories Cells Characters
    Chunks Class Classes Clauses Columns Commands Comparisons Conditions Connections Corrections Cursors Databases
    Datasets Dates Days Decimals Decisions Defaults Deliveries Details Dicts Digits Directives Duplicates
    Elements Entities Entries Errors Events Examples Expressions Facts Failures Fields Figures Files Fragments
    Frames Functions Headers Hours Identifiers Ids Instructions Integers Issues Items Its Jobs Keys Kinds Lanes
    Lengths Letters Levels Lines Mappings Members Mentions Messages Metrics Microseconds Milliseconds Minutes Months
    Nouns Objects Offsets Operators Options Organizations Pages Pairs Parameters Partitions Parts Paths Patterns
    Perhaps Periods Permissions Phrases Pieces Pools Positions Problems Profiles Programs Properties
    Proposals Queries Questions Readers Reasons Relations Replacements Responses Results Rights Roles Rollups Rows
    Rules Schemas Seconds Segments Sentences Series Services Sessions Settings Shapes Sizes Sources Statements
    Statistics Status Strings Superlatives Symbols Tables Tags Tasks Terms Texts This Thousands Threads Times Tokens
    Tuples Types Units Users Values Variables Verbs Views Warnings Words Years Zeros Zones
    """.split()
)

# A dialect: words that hide their noun. "Told" is reported, "said" is specified, "but for" is except for.
DIALECT = re.compile(
    r"""
    \b(?: told | said | meant | so\ many | but\ for | of\ which | whoever )\b
    | \b(?: what | as | those | ones? )\ (?: was\ | is\ | were\ | are\ )? found\b
    | \b the\ found\b
    | (?: ^ | [.:;]\ | \b(?: of | by | to | for | from | than | as | that )\ ) who\b
    """,
    re.VERBOSE | re.IGNORECASE,
)


class Place(NamedTuple):
    """Where a text stands."""

    file: str
    line: int
    name: str


def package_of(path: Path) -> str:
    parts = path.relative_to(SOURCE).parts
    return parts[0] if len(parts) > 1 else TOP


def sources() -> dict[str, list[Path]]:
    """Lists the files of each package."""
    packages: dict[str, list[Path]] = {}
    for path in sorted([*SOURCE.rglob("*.py"), *SOURCE.rglob("sql/*.sql")]):
        if not path.is_relative_to(GENERATED):
            packages.setdefault(package_of(path), []).append(path)
    return packages


def paragraphs(text: str) -> Iterator[str]:
    """Yields paragraphs and items of lists of a docstring, without indented blocks (examples) and drawn trees."""
    lines: list[str] = []
    for line in [*text.splitlines(), ""]:
        starts_item = re.match(r"(?:[-*] |\d+\. |Raises [A-Z])", line)
        is_prose = line.strip() and not line.startswith(("    ", "│", "├", "└"))
        if (starts_item or not is_prose) and lines:
            yield " ".join(lines)
            lines = []
        if is_prose:
            lines.append(line.strip())


def sentences(text: str) -> Iterator[str]:
    """Yields sentences; of a line of parameters (`start: …; end: …`) one for each parameter."""
    for paragraph in paragraphs(text):
        yield from re.split(r"""(?<=[.!?])["')`]*\s+(?=["'(`A-Z0-9])|[.;]\s+(?=\w+(?:, \w+)*: )""", paragraph)


def words(sentence: str) -> int:
    return sum(any(letter.isalnum() for letter in word) for word in sentence.split())


def begins_with_a_verb(docstring: str) -> bool:
    first = docstring.split(maxsplit=1)[0].rstrip(".,:;")
    return re.fullmatch(r"[A-Z]([a-z]*[a-rt-z])?s", first) is not None and first not in NOUNS


def needs_no_verb(function: ast.AST) -> bool:
    """Modules and classes need none, nor do properties, special methods, and commands (whose help is imperative)."""
    if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
        return True
    decorators = [ast.unparse(decorator) for decorator in function.decorator_list]
    options = [ast.unparse(each.annotation) for each in function.args.args if each.annotation is not None]
    return (
        function.name.startswith("__")
        or any(re.search(NO_VERB, text.partition("(")[0]) for text in decorators)
        or any(re.search(r"\btyper\.(Option|Argument)\b|^(Json|DataDir)$", text) for text in options)
    )


def docstrings(tree: ast.Module, file: str) -> Iterator[tuple[Place, ast.AST, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text:
                name = "module" if isinstance(node, ast.Module) else node.name
                yield Place(file, getattr(node, "lineno", 1), name), node, text


def comments(source: str, file: str) -> Iterator[tuple[Place, str]]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield Place(file, token.start[0], "comment"), token.string.lstrip("# ")


def dialect_in(text: str, where: str) -> list[str]:
    found = DIALECT.search(text)
    return [f"{where}: {found[0].strip()!r} in: {text}"] if found else []


def faults_of(source: str, file: str) -> list[str]:
    """Lists the faults of a file's prose, one line each."""
    faults = []
    for place, node, text in docstrings(ast.parse(source), file):
        where = f"{place.file}:{place.line} {place.name}"
        if not needs_no_verb(node) and not begins_with_a_verb(text):
            faults.append(f"{where}: no verb in the third person first: {text.splitlines()[0]}")
        for sentence in sentences(text):
            if words(sentence) > LONGEST_SENTENCE:
                faults.append(f"{where}: {words(sentence)} words: {sentence}")
            faults += dialect_in(sentence, where)
    for place, text in comments(source, file):
        faults += dialect_in(text, f"{place.file}:{place.line} {place.name}")
    return faults


def faults_of_sql(source: str, file: str) -> list[str]:
    """Lists the faults of the descriptions of queries."""
    return [
        fault
        for number, line in enumerate(source.splitlines(), start=1)
        if line.startswith("--")
        for fault in dialect_in(line.removeprefix("--").strip(), f"{file}:{number} comment")
    ]


def faults(package: str) -> list[str]:
    found = []
    for path in sources()[package]:
        check = faults_of if path.suffix == ".py" else faults_of_sql
        found += check(path.read_text(encoding="utf-8"), path.relative_to(SOURCE).as_posix())
    return found


@pytest.mark.parametrize("package", sorted(sources()))
def test_prose_keeps_the_rules(package: str) -> None:
    against = faults(package)
    if package in UNFINISHED:
        assert against, f"{package} keeps the rules now: take it off UNFINISHED"
    else:
        assert not against, "\n" + "\n".join(against)


def test_unfinished_packages_exist() -> None:
    assert sources().keys() >= UNFINISHED


@pytest.mark.parametrize(
    ("docstring", "fault"),
    [
        ("Fetches the rows of one page.", None),
        ("Fetches rows. start: " + "time " * 20 + "; end, zone: " + "time " * 20 + ". limit: rows.", None),
        ("Is true for a packed dataset.", None),
        ("The rows of one page.", "no verb"),
        ("Rows of one page.", "no verb"),
        ("Access of a caller.", "no verb"),
        ("Fetch the rows of one page.", "no verb"),
        ("Passes the rows on.", None),
        ("Counts rows. " + "And " * 25 + "more.", "26 words"),
        ("Counts rows:\n\n        " + "an example " * 30 + "\n\n    A limit is kept.", None),
        ("Returns what was found.", "'what was found'"),
        ("Raises NotFound when the dataset is not found.", None),
        ("Returns all rows but for the last.", "'but for'"),
        ("Lists the rights of who asks.", "'of who'"),
        ("Lists the rights of the user who asks.", None),
        ("Lists the columns of which names are known.", "'of which'"),
    ],
)
def test_the_rules_of_prose(docstring: str, fault: str | None) -> None:
    against = faults_of(f'def function():\n    """{docstring}"""\n', "example.py")
    assert len(against) == (fault is not None), against
    assert fault is None or fault in against[0]


def test_comments_have_no_dialect_either() -> None:
    assert len(faults_of("x = 1  # as the caller was told\n", "example.py")) == 1
