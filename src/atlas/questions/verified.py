"""Verified questions: questions with SQL that people of an organization have confirmed."""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from rapidfuzz import fuzz, process

from atlas.accounts.access import Caller
from atlas.catalog.mentions import read_by
from atlas.catalog.model import Catalog
from atlas.contract.questions import VerifiedItem, VerifiedPage, VerifiedStatus, VerifiedView
from atlas.contract.saved import RemovedView
from atlas.db.database import Database
from atlas.errors import BadRequestError, NotFoundError
from atlas.kit.validation import identified, refuse_text
from atlas.language.question import Turn
from atlas.questions import repository as questions
from atlas.questions.repository import Asked, Verified
from atlas.sqlgate.gate import CheckedQuery
from atlas.sqlgate.lexer import MAX_CHARACTERS as MAX_SQL
from atlas.sqlgate.service import SqlService, dataset_ids

MAX_QUESTION = 4_000
EXAMPLES = 5
# Examples are chosen among this number of questions, latest change first. An equal question is searched among all.
MAX_RANKED = 2_000
# The least similarity of an example, from 0 to 100.
_ALIKE = 40.0


@dataclass(frozen=True, slots=True)
class VerifiedChange:
    """Changes of a verified question. None keeps a field."""

    question: str | None = None
    sql: str | None = None
    status: VerifiedStatus | None = None


class VerifiedService:
    """Manages the verified questions of the caller's organization.

    A question on datasets is visible to its author and to callers who may read all the datasets.
    """

    def __init__(self, database: Database, sql: SqlService) -> None:
        self._database, self._sql = database, sql

    async def list(self, caller: Caller, status: str | None, limit: int, offset: int) -> VerifiedPage:
        """Returns a page of verified questions, latest change first."""
        if status not in (None, "verified", "suggested"):
            raise BadRequestError("Invalid parameter", "status: one of verified, suggested")
        found = await questions.find_verified(self._database, caller, status=status, limit=limit, offset=offset)
        total = await questions.count_verified(self._database, caller, status)
        return VerifiedPage(total, limit, offset, tuple(_item(one) for one in found))

    async def create(self, caller: Caller, question: str, sql: str, status: VerifiedStatus) -> VerifiedView:
        """Creates a verified question.

        Raises BadRequestError: when the SQL cannot be run, or the question is verified already.
        """
        return await self._save(caller, None, question, sql, status)

    async def change(self, caller: Caller, verified_id: str, change: VerifiedChange) -> VerifiedView:
        """Changes a verified question.

        `status` "verified" accepts a suggestion. The SQL is checked again in any case.
        """
        old = await self._find(caller, verified_id)
        question, sql = change.question or old.question, change.sql or old.sql
        status: VerifiedStatus = "verified" if (change.status or old.status) == "verified" else "suggested"
        return await self._save(caller, old, question, sql, status)

    async def delete(self, caller: Caller, verified_id: str) -> RemovedView:
        """Removes a verified question.

        Raises NotFoundError: when the caller sees no such question.
        """
        found = await self._find(caller, verified_id)
        await questions.delete_verified(self._database, caller, found.id)
        return RemovedView(str(found.id))

    async def same(self, caller: Caller, text: str) -> Sequence[Verified]:
        """Finds verified questions that differ in case, blanks and end marks only.

        `usable` selects the questions that apply to a catalog.
        """
        return await questions.find_verified(
            self._database, caller, status="verified", normalized=normalized(text), limit=EXAMPLES
        )

    async def examples(self, caller: Caller, text: str, catalog: Catalog) -> tuple[Turn, ...]:
        """Ranks up to 2,000 verified questions by their wording.

        Returns the most similar questions, best first, as examples for a model.
        """
        found = await questions.find_verified(self._database, caller, status="verified", limit=MAX_RANKED)
        known = usable(found, catalog)
        if not known:
            return ()
        ranked = await asyncio.to_thread(
            process.extract,
            normalized(text),
            [one.normalized for one in known],
            scorer=fuzz.token_set_ratio,
            limit=EXAMPLES,
            score_cutoff=_ALIKE,
        )
        return tuple(Turn(known[place].question, known[place].sql) for _, _, place in ranked)

    async def suggest(self, caller: Caller, asked: Asked, checked: CheckedQuery, catalog: Catalog) -> UUID | None:
        """Returns the suggestion that a rating makes, or an equal suggestion.

        Returns None if the SQL is verified already.
        """
        same = normalized(asked.prompt)
        known = await questions.find_verified(self._database, caller, normalized=same, limit=MAX_RANKED)
        for one in sorted(usable(known, catalog), key=lambda one: one.status == "suggested"):
            if one.sql == checked.logical:
                return None if one.status == "verified" else one.id
        return await questions.suggest(
            self._database,
            caller,
            asked.id,
            asked.prompt,
            same,
            checked.logical,
            checked.tables,
            dataset_ids(catalog, checked.tables),
        )

    async def _find(self, caller: Caller, verified_id: str) -> Verified:
        missing = NotFoundError("Verified question not found", f"none with ID {verified_id[:64]!r}")
        found = await questions.find_verified(self._database, caller, verified_id=identified(verified_id, missing))
        if not found:
            raise missing
        return found[0]

    async def _save(
        self, caller: Caller, old: Verified | None, question: str, sql: str, status: VerifiedStatus
    ) -> VerifiedView:
        question = " ".join(question.split())
        refuse_text("question", question, MAX_QUESTION)
        refuse_text("sql", sql, MAX_SQL)
        same = normalized(question)
        catalog = await self._sql.catalog(caller, names=read_by(sql))
        checked = await self._sql.validate(caller, sql, catalog)
        if status == "verified":
            found = await questions.find_verified(
                self._database, caller, status="verified", normalized=same, limit=EXAMPLES
            )
            for one in usable(found, catalog):
                if old is None or one.id != old.id:
                    raise BadRequestError("Invalid question", f"question: it is verified already, as {one.id}")
        made = await questions.save_verified(
            self._database,
            caller,
            None if old is None else old.id,
            question,
            same,
            checked.logical,
            checked.tables,
            dataset_ids(catalog, checked.tables),
            status,
        )
        return VerifiedView(_item(await self._find(caller, str(made))))


def normalized(text: str) -> str:
    """Normalizes case, blanks and end marks of a question, for comparison."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split()).rstrip(" ?!.")


def usable(found: Sequence[Verified], catalog: Catalog) -> list[Verified]:
    """Selects questions whose tables are in the catalog and still are the tables of the author.

    Two users' datasets may have equal names, and a name may belong to another dataset by now.
    """
    known = {table.name: table.dataset_id for table in catalog.tables}

    def means_the_same(one: Verified) -> bool:
        datasets = {known[name] for name in one.tables if name in known} - {None}
        return known.keys() >= set(one.tables) and datasets == set(one.datasets)

    return [one for one in found if means_the_same(one)]


def _item(one: Verified) -> VerifiedItem:
    return VerifiedItem(
        str(one.id),
        one.question,
        one.sql,
        tuple(one.tables),
        one.status,
        one.source,
        one.created_by,
        one.created_at,
        one.updated_at,
    )
