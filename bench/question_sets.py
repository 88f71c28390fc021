"""Public question sets with their databases, loaded into a PostgreSQL server; see docs/questions-benchmark.md.

sql-eval: github.com/defog-ai/sql-eval, its databases: github.com/defog-ai/defog-data (both Apache-2.0).
geography: github.com/jkkummerfeld/text2sql-data (data/geography.json and the SQLite file).
"""

from __future__ import annotations

import asyncio
import csv
import hashlib
import itertools
import json
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import analyst_questions
import people_questions
import psycopg
import sqlglot
from psycopg import sql
from sqlglot import exp

from atlas.catalog.model import Catalog, CatalogColumn, CatalogTable
from atlas.catalog.profiles import find_joins, profile, with_profile
from atlas.language.question import Term

TYPES = {
    "bigint": "bigint",
    "integer": "bigint",
    "smallint": "bigint",
    "double precision": "double",
    "real": "double",
    "numeric": "double",
    "boolean": "boolean",
    "date": "date",
    "timestamp without time zone": "timestamp",
    "timestamp with time zone": "timestamp",
    "text": "text",
    "character varying": "text",
    "character": "text",
}
# The set's own conventions, which no schema tells: what its authors call major.
GEOGRAPHY_TERMS = (
    Term("major city", "population > 150000", "city"),
    Term("big city", "population > 150000", "city"),
    Term("major river", "length > 750", "river"),
    Term("major lake", "area > 750", "lake"),
)


@dataclass(frozen=True)
class Case:
    """A question with the queries of which one must be met; none: it must be refused. half: dev or test."""

    set: str
    database: str
    question: str
    gold: tuple[str, ...]
    tables: int
    half: str
    kind: str = ""
    terms: tuple[Term, ...] = ()
    lite: Path | None = field(default=None, compare=False)


def half_of(question: str) -> str:
    """The split: by the question's hash, so that it never changes."""
    return "dev" if hashlib.sha256(question.encode()).digest()[0] % 2 == 0 else "test"


def alternatives(query: str) -> tuple[str, ...]:
    """The queries that a gold query of sql-eval stands for: one for each subset of the names in braces."""
    found = []
    for text in query.split(";"):
        if not text.strip():
            continue
        braces = re.search(r"\{([^{}]+)\}", text)
        if braces is None:
            found.append(text.strip())
            continue
        names = [name.strip() for name in braces[1].split(",")]
        for size in range(1, len(names) + 1):
            for chosen in itertools.combinations(names, size):
                plain = text.replace("{" + braces[1] + "}", ", ".join(chosen)).replace("{}", ", ".join(chosen))
                found.append(plain.strip())
    return tuple(found)


def count_tables(query: str) -> int:
    """How many tables a query reads."""
    tree = sqlglot.parse_one(query, dialect="postgres")
    common = {cte.alias_or_name.lower() for cte in tree.find_all(exp.CTE)}
    return len({table.name.lower() for table in tree.find_all(exp.Table)} - common)


def sql_eval(folder: Path) -> Iterator[Case]:
    """The 210 questions for PostgreSQL, and those that must be refused."""
    for row in csv.DictReader((folder / "questions_gen_postgres.csv").open(encoding="utf-8")):
        gold = alternatives(row["query"])
        yield Case(
            "sql-eval",
            row["db_name"],
            row["question"],
            gold,
            count_tables(gold[0]),
            half_of(row["question"]),
            row["query_category"],
        )
    for row in csv.DictReader((folder / "idk.csv").open(encoding="utf-8")):
        yield Case("idk", row["db_name"], row["question"], (), 0, half_of(row["question"]), "refuse")


def geography(folder: Path) -> Iterator[Case]:
    """The paraphrased questions on American geography; its own test split is ours."""
    for item in json.loads((folder / "geography.json").read_text(encoding="utf-8")):
        for sentence in item["sentences"]:
            question, query = sentence["text"], item["sql"][0]
            for name, value in sentence["variables"].items():
                question, query = question.replace(name, value), query.replace(name, value)
            half = "test" if sentence["question-split"] == "test" else "dev"
            yield Case(
                "geography",
                "geography_lite",
                question,
                (query,),
                count_tables(query),
                half,
                "",
                GEOGRAPHY_TERMS,
                folder / "geography.sqlite",
            )


def analyst() -> Iterator[Case]:
    """First questions of an analyst on eight tables of our own, and those that must be refused."""
    for database, half, question, gold in analyst_questions.QUESTIONS:
        tables = count_tables(gold) if gold else 0
        yield Case("analyst", f"analyst_{database}", question, (gold,) if gold else (), tables, half)


def people() -> Iterator[Case]:
    """Questions as different people phrase them, but follow-ups, which need the questions before them."""
    for half, listed in zip(("dev", "test"), people_questions.halves(), strict=True):
        for asked in listed:
            if not asked.before:
                tables = count_tables(asked.gold[0]) if asked.gold else 0
                yield Case("people", f"people_{asked.database}", asked.question, asked.gold, tables, half, asked.kind)


def with_database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def load(url: str, dumps: Path, lite: Path) -> dict[str, str]:
    """Databases by name, made where they are missing, with their URLs."""
    found = {}
    with psycopg.connect(url, autocommit=True) as admin:
        known = {row[0] for row in admin.execute("SELECT datname FROM pg_database")}
        for name in [*sorted(path.stem for path in dumps.glob("*/*.sql")), "geography_lite"]:
            found[name] = with_database(url, name)
            if name in known:
                continue
            admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            with psycopg.connect(found[name]) as connection:
                if name == "geography_lite":
                    _load_lite(connection, lite)
                else:
                    dump = (dumps / name / f"{name}.sql").read_text(encoding="utf-8")
                    connection.pgconn.exec_(dump.encode())
        scripts = {f"analyst_{name}": script for name, script in analyst_questions.DATABASES.items()}
        scripts |= {f"people_{name}": script for name, script in people_questions.DATABASES.items()}
        for made, script in scripts.items():
            found[made] = with_database(url, made)
            if made not in known:
                admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(made)))
                with psycopg.connect(found[made]) as connection:
                    connection.execute(script.encode())
    return found


def _load_lite(connection: psycopg.Connection[Any], path: Path) -> None:
    source = sqlite3.connect(path)
    for name, statement in source.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall():
        statement = re.sub(r"\bdouble\b", "double precision", statement, flags=re.IGNORECASE)
        connection.execute(statement)
        rows = source.execute(f'SELECT * FROM "{name}"').fetchall()
        marks = sql.SQL(", ").join([sql.Placeholder()] * len(rows[0]))
        query = sql.SQL("INSERT INTO {} VALUES ({})").format(sql.Identifier(name), marks)
        with connection.cursor() as cursor:
            cursor.executemany(query, rows)


def catalog_of(url: str) -> Catalog:
    """The catalog of a database as Atlas would know it; no declared keys are used."""
    return asyncio.run(_catalog_of(url))


async def _catalog_of(url: str) -> Catalog:
    query = """SELECT c.table_schema, c.table_name, c.column_name, c.data_type FROM information_schema.columns c
               JOIN information_schema.tables t USING (table_schema, table_name)
               WHERE t.table_type = 'BASE TABLE' AND c.table_schema NOT IN ('pg_catalog', 'information_schema')
               ORDER BY c.table_schema, c.table_name, c.ordinal_position"""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        rows = await (await connection.execute(query)).fetchall()
        tables, profiles = [], {}
        for (schema, name), columns in itertools.groupby(rows, key=lambda row: (row[0], row[1])):
            made = tuple(CatalogColumn(row[2], TYPES.get(row[3], "json")) for row in columns)
            counted = await connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, name)))
            table = CatalogTable(name, schema, name, made, row_count=(await counted.fetchone() or (0,))[0])
            profiles[name] = await profile(connection, table)
            tables.append(with_profile(table, profiles[name]))
        return Catalog(tuple(tables), tuple(await find_joins(connection, tables, profiles)))


def rows_of(url: str, query: str, *, seconds: int = 10) -> tuple[int, list[tuple[Any, ...]]]:
    """(columns, rows) of a query. Raises psycopg.Error."""
    with psycopg.connect(url, autocommit=True, options=f"-c statement_timeout={seconds}s") as connection:
        cursor = connection.execute(query.encode())
        return len(cursor.description or ()), [tuple(map(plain, row)) for row in cursor.fetchall()]


def lite_rows(path: Path, query: str) -> tuple[int, list[tuple[Any, ...]]]:
    """The same from SQLite."""
    cursor = sqlite3.connect(path).execute(query)
    return len(cursor.description), [tuple(map(plain, row)) for row in cursor.fetchall()]


def plain(value: Any) -> Any:
    """A value as it is compared: numbers to nine digits, times by their text, texts of numbers as they are."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float) or type(value).__name__ == "Decimal":
        return float(f"{float(value):.9g}")
    if type(value).__name__ == "timedelta":
        return float(value.total_seconds())
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return text.removesuffix("T00:00:00+00:00").removesuffix("T00:00:00")


def matches(gold: tuple[int, list[tuple[Any, ...]]], given: tuple[int, list[tuple[Any, ...]]]) -> str | None:
    """`equal` where the result sets are the same, `more` where the given one has further columns; None otherwise.

    As in sql-eval, rows count once, and their order does not count.
    """
    wanted, rows = gold
    width, other = given
    if width < wanted:
        return None
    # A column of the gold result can only be one that holds the same values.
    columns = [frozenset(row[n] for row in rows) for n in range(wanted)]
    offers = [[m for m in range(width) if frozenset(row[m] for row in other) == columns[n]] for n in range(wanted)]
    for chosen in itertools.islice(itertools.product(*offers), 200):
        if len(set(chosen)) == wanted and {tuple(row[m] for m in chosen) for row in other} == set(rows):
            return "equal" if width == wanted else "more"
    return None
