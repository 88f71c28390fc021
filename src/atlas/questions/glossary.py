"""The glossary of an organization, which engines use to answer questions."""

from __future__ import annotations

from atlas.accounts.access import Caller
from atlas.catalog.model import Catalog
from atlas.contract.questions import TermItem, TermPage, TermView
from atlas.contract.saved import RemovedView
from atlas.db.database import Database
from atlas.errors import BadRequestError, NotFoundError
from atlas.kit.validation import identified, refuse_text
from atlas.language.question import Term
from atlas.questions import repository as questions
from atlas.questions.repository import GlossaryTerm
from atlas.sqlgate.condition import parse_condition
from atlas.sqlgate.service import SqlService, table_named

MAX_TERM, MAX_MEANING = 200, 2_000
# The maximum number of terms for the reading of a question.
MAX_TERMS = 1_000


class GlossaryService:
    """Manages the terms of the caller's organization.

    A term on a dataset is visible to callers who may read the dataset.
    """

    def __init__(self, database: Database, sql: SqlService) -> None:
        self._database, self._sql = database, sql

    async def list(self, caller: Caller, limit: int, offset: int) -> TermPage:
        """Returns a page of terms, by name."""
        found = await questions.find_terms(self._database, caller, limit=limit, offset=offset)
        total = await questions.count_terms(self._database, caller)
        return TermPage(total, limit, offset, tuple(_item(term) for term in found))

    async def create(self, caller: Caller, term: str, meaning: str, table_name: str | None) -> TermView:
        """Creates a term.

        Raises BadRequestError: when the condition cannot be run, or the name is taken.
        """
        return await self._save(caller, None, term, meaning, table_name)

    async def change(self, caller: Caller, term_id: str, term: str, meaning: str, table_name: str | None) -> TermView:
        """Replaces a term.

        Raises NotFoundError: when the caller sees no such term.
        Raises BadRequestError: as `create` does.
        """
        return await self._save(caller, await self._find(caller, term_id), term, meaning, table_name)

    async def delete(self, caller: Caller, term_id: str) -> RemovedView:
        """Removes a term.

        Raises NotFoundError: when the caller sees no such term.
        """
        found = await self._find(caller, term_id)
        await questions.delete_term(self._database, caller, found.id)
        return RemovedView(str(found.id))

    async def terms(self, caller: Caller, catalog: Catalog) -> tuple[Term, ...]:
        """Returns the terms for a question, without the terms on tables that the catalog lacks."""
        found = await questions.find_terms(self._database, caller, limit=MAX_TERMS)
        # The name of a dataset may mean another dataset to the caller than to the author of the term.
        known = {(table.name, table.dataset_id) for table in catalog.tables}
        return tuple(
            Term(term.term, term.meaning, term.table_name)
            for term in found
            if term.table_name is None or (term.table_name, term.dataset_id) in known
        )

    async def _find(self, caller: Caller, term_id: str) -> GlossaryTerm:
        missing = NotFoundError("Term not found", f"no term with ID {term_id[:64]!r}")
        found = await questions.find_terms(self._database, caller, term_id=identified(term_id, missing))
        if not found:
            raise missing
        return found[0]

    async def _save(
        self, caller: Caller, old: GlossaryTerm | None, term: str, meaning: str, table_name: str | None
    ) -> TermView:
        term, meaning = " ".join(term.split()), meaning.strip()
        refuse_text("term", term, MAX_TERM)
        refuse_text("meaning", meaning, MAX_MEANING)
        dataset = None
        if table_name is not None:
            catalog = await self._sql.catalog(caller, names=[table_name])
            table = table_named(catalog, table_name)
            table_name, dataset = table.name, table.dataset_id
            # Engines put the condition into queries, so the condition must pass the checks of queries.
            names = [column.name for column in table.columns]
            await self._sql.calls.run(len(meaning), parse_condition, meaning, names)
            name = table.name.replace('"', '""')
            try:
                await self._sql.validate(caller, f'SELECT count(*) FROM "{name}" WHERE ({meaning})', catalog)
            except BadRequestError as error:
                raise BadRequestError("Invalid condition", f"meaning: {error.details}") from None
        made = await questions.save_term(
            self._database, caller, None if old is None else old.id, term, meaning, table_name, dataset
        )
        return TermView(_item(await self._find(caller, str(made))))


def _item(term: GlossaryTerm) -> TermItem:
    return TermItem(
        str(term.id),
        term.term,
        term.meaning,
        term.table_name,
        term.created_by,
        term.created_at,
        term.updated_at,
    )
