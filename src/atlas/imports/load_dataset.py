"""Loads a staged file into a dataset of the time-series half. The rows are streamed live like any others."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pyarrow as pa

from atlas.db.copy import in_thread
from atlas.db.database import Connection, Database
from atlas.errors import BadRequestError
from atlas.imports.checked import Checked, check
from atlas.imports.checks import Staged
from atlas.imports.load import Outcome, Target, record_success
from atlas.imports.plan import ImportPlan
from atlas.imports.staging import Staging
from atlas.tables import bulk
from atlas.timeseries import repository as datasets
from atlas.timeseries.frames import TIMESTAMP, Frame
from atlas.timeseries.ingest import transaction


async def load_dataset(
    database: Database,
    target: Target,
    staging: Staging,
    plan: ImportPlan,
    *,
    summarize: Callable[[Outcome], str],
    ended: Callable[[Connection], Awaitable[None]],
) -> Outcome:
    """Appends a staged file to the caller's dataset with the plan's name, or to a new dataset, entirely or not at all.

    ended: does further work at the end of the import, in the same transaction.
    """
    checked = checked_dataset(staging, plan)
    async with database.transaction() as connection:
        outcome = await write_dataset(connection, target, checked, summarize)
        await ended(connection)
    return outcome


def checked_dataset(staging: Staging, plan: ImportPlan) -> Checked:
    """Checks the records as rows of a dataset.

    Raises BadRequestError: with the first record that is no row.
    """
    checked = check(Staged(staging, plan))
    time = plan.column(plan.time_column or "")
    assert time is not None, "the planner names a column"
    absent = f"{checked.file.where} AND ({checked.file.value(time)}) IS NULL"
    missing = int(staging.query(f"SELECT count(*) FROM raw WHERE {absent}")[0][0])
    if checked.failing or missing or checked.file.bad:
        raise BadRequestError("Invalid rows", _first_problem(checked, time.name, absent))
    return checked


async def write_dataset(
    connection: Connection, target: Target, checked: Checked, summarize: Callable[[Outcome], str]
) -> Outcome:
    """Writes checked records as rows of a dataset, within a transaction."""
    plan = checked.plan
    await bulk.begin(connection)
    dataset_id = await datasets.find_owned(connection, target.caller.user_id, plan.table)
    outcome = Outcome(plan.table, records=checked.staging.records)
    if dataset_id is None:
        outcome.action = "create"
        dataset_id = int((await datasets.create(connection, target.caller, plan.table, "", {}))["id"])
    outcome.dataset_id = dataset_id
    written = await transaction.append(connection, dataset_id, _frames(checked, plan.time_column or ""))
    outcome.inserted = written.rows
    if outcome.inserted:
        outcome.last_row = await transaction.last_number(connection, dataset_id)
        outcome.first_row = outcome.last_row - outcome.inserted + 1
    await record_success(connection, target, plan, outcome, summarize(outcome))
    return outcome


def _first_problem(checked: Checked, time_column: str, absent: str) -> str:
    """Returns the reason why the first wrong record is no row.

    absent: the condition for a record without a time.
    """
    staging = checked.staging
    if checked.file.bad:
        first = checked.file.bad[0]
        return f"record {first.number}: {first.reason}"
    if (found := checked.first_problem()) is not None:
        number, problems = found
        return f"record {number}: {problems[0]['column']}: {problems[0]['reason']} ({problems[0]['value']!r:.100})"
    number = staging.query(f"SELECT min(_n) FROM raw WHERE {absent}")[0][0]
    return f"record {number}: {time_column}: a dataset's row needs a time"


async def _frames(checked: Checked, time_column: str) -> AsyncIterator[Frame]:
    columns = [column for column in checked.plan.columns if column.name != time_column]
    notes = {column.name: (column.unit, column.description) for column in columns}
    async for batch in in_thread(checked.rows()):
        table = pa.table(batch)
        ts = table.column(time_column).combine_chunks()
        frame = Frame(
            ts.cast(pa.timestamp("us")).cast(TIMESTAMP) if pa.types.is_date(ts.type) else ts.cast(TIMESTAMP),
            {name: _plain(table.column(name).combine_chunks()) for name in notes},
            notes=notes,
        )
        yield frame.sorted()


def _plain(array: pa.Array) -> pa.Array:
    """Converts a column to the types of a dataset."""
    return array.cast(pa.string()) if pa.types.is_temporal(array.type) else array
