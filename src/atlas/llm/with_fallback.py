"""Reads instructions by the organization's model, or by the offline engine if there is no model or it fails."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import msgspec

from atlas.accounts.access import Caller
from atlas.contract.imports import InstructionEngine
from atlas.contract.shape import absent
from atlas.errors import ModelError
from atlas.language.instructions import ImportInstruction
from atlas.language.offline.import_clauses.ambiguity import grave_phrases, unclear
from atlas.language.offline.import_clauses.parser import parse_import
from atlas.language.offline.records.parser import RecordInstruction, parse_records
from atlas.language.paraphrase import describe
from atlas.llm.service import ModelService
from atlas.tables.model import Table
from atlas.workers.calls import Calls

_REMEMBERED = 32
T = TypeVar("T", ImportInstruction, RecordInstruction)


@dataclass(frozen=True, slots=True)
class Understood(Generic[T]):
    """An instruction as read by an engine.

    engine: None if the organization has no model.
    """

    said: T
    engine: InstructionEngine | None = None
    notes: tuple[str, ...] = ()

    @property
    def told_engine(self) -> InstructionEngine:
        """Gives the engine as answers have it: they lack it where the organization has no model."""
        return self.engine or absent()

    @property
    def told_notes(self) -> tuple[str, ...]:
        """Gives the notes as answers have them: they lack them where the organization has no model."""
        return absent() if self.engine is None else self.notes


class LanguageService:
    """Reads the instructions of imports and records. calls: where long instructions are parsed."""

    def __init__(self, models: ModelService, calls: Calls) -> None:
        self._models, self._calls = models, calls
        # The last instructions, read without headers. An import asks twice: before the file's columns are known, and
        # when they are.
        self._read: OrderedDict[tuple[str, tuple[str, ...]], ImportInstruction] = OrderedDict()

    async def import_instruction(
        self, caller: Caller, text: str, tables: Sequence[Table]
    ) -> Understood[ImportInstruction]:
        """Reads an import instruction."""
        offline = await self._without_headers(text, tables)
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

    async def offline(self, text: str, tables: Sequence[Table], headers: Sequence[str]) -> ImportInstruction:
        """Reads an import instruction by the offline engine.

        headers: of the file, where known.
        """
        offline = await self._without_headers(text, tables)
        if not headers:
            return offline
        meant = [table for table in tables if offline.table == table.name]
        columns = [name for table in meant for each in table.columns for name in (each.name, each.header)]
        names = [table.name for table in tables]
        return await self._calls.run(len(text), parse_import, text, names, [*headers, *columns])

    async def _without_headers(self, text: str, tables: Sequence[Table]) -> ImportInstruction:
        asked = text, tuple(table.name for table in tables)
        found = self._read.get(asked)
        if found is None:
            found = self._read[asked] = await self._calls.run(len(text), parse_import, text, asked[1])
            if len(self._read) > _REMEMBERED:
                self._read.popitem(last=False)
        else:
            self._read.move_to_end(asked)
        return found

    async def with_headers(
        self, told: Understood[ImportInstruction], text: str, tables: Sequence[Table], headers: Sequence[str]
    ) -> Understood[ImportInstruction]:
        """Reads an instruction again with the headers of the file.

        A model's reading stays, and the model is not asked again.
        """
        if told.engine == "model":
            return told
        return replace(told, said=await self.offline(text, tables, headers))

    async def record_instruction(
        self, caller: Caller, text: str, tables: Sequence[Table]
    ) -> Understood[RecordInstruction]:
        """Reads a text on single records."""
        offline = await self._calls.run(len(text), parse_records, text, tables)
        try:
            engine = await self._models.engine_for(caller)
            if engine is None or offline.intent == "undo":
                # The thread decides what an undo takes back, so the model has nothing to decide.
                return Understood(offline)
            return Understood(await engine.record_instruction(text, tables), "model")
        except ModelError as error:
            return Understood(offline, "offline", (failure_note(error),))


def failure_note(error: ModelError) -> str:
    """Writes the note for a response where the offline engine replaced a failed model."""
    return f"The model provider failed ({error.reason}); the offline engine answered."
