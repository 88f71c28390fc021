"""Uses the package that openapi-python-client makes: uploads, inserts, downloads in every format, asks.

Started with the URL of a server and a key, in a folder that has the package; type-checked there as well.
"""

from __future__ import annotations

import io
import sys

import pyarrow as pa
import pyarrow.parquet as pq
from atlas_generated import AuthenticatedClient
from atlas_generated.api.data_instructions import instructions_run
from atlas_generated.api.datasets import datasets_create, datasets_search
from atlas_generated.api.import_issues import issues_list
from atlas_generated.api.imports import imports_export, imports_progress, imports_run
from atlas_generated.api.questions import questions_ask, sql_run
from atlas_generated.api.rows import rows_bulk_download, rows_bulk_insert, rows_latest, rows_live, rows_query
from atlas_generated.api.rows_of_tables import tables_export
from atlas_generated.api.system import system_metrics
from atlas_generated.api.tables import tables_update_from_file
from atlas_generated.models.answer_view import AnswerView
from atlas_generated.models.body_format import BodyFormat
from atlas_generated.models.bulk_body import BulkBody
from atlas_generated.models.dataset_page import DatasetPage
from atlas_generated.models.dataset_view import DatasetView
from atlas_generated.models.datasets_search_filters import DatasetsSearchFilters
from atlas_generated.models.detail_view import DetailView
from atlas_generated.models.error_view import ErrorView
from atlas_generated.models.import_form import ImportForm
from atlas_generated.models.import_view import ImportView
from atlas_generated.models.inserted_view import InsertedView
from atlas_generated.models.instruction_text import InstructionText
from atlas_generated.models.instruction_view import InstructionView
from atlas_generated.models.issues_view import IssuesView
from atlas_generated.models.new_dataset_body import NewDatasetBody
from atlas_generated.models.new_dataset_body_metadata import NewDatasetBodyMetadata
from atlas_generated.models.output import Output
from atlas_generated.models.query_body import QueryBody
from atlas_generated.models.result_view import ResultView
from atlas_generated.models.row_page import RowPage
from atlas_generated.models.row_view import RowView
from atlas_generated.models.sql_body import SqlBody
from atlas_generated.models.update_form import UpdateForm
from atlas_generated.models.updated_view import UpdatedView
from atlas_generated.types import File

TIMES = ("2026-01-05T10:00:00Z", "2026-01-05T11:00:00Z")
CONTACTS = b"name,email,age\nAnn,ann@x.com,31\nBob,bob@x.com,oops\n"


def rows(client: AuthenticatedClient) -> None:
    made = datasets_create.sync(
        client=client, body=NewDatasetBody(name="btc", metadata=NewDatasetBodyMetadata.from_dict({"source": "demo"}))
    )
    assert isinstance(made, DatasetView)
    found = datasets_search.sync(client=client, filters=DatasetsSearchFilters.from_dict({"source": "demo"}))
    assert isinstance(found, DatasetPage)
    assert [one.id for one in found.results] == [made.id]
    body = BulkBody.from_dict(
        {"dataset": made.id, "rows": [{"timestamp": TIMES[0], "values": {"open": 1, "close": 2.5}}]}
    )
    assert rows_bulk_insert.sync(client=client, body=body) == InsertedView(1, 1)
    table = pa.table({"timestamp": [TIMES[1]], "open": [3], "close": [4.5]})
    parquet = io.BytesIO()
    pq.write_table(table, parquet)
    stream = io.BytesIO()
    with pa.ipc.new_stream(stream, table.schema) as writer:
        writer.write_table(table)
    bodies = {
        BodyFormat.CSV: b"timestamp,open,close\n2026-01-05T11:00:00Z,3,4.5\n",
        BodyFormat.NDJSON: b'{"timestamp":"2026-01-05T11:00:00Z","open":3,"close":4.5}\n',
        BodyFormat.PARQUET: parquet.getvalue(),
        BodyFormat.ARROW: stream.getvalue(),
    }
    for form, data in bodies.items():
        sent = rows_bulk_insert.sync(client=client, dataset=made.id, format_=form, body=File(io.BytesIO(data)))
        assert sent == InsertedView(1, 1), (form, sent)
    page = rows_query.sync(client=client, dataset=made.id, limit=2)
    assert isinstance(page, RowPage)
    assert (page.count, page.results[0].values.to_dict()) == (5, {"open": 1, "close": 2.5})
    last = rows_latest.sync(client=client, dataset=made.id)
    assert isinstance(last, RowView)
    assert last.timestamp == TIMES[1]
    files = {}
    for output in Output:
        file = rows_bulk_download.sync(client=client, dataset=made.id, output=output)
        assert isinstance(file, File), (output, file)
        files[output] = file.payload.read()
    assert files[Output.CSV].startswith(b"timestamp,open,close\n")
    assert files[Output.JSON].startswith(b"[{")
    assert files[Output.NDJSON].count(b"\n") == 5
    assert pq.read_table(io.BytesIO(files[Output.PARQUET])).num_rows == 5
    assert pa.ipc.open_stream(files[Output.ARROW]).read_all().num_rows == 5
    live = rows_live.sync(client=client, dataset=made.id, limit=2)
    assert isinstance(live, File)
    assert live.payload.read().count(b"\n") == 2
    wrong = rows_query.sync(client=client, dataset=10**9)
    assert isinstance(wrong, ErrorView)
    assert wrong.error == "Dataset not found"


def tables(client: AuthenticatedClient) -> None:
    form = ImportForm(
        file=File(io.BytesIO(CONTACTS), file_name="contacts.csv", mime_type="text/csv"),
        instruction="Import into leads, email is the key, age is a number",
    )
    done = imports_run.sync(client=client, body=form)
    assert isinstance(done, ImportView), done
    assert (done.table_name, done.records_processed) == ("leads", 2)
    issues = issues_list.sync(client=client, import_id=done.import_id)
    assert isinstance(issues, IssuesView)
    text = imports_export.sync(client=client, import_id=done.import_id)
    assert isinstance(text, str)
    assert text.startswith("name,email,age\n")
    progress = imports_progress.sync(client=client, import_id=done.import_id)
    assert isinstance(progress, str)
    assert progress.startswith("event: progress\n")
    for output in Output:
        file = tables_export.sync(client=client, table_name="leads", format_=output)
        assert isinstance(file, File), (output, file)
        assert file.payload.read()
    changes = UpdateForm(
        file=File(io.BytesIO(b"email,age\nann@x.com,32\n"), file_name="changes.csv"), key_columns="email"
    )
    updated = tables_update_from_file.sync(client=client, table_name="leads", body=changes)
    assert isinstance(updated, UpdatedView), updated
    assert updated.rows_updated == 1
    words = InstructionText(text="Update the lead with email ann@x.com: set name to Anna")
    told = instructions_run.sync(client=client, body=words)
    assert isinstance(told, InstructionView), told
    assert told.success, told
    answer = questions_ask.sync(client=client, body=QueryBody(prompt="How many leads are there?"))
    assert isinstance(answer, AnswerView), answer
    assert answer.success
    result = sql_run.sync(client=client, body=SqlBody(sql="SELECT name, age FROM leads WHERE email = 'ann@x.com'"))
    assert isinstance(result, ResultView)
    assert result.data_csv.splitlines()[1] == "Anna,32"
    wrong = tables_export.sync(client=client, table_name="nothing")
    assert isinstance(wrong, DetailView)


def main() -> None:
    url, key = sys.argv[1:]
    with AuthenticatedClient(url, token=key, prefix="", auth_header_name="X-API-Key") as client:
        rows(client)
        tables(client)
        assert system_metrics.sync(client=client)
    print("used")


if __name__ == "__main__":
    main()
