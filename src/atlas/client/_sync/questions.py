# Made from _async/questions.py by scripts/make_sync.py; change that one.
"""Questions, SQL, verified questions and glossary terms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from os import PathLike
from typing import IO, TYPE_CHECKING, Any, Literal

from atlas.client._reading import read
from atlas.client._requests import SLOW_SECONDS, Call, format_of, given, path_of
from atlas.client._sync.downloads import save
from atlas.client._sync.resource import PAGE, Resource
from atlas.client.results import HasRows, Result, Rows, read_result
from atlas.client.types import Json, Record
from atlas.contract.questions import GeneratedSql

if TYPE_CHECKING:
    pass

TUPLES = ("tables", "assumptions", "not_understood", "suggestions", "notes")


@dataclass(frozen=True)
class Answer(HasRows, Record):
    """The answer to a question. success False: the question was not understood, and `text` asks back.

    - text: a sentence.
    - sql, rows: the query that ran, and its result.
    - truncated: whether there are more rows.
    - seconds: time in the database.
    - chart: the best chart for the rows.
    - assumptions: readings of ambiguous words.
    - units: units of columns, by name.
    """

    success: bool
    text: str
    sql: str | None
    rows: Rows
    thread_id: str
    question_id: str
    engine: str = ""
    confidence: float = 0.0
    tables: tuple[str, ...] = ()
    truncated: bool = False
    seconds: float = 0.0
    chart: Json | None = None
    assumptions: tuple[str, ...] = ()
    not_understood: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    units: dict[str, str] = field(default_factory=dict)
    _questions: Questions | None = field(default=None, repr=False, compare=False)

    def ask(self, follow_up: str, *, max_rows: int | None = None) -> Answer:
        """Asks a further question in the same conversation."""
        assert self._questions is not None
        return self._questions.ask(follow_up, thread=self.thread_id, max_rows=max_rows)

    def rate(self, rating: Literal["up", "down"], comment: str | None = None, corrected_sql: str | None = None) -> Json:
        """Rates the answer."""
        assert self._questions is not None
        return self._questions.rate(self.question_id, rating, comment, corrected_sql)


class Questions(Resource):
    """Your own questions."""

    def ask(
        self, prompt: str, table: str | None = None, thread: str | None = None, max_rows: int | None = None
    ) -> Answer:
        """Answers a question in plain English; see `Client.ask`."""
        body = given(prompt=prompt, table_name=table, thread_id=thread, max_rows=max_rows)
        data = self._post("/api/v1/query", body, timeout=SLOW_SECONDS)
        members = {
            "success": data["success"],
            "text": data["response"],
            "sql": data["executed_sql"],
            "rows": Rows(data["data_csv"]),
            "seconds": data["execution_time_seconds"],
            "_questions": self,
        }
        members |= {name: tuple(data.get(name, ())) for name in TUPLES}
        return Answer.read({**data, **members})

    def sql(self, sql: str, max_rows: int | None = None) -> Result:
        """Runs one SELECT; see `Client.sql`."""
        return read_result(self._post("/api/v1/sql", given(sql=sql, max_rows=max_rows), timeout=SLOW_SECONDS))

    def export_sql(
        self,
        sql: str,
        target: str | PathLike[str] | IO[bytes],
        format: Literal["xlsx", "csv"] | None = None,
        *,
        max_rows: int | None = None,
        title: str | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> int:
        """Writes the rows of one SELECT to a file, up to 10,000, and returns the size in bytes.

        `format` is by default the ending of the file's name, else Excel. `title` is the name of the sheet.
        """
        file_format = format or format_of(target, "xlsx")
        body = given(sql=sql, format=file_format, max_rows=max_rows, title=title)
        call = Call("POST", "/api/v1/sql/export", json=body, timeout=SLOW_SECONDS)
        return save(self._transport, call, target, progress)

    def generate_sql(self, prompt: str, tables: Iterable[str] = ()) -> GeneratedSql:
        """Converts a question to SQL; see `Client.generate_sql`."""
        body = {"prompt": prompt, "table_hints": [*tables]}
        return read(GeneratedSql, self._post("/api/v1/generate-sql", body, timeout=SLOW_SECONDS))

    def list(self, *, thread: str | None = None, limit: int | None = None, page_size: int = PAGE) -> Iterator[Json]:
        """Yields questions that you asked, newest first, without their rows."""
        params = {"thread_id": thread}
        yield from self._pages("/api/v1/questions", "questions", limit, params, page=page_size)

    def get(self, question_id: str) -> Json:
        """Returns one of your questions."""
        answer = self._get(path_of("api", "v1", "questions", question_id))
        found: Json = answer["question"]
        return found

    def rate(
        self,
        question_id: str,
        rating: Literal["up", "down"],
        comment: str | None = None,
        corrected_sql: str | None = None,
    ) -> Json:
        """Rates an answer. A good rating suggests a verified question."""
        body = given(rating=rating, comment=comment, corrected_sql=corrected_sql)
        found: Json = self._post(path_of("api", "v1", "questions", question_id, "rating"), body)
        return found


class Verified(Resource):
    """Questions with SQL that a person has confirmed, shared by your organization."""

    path = "/api/v1/verified-questions"

    def list(
        self,
        *,
        status: Literal["verified", "suggested"] | None = None,
        limit: int | None = None,
        page_size: int = PAGE,
    ) -> Iterator[Json]:
        """Yields verified questions, the last changed first."""
        params = {"status": status}
        yield from self._pages(self.path, "verified_questions", limit, params, page=page_size)

    def create(self, question: str, sql: str, status: Literal["verified", "suggested"] = "verified") -> Json:
        """Stores SQL that answers this question from now on."""
        return _member(self._post(self.path, {"question": question, "sql": sql, "status": status}))

    def update(
        self,
        verified_id: str,
        *,
        question: str | None = None,
        sql: str | None = None,
        status: Literal["verified", "suggested"] | None = None,
    ) -> Json:
        """Changes the given fields. The status `verified` accepts a suggestion."""
        body = given(question=question, sql=sql, status=status)
        return _member(self._put(f"{self.path}{path_of(verified_id)}", body))

    def delete(self, verified_id: str) -> None:
        """Deletes a verified question."""
        self._delete(f"{self.path}{path_of(verified_id)}")


class Glossary(Resource):
    """Terms of your organization with their meanings."""

    path = "/api/v1/glossary"

    def list(self, *, limit: int | None = None, page_size: int = PAGE) -> Iterator[Json]:
        """Yields terms by name."""
        yield from self._pages(self.path, "terms", limit, {}, page=page_size)

    def create(self, term: str, meaning: str, table: str | None = None) -> Json:
        """Defines a term for questions. With a table, the meaning is a condition on the table's columns."""
        return _member(self._post(self.path, given(term=term, meaning=meaning, table_name=table)))

    def update(self, term_id: str, term: str, meaning: str, table: str | None = None) -> Json:
        """Replaces a term."""
        body = given(term=term, meaning=meaning, table_name=table)
        return _member(self._put(f"{self.path}{path_of(term_id)}", body))

    def delete(self, term_id: str) -> None:
        """Deletes a term."""
        self._delete(f"{self.path}{path_of(term_id)}")


def _member(answer: Any) -> Json:
    found: Json = answer["verified_question"] if "verified_question" in answer else answer["term"]
    return found
