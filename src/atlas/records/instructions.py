"""Carries out instructions on single records: insert, update, archive, restore.

An unclear instruction gets a question, and writes nothing.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from atlas.accounts.access import Caller
from atlas.accounts.usage import wrote
from atlas.contract.records import Recorded, RecordedEntity
from atlas.contract.shape import absent
from atlas.db.database import Connection, Database
from atlas.errors import AtlasError, BadRequestError
from atlas.imports import repository as imports
from atlas.imports import undo_repository as undoing
from atlas.imports.checked import check
from atlas.imports.checks import Staged
from atlas.imports.files.source import Source, text_table
from atlas.imports.key_changes import refuse_taken_keys
from atlas.imports.load import Target, write_checked
from atlas.imports.matched import match
from atlas.imports.planner import inspect, make_plan
from atlas.imports.staging import Staging
from atlas.imports.undo import UndoService
from atlas.kit.close_names import close_name
from atlas.kit.identifiers import singular, table_identifier
from atlas.kit.plurals import many
from atlas.language.instructions import ImportInstruction
from atlas.language.offline.records.parser import Entity, RecordInstruction
from atlas.llm.with_fallback import LanguageService
from atlas.records import pending_repository as pending
from atlas.records import update_targets
from atlas.records.many_rows import QuestionError, plan_rows, preview_question
from atlas.records.pending_repository import Pending
from atlas.records.replies import Reply, read_reply
from atlas.records.validation import Labelled, as_text, insert_records, staged, update_records
from atlas.tables import bulk
from atlas.tables import repository as tables
from atlas.tables.model import Table, parse_row_uuid, row_uuid

Row = dict[str, Any]
# Longer texts are not kept for an answer.
_MOST_KEPT = 20_000
OPERATIONS = {"insert": "INSERT", "update": "UPDATE", "archive": "ARCHIVE", "restore": "RESTORE"}


class InstructionService:
    """Carries out data instructions."""

    def __init__(self, database: Database, undo: UndoService, language: LanguageService) -> None:
        self._database = database
        self._undo = undo
        self._language = language

    async def execute_text(self, caller: Caller, text: str, thread_id: str | None) -> Recorded:
        """Carries out an instruction in Markdown or plain English."""
        known = await tables.find_tables(self._database, caller)
        asked = await pending.take(self._database, caller, thread_id) if thread_id else None
        reply = Reply(text) if asked is None else read_reply(text, asked, known)
        if reply.declined:
            return replace(_recorded("none", (), True), intent=None, message="Nothing was written.")
        understood = await self._language.record_instruction(caller, reply.text, reply.among or known)
        if understood.said.intent == "undo":
            done = await self._undo.undo(caller, await self._undo.last_of_thread(caller, thread_id))
            found = replace(_recorded("undo", (), done.complete), message=done.message)
        else:
            said = reply.applied(understood.said)
            try:
                found = await self._run(caller, said, reply, thread_id)
            except QuestionError as question:
                found = await self._ask(caller, said.intent, question, reply, thread_id)
        return replace(found, language_engine=understood.told_engine, notes=understood.told_notes)

    async def _ask(
        self, caller: Caller, intent: str | None, question: QuestionError, reply: Reply, thread_id: str | None
    ) -> Recorded:
        """Asks a question, and keeps it, so that the next text of the conversation can answer it."""
        found = _question(intent, question)
        if len(reply.text) > _MOST_KEPT:
            return found
        thread = thread_id or str(uuid4())
        name = reply.among[0].name if reply.among else None
        asked = Pending(reply.text, question.asks, question.fingerprint, name, reply.match)
        await pending.keep(self._database, caller, thread, asked)
        return replace(found, thread_id=thread)

    async def structured(
        self, caller: Caller, intent: str, items: Sequence[Row], text: str, thread_id: str | None
    ) -> Recorded:
        """Carries out entities given as JSON: `entity_type`, `table_hint`, `data`, `match`.

        Raises BadRequestError for an insert without data.
        """
        entities = []
        for number, item in enumerate(items):
            data, match = dict(item["data"]), dict(item["match"])
            if intent == "insert" and not data:
                raise BadRequestError("Invalid instruction", f"entities[{number}].data: required")
            if intent != "insert" and not match:
                # Without a match, the data that identifies a record by its name is the match.
                keys = [name for name in ("id", "email") if name in data]
                match = {name: data.pop(name) for name in (keys[:1] if intent == "update" else list(data))}
            entities.append(Entity(item["entity_type"], item["table_hint"], data, match))
        return await self.run(caller, RecordInstruction(intent, tuple(entities)), text, thread_id)

    async def run(
        self, caller: Caller, instruction: RecordInstruction, text: str, thread_id: str | None = None
    ) -> Recorded:
        """Carries out a parsed instruction: all of it, or nothing."""
        try:
            return await self._run(caller, instruction, Reply(text), thread_id)
        except QuestionError as question:
            return _question(instruction.intent, question)

    async def _run(
        self, caller: Caller, instruction: RecordInstruction, reply: Reply, thread_id: str | None
    ) -> Recorded:
        """Carries out a parsed instruction. Raises QuestionError for an unclear one."""
        if instruction.question is not None or instruction.intent is None:
            question = instruction.question or "What should be done?"
            raise QuestionError(question, "table" if question.startswith("Which table is meant") else "other")
        known = await tables.find_tables(self._database, caller)
        intent, groups = instruction.intent, _grouped(instruction, known)
        if reply.update and intent == "insert":
            intent, groups = "update", [(table, [_as_update(table, each) for each in found]) for table, found in groups]
        async with self._database.transaction() as connection:
            results: list[RecordedEntity] = []
            for table, entities in groups:
                results += await self._group(connection, caller, intent, table, entities, reply, thread_id)
        wrote(sum(entity.record_count for entity in results))
        return _recorded(intent, results, True)

    async def _group(
        self,
        connection: Connection,
        caller: Caller,
        intent: str,
        table: Table | str,
        entities: Sequence[Entity],
        reply: Reply,
        thread_id: str | None,
    ) -> list[RecordedEntity]:
        """Carries out the entities of one table."""
        name = table if isinstance(table, str) else table.name
        said = reply.text[:10_000]
        import_id, number = await imports.create(
            self._database,
            caller,
            kind="instruction",
            instruction=said,
            thread=thread_id,
            table_name=name,
        )
        target = Target(caller, import_id, number, import_id)
        try:
            if isinstance(table, str):
                rows, found = await self._create(connection, target, table, entities)
            else:
                found = await _locked(connection, caller, table)
                await bulk.begin(connection)
                rows = await self._write(connection, target, intent, found, entities, reply.confirmed)
        except Exception as error:
            reason = error.details or error.message if isinstance(error, AtlasError) else str(error)[:500]
            await imports.fail(self._database, import_id, reason)
            raise
        return [_entity(intent, found, entity, numbers) for entity, numbers in zip(entities, rows, strict=True)]

    async def _create(
        self, connection: Connection, target: Target, name: str, entities: Sequence[Entity]
    ) -> tuple[list[list[int]], Table]:
        """Creates a table with the entities as its first rows."""
        fields = list(dict.fromkeys(field for entity in entities for field in entity.data))
        cells = [[as_text(entity.data.get(field)) for field in fields] for entity in entities]
        source = Source(fields, [None] * len(fields), iter([text_table(cells, len(fields))]))
        instruction = ImportInstruction(table=name, new=True, duplicates="keep")
        with tempfile.TemporaryDirectory(prefix="atlas-records-") as folder:
            staging = await asyncio.to_thread(Staging, Path(folder), source, keep_blank=True)
            try:
                plan = await asyncio.to_thread(
                    lambda: make_plan(staging, inspect(staging, instruction), instruction, [], name)
                )
                checked = await asyncio.to_thread(check, Staged(staging, plan))
                if (found := checked.first_problem()) is not None:
                    first = found[1][0]
                    raise BadRequestError("Invalid data", f"{first['column']}: {first['reason']} ({first['value']!r})")
                outcome = await write_checked(
                    connection, target, checked, lambda o: f"Created table {o.table} with {many(o.inserted, 'row')}."
                )
            finally:
                await asyncio.to_thread(staging.close)
        table = (await tables.find_tables(connection, target.caller, name=outcome.table))[0]
        first_row = outcome.first_row or 1
        return [[first_row + position] for position in range(len(entities))], table

    async def _write(
        self,
        connection: Connection,
        target: Target,
        intent: str,
        table: Table,
        entities: Sequence[Entity],
        confirmed: str | None,
    ) -> list[list[int]]:
        """Carries out the change, and returns the rows of each entity."""
        rows: list[list[int]] = []
        if intent == "insert":
            records = [
                Labelled(f"entities[{n}].data", _named(table, entity.data, f"entities[{n}].data"))
                for n, entity in enumerate(entities)
            ]
            await self._refuse_known(connection, table, records)
            numbers = await insert_records(connection, table, target.number, records)
            rows = [[number] for number in numbers]
            bounds: dict[str, Any] = {"inserted": len(numbers), "first_row": min(numbers), "last_row": max(numbers)}
        else:
            changes: list[tuple[int, Labelled]] = []
            for position, entity in enumerate(entities):
                label = f"entities[{position}]"
                found = [] if entity.every else await self._find(connection, table, entity, label, intent)
                values = [_named(table, entity.data, f"{label}.data")] * len(found)
                if entity.every or entity.arithmetic:
                    planned = await plan_rows(connection, table, entity, None if entity.every else found)
                    if (entity.every or planned.notes) and planned.fingerprint(intent, table) != confirmed:
                        raise preview_question(intent, table, entity, planned)
                    found, values = planned.rows, planned.values
                rows.append(found)
                changes += [(row, Labelled(f"{label}.data", each)) for row, each in zip(found, values, strict=True)]
            every = [row for found in rows for row in found]
            bounds = {"updated": len(every)}
            if intent == "update":
                await update_records(connection, table, target.number, changes)
            else:
                await undoing.archive(connection, table, target.number, every, restore=intent == "restore")
                if intent == "restore":
                    await refuse_taken_keys(connection, table, every, "restore")
        await imports.finish(
            connection,
            target.import_id,
            status="success",
            action=intent,
            plan=None,
            table_id=table.id,
            table_name=table.name,
            records=len(entities),
            summary=f"{intent.capitalize()} of {many(len(entities), 'record')}.",
            **bounds,
        )
        return rows

    async def _refuse_known(self, connection: Connection, table: Table, records: Sequence[Labelled]) -> None:
        """Raises QuestionError when a record has the key of an existing row."""
        if not table.key:
            return
        async with staged(table, table.columns, records) as checked:
            matched = await asyncio.to_thread(match, checked, table.columns)
            if matched.repeats:
                raise QuestionError(f"Two of the records have the same {' and '.join(table.key)}. Which one is right?")
            found = await bulk.find_keys(connection, table, await asyncio.to_thread(matched.candidate_keys))
        if len(found):
            record = records[found.column("n")[0].as_py() - 1].record
            key = ", ".join(f"{name} {record.get(name)!r}" for name in table.key)
            raise QuestionError(f"{table.name} has a row with {key} already. Should it be updated instead?", "update")

    async def _find(self, connection: Connection, table: Table, entity: Entity, label: str, intent: str) -> list[int]:
        """Returns the one row that an entity means. Raises QuestionError for none or several."""
        match = dict(entity.match)
        if not match:
            raise QuestionError(f"Which row of {table.name} should be {intent}d? Name a field that identifies it.")
        for name in list(match):
            row = parse_row_uuid(str(match[name]), table.id)
            if name.lower() == "id" and row is not None:
                return [row]
        named = {name: as_text(value) for name, value in _named(table, match, f"{label}.match").items()}
        found = await update_targets.find_rows(connection, table, named, archived=intent == "restore")
        stated = " and ".join(f"{name} {value!r}" for name, value in named.items())
        if not found:
            raise QuestionError(f"No row of {table.name} has {stated}. Which one do you mean?")
        if len(found) > 1:
            question = f"{many(len(found), 'row')} of {table.name} have {stated}. Which one do you mean?"
            raise QuestionError(question, "row")
        return found


async def _locked(connection: Connection, caller: Caller, table: Table) -> Table:
    found = await tables.lock(connection, caller, table.id)
    if found is None:
        raise BadRequestError("Table is gone", f"{table.name!r} has been removed meanwhile")
    return found


def _grouped(instruction: RecordInstruction, known: Sequence[Table]) -> list[tuple[Table | str, list[Entity]]]:
    """Groups entities by their tables, or by the name of a new table for an insert without a table."""
    by_name = {table.name: table for table in known}
    groups: dict[str, tuple[Table | str, list[Entity]]] = {}
    for entity in instruction.entities:
        wanted = entity.table_hint or entity.entity_type
        found = close_name(wanted, list(by_name)) if wanted else None
        if found is None and instruction.intent == "insert" and wanted and wanted != "record":
            target: Table | str = table_identifier(entity.table_hint or plural(entity.entity_type))
        elif found is None:
            listed = ", ".join(by_name) or "none"
            raise QuestionError(f"Which table is {wanted!r}? There is {listed}.", "table")
        else:
            target = by_name[found]
        name = target if isinstance(target, str) else target.name
        groups.setdefault(name, (target, []))[1].append(entity)
    if not groups:
        raise QuestionError("Which records are meant?")
    return list(groups.values())


def _as_update(table: Table | str, entity: Entity) -> Entity:
    """Turns a new record into an update of the row with its key."""
    if isinstance(table, str) or not table.key:
        raise QuestionError("Which field identifies the row that should be updated?")
    named = _named(table, entity.data, "data")
    match = {name: str(named.pop(name)) for name in table.key if named.get(name) is not None}
    if len(match) < len(table.key) or not named:
        raise QuestionError(f"What should be changed in {table.name}?")
    return replace(entity, data=named, match=match)


def plural(word: str) -> str:
    """Returns a plain English plural."""
    if singular(word) != word:
        return word
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return word[:-1] + "ies"
    return word + ("es" if word.endswith(("s", "x", "ch", "sh")) else "s")


def _named(table: Table, record: Mapping[str, Any], label: str) -> Row:
    """Renames a record's fields to the table's columns, also by synonyms. Raises QuestionError for an unknown field."""
    found: Row = {}
    names = [column.name for column in table.columns]
    for field, value in record.items():
        column = table.find_column(field)
        name = column.name if column is not None else close_name(field, names, columns=True)
        if name is None:
            raise QuestionError(
                f"{table.name} has no field {field!r}; it has {', '.join(names)}. Which one do you mean?"
            )
        if name in found:
            raise BadRequestError("Invalid data", f"{label}.{field}: the field {name!r} is given twice")
        found[name] = value
    return found


def _entity(intent: str, table: Table, entity: Entity, rows: Sequence[int]) -> RecordedEntity:
    ids = tuple(row_uuid(table.id, row) for row in rows)
    inserted = intent == "insert"
    return RecordedEntity(
        entity_type=entity.entity_type,
        table_name=table.name,
        success=True,
        operation=OPERATIONS[intent],
        record_count=len(rows),
        inserted_ids=ids if inserted else absent(),
        affected_ids=absent() if inserted else ids,
    )


def _recorded(intent: str, entities: Sequence[RecordedEntity], success: bool) -> Recorded:
    return Recorded(
        success=success,
        intent=intent,
        entities=tuple(entities),
        tables_affected=tuple(dict.fromkeys(entity.table_name for entity in entities)),
        total_records_processed=sum(entity.record_count for entity in entities),
    )


def _question(intent: str | None, question: QuestionError) -> Recorded:
    preview = absent() if question.preview is None else question.preview
    return Recorded(False, intent, (), (), 0, str(question), preview)
