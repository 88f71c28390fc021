"""Instructions to typed ones: by the organization's model where it has one, else by the offline engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, Literal, TypeVar

import msgspec

from atlas.accounts.access import Caller
from atlas.errors import ModelError
from atlas.language.instructions import ImportInstruction
from atlas.language.offline.import_clauses.ambiguity import grave_phrases, unclear
from atlas.language.offline.import_clauses.parser import parse_import
from atlas.language.offline.records.parser import RecordInstruction, parse_records
from atlas.language.paraphrase import describe
from atlas.llm.service import ModelService
from atlas.tables.model import Table

T = TypeVar("T", ImportInstruction, RecordInstruction)


@dataclass(frozen=True, slots=True)
class Understood(Generic[T]):
    """What an instruction says, and who says so. engine: None where the organization has no model."""

    said: T
    engine: Literal["model", "offline"] | None = None
    notes: tuple[str, ...] = ()

    def fields(self) -> dict[str, Any]:
        """Members of the response; none where there is no model to speak of."""
        return {} if self.engine is None else {"language_engine": self.engine, "notes": list(self.notes)}


class LanguageService:
    """Reads instructions."""

    def __init__(self, models: ModelService) -> None:
        self._models = models

    async def import_instruction(
        self, caller: Caller, text: str, tables: Sequence[Table]
    ) -> Understood[ImportInstruction]:
        """What an import's instruction says."""
        offline = parse_import(text, [table.name for table in tables])
        try:
            engine = await self._models.engine_for(caller)
            if engine is None:
                return Understood(offline)
            said = await engine.import_instruction(text, (), (), tables)
            if (grave := grave_phrases(said.not_understood)) and said.question is None:
                said = msgspec.structs.replace(said, question=unclear(grave))
            return Understood(msgspec.structs.replace(said, understood=describe(said)), "model")
        except ModelError as error:
            return Understood(offline, "offline", (failure_note(error),))

    def offline(self, text: str, tables: Sequence[Table], headers: Sequence[str]) -> ImportInstruction:
        """What the offline engine makes of an import's instruction. headers: of the file, once they are known."""
        offline = parse_import(text, [table.name for table in tables])
        meant = [table for table in tables if offline.table == table.name]
        columns = [name for table in meant for each in table.columns for name in (each.name, each.header)]
        return parse_import(text, [table.name for table in tables], [*headers, *columns]) if headers else offline

    def with_headers(
        self, told: Understood[ImportInstruction], text: str, tables: Sequence[Table], headers: Sequence[str]
    ) -> Understood[ImportInstruction]:
        """An instruction read again, now that the file's headers are known; a model is not asked again."""
        return told if told.engine == "model" else replace(told, said=self.offline(text, tables, headers))

    async def record_instruction(
        self, caller: Caller, text: str, tables: Sequence[Table]
    ) -> Understood[RecordInstruction]:
        """What a text on single records says."""
        offline = parse_records(text)
        try:
            engine = await self._models.engine_for(caller)
            if engine is None or offline.intent == "undo":
                # What shall be undone is decided by the thread, so there is nothing to ask a model.
                return Understood(offline)
            return Understood(await engine.record_instruction(text, tables), "model")
        except ModelError as error:
            return Understood(offline, "offline", (failure_note(error),))


def failure_note(error: ModelError) -> str:
    """What a response says where the offline engine stood in for a model."""
    return f"The model provider failed ({error.reason}); the offline engine answered."
