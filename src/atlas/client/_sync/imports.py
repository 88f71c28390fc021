# Made from _async/imports.py by scripts/make_sync.py; change that one.
"""Imports of files, and issues of imports."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from os import PathLike
from typing import IO, Any, Literal
from uuid import uuid4

import httpx2

from atlas.client._multipart import FileSource, upload
from atlas.client._reading import read
from atlas.client._requests import SLOW_SECONDS, Call, backoff, given, path_of, query
from atlas.client._sync.downloads import save
from atlas.client._sync.resource import PAGE, Resource, import_path
from atlas.client._sync.waiting import sleep
from atlas.client.errors import ConnectionFailed, Invalid, NotFound, WaitTimeout
from atlas.client.types import Json
from atlas.contract.imports import ImportDetail, ImportInfo, ImportResult, Preview, Progress, Undone
from atlas.contract.issues import Corrected, IssueKind, Issues

HISTORY = "/api/v1/import-history"
IMPORT = "/api/v1/smart-import"
POLL_SECONDS = 1.0
FIND_ATTEMPTS = 3


class Imports(Resource):
    """Imports of files into tables, by an instruction in plain English.

    - file: a path, an open binary file, or a name and its content.
    - thread_id: a conversation, in which "now the same for this file" is understood.
    """

    def run(
        self,
        file: FileSource,
        instruction: str,
        *,
        thread_id: str | None = None,
        callback_url: str | None = None,
        callback_metadata: Mapping[str, Any] | None = None,
        import_id: str | None = None,
        accept_proposals: bool | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> ImportResult:
        """Imports a file: all of it, or nothing.

        - callback_url: runs the import later; the answer's status is `pending`; see `wait`.
        - import_id: a UUID of your choice, to follow the `progress` meanwhile.
        - accept_proposals: accepts columns that headers may mean. Without it, such a file is refused with a question.
        - progress: called with the bytes sent and their sum.

        After a lost connection, the client asks the server whether the import was done.

        Raises ConnectionFailed: when the connection broke and the import was not done.
        """
        metadata_text = None if callback_metadata is None else json.dumps(callback_metadata)
        chosen = import_id or str(uuid4())
        form = given(
            instruction=instruction,
            thread_id=thread_id,
            callback_url=callback_url,
            callback_metadata=metadata_text,
            import_id=chosen,
            accept_proposals=accept_proposals,
        )
        try:
            return _result(self._send(IMPORT, file, form, progress))
        except ConnectionFailed as error:
            found = self._found(chosen)
            if found is None:
                raise
            if found.status == "failed":
                raise Invalid(400, "Import failed", found.error) from error
            return _result_of(found)

    def _found(self, import_id: str) -> ImportDetail | None:
        """Returns an import with a lost answer once the import has ended, or None if the import never began."""
        for attempt in range(FIND_ATTEMPTS):
            # The server may still be receiving the last bytes.
            with contextlib.suppress(NotFound):
                info = self.get(import_id)
                return info if info.done or info.callback_url else self.wait(import_id)
            sleep(backoff(attempt))
        return None

    def preview(
        self,
        file: FileSource,
        instruction: str,
        *,
        thread_id: str | None = None,
        accept_proposals: bool | None = None,
    ) -> Preview:
        """Returns what an import would do, and its questions. Writes nothing."""
        form = given(instruction=instruction, thread_id=thread_id, accept_proposals=accept_proposals)
        return read(Preview, self._send(f"{IMPORT}/preview", file, form, None))

    def _send(
        self, path: str, file: FileSource, form: Mapping[str, str], progress: Callable[[int, int], None] | None
    ) -> Json:
        with upload(file, progress) as part:
            call = Call("POST", path, form=form, file=part, timeout=SLOW_SECONDS)
            answer: Json = self._transport.json(call)
        return answer

    def run_object(
        self,
        file_name: str,
        instruction: str,
        *,
        table: str | None = None,
        thread_id: str | None = None,
        callback_url: str | None = None,
        callback_metadata: Mapping[str, Any] | None = None,
        accept_proposals: bool | None = None,
    ) -> ImportResult:
        """Imports a file of the server's object storage like `run`."""
        body = given(
            file_name=file_name,
            instruction=instruction,
            target_table_name=table,
            thread_id=thread_id,
            callback_url=callback_url,
            callback_metadata=callback_metadata,
            accept_proposals=accept_proposals,
        )
        return _result(self._post(f"{IMPORT}-b2", body, timeout=SLOW_SECONDS))

    def history(
        self,
        *,
        table: str | None = None,
        status: str | None = None,
        waiting: bool | None = None,
        search: str | None = None,
        sort: str | None = None,
        limit: int | None = None,
        page_size: int = PAGE,
    ) -> Iterator[ImportInfo]:
        """Yields imports and updates, newest first.

        - waiting: True for imports with waiting issues, False for those without.
        - search: text in the name of file or table.
        - sort: a field such as `table_name`, `-` before it for descending.
        """
        params = {"table_name": table, "status": status, "waiting": waiting, "search": search, "sort": sort}
        for item in self._pages(HISTORY, "imports", limit, params, page=page_size):
            yield read(ImportInfo, item)

    def get(self, import_id: str) -> ImportDetail:
        """Returns all details of one import, with its plan and the waiting issues."""
        answer = self._get(path_of("api", "v1", "import-history", import_id))
        return read(ImportDetail, answer["import"])

    def status(self, import_id: str) -> Progress:
        """Returns the progress of an import now."""
        return read(Progress, self._get(import_path(import_id)))

    def progress(self, import_id: str) -> Iterator[Progress]:
        """Yields the progress of an import at each change, until it ends."""
        call = Call("GET", import_path(import_id, "progress"), timeout=SLOW_SECONDS)
        with self._transport.open(call) as response:
            for sse in httpx2.EventSource(response, max_event_size=None):
                if sse.event == "progress":
                    yield read(Progress, json.loads(sse.data))

    def wait(
        self, import_id: str, timeout: float | None = None, *, progress: Callable[[Progress], None] | None = None
    ) -> ImportDetail:
        """Waits until an import has ended, with success or not (see its status).

        Raises WaitTimeout: when the import has not ended after `timeout` seconds.
        """
        end = None if timeout is None else time.monotonic() + timeout
        attempt = 0
        while True:
            state = self.status(import_id)
            if progress is not None:
                progress(state)
            if state.done:
                return self.get(import_id)
            if end is not None and time.monotonic() >= end:
                raise WaitTimeout("Import is not done", f"{import_id} is {state.status} after {timeout} seconds")
            sleep(min(POLL_SECONDS, backoff(attempt)))
            attempt += 1

    def issues(self, import_id: str) -> Issues:
        """Returns the issues that wait for a decision: counts, and the first 50 of each kind."""
        return read(Issues, self._get(import_path(import_id, "issues")))

    def issues_page(
        self,
        import_id: str,
        kind: IssueKind,
        *,
        status: Literal["pending", "all"] = "pending",
        limit: int | None = None,
        page_size: int = PAGE,
    ) -> Iterator[Json]:
        """Yields all issues of a kind, by record."""
        path = import_path(import_id, "issues", kind)
        yield from self._pages(path, "issues", limit, {"status": status}, page=page_size)

    def correct(
        self,
        import_id: str,
        *,
        duplicates: Iterable[Mapping[str, Any]] = (),
        validation_failures: Iterable[Mapping[str, Any]] = (),
        value_replacements: Iterable[Mapping[str, Any]] = (),
        allow_type_change: bool = False,
    ) -> Corrected:
        """Applies decisions on issues: all, or none. The content API's documentation lists their members."""
        body = {
            "duplicates": [*duplicates],
            "validation_failures": [*validation_failures],
            "value_replacements": [*value_replacements],
            "allow_type_change": allow_type_change,
        }
        path = import_path(import_id, "issues", "correct")
        return read(Corrected, self._post(path, body, timeout=SLOW_SECONDS))

    def undo(self, import_id: str, *, partial: bool = False, dry_run: bool = False) -> Undone:
        """Undoes an import, update or correction as a whole.

        `partial` undoes only rows that have not changed since. `dry_run` returns what would be undone, and changes
        nothing.

        Raises Invalid: when others have changed the same rows since, and `partial` is not set.
        """
        path = import_path(import_id, "undo")
        answer = self._post(path, timeout=SLOW_SECONDS, partial=partial or None, dry_run=dry_run or None)
        return read(Undone, answer)

    def redo(
        self, import_id: str, mapping: Mapping[str, Any] | None = None, *, auto_execute: bool = False
    ) -> ImportResult:
        """Undoes an import and clears its mapping. With auto_execute, imports the stored file again."""
        body = given(mapping=mapping, auto_execute=auto_execute)
        return _result(self._post(import_path(import_id, "redo"), body, timeout=SLOW_SECONDS))

    def clear_mapping(self, import_id: str) -> None:
        """Clears the mapping; rows stay."""
        self._post(import_path(import_id, "clear-mapping"))

    def export(
        self,
        import_id: str,
        target: str | PathLike[str] | IO[bytes],
        *,
        include_metadata: bool = False,
        safe: bool = False,
    ) -> int:
        """Writes the rows of an import to a CSV file, and returns the size in bytes. `safe` is for spreadsheets."""
        params = query(include_metadata=include_metadata, safe=safe)
        return save(self._transport, Call("GET", import_path(import_id, "export"), params), target)


def _result(answer: Json) -> ImportResult:
    """Reads the result of an import. The answer has only a message if the import runs later or was undone."""
    return read(ImportResult, {"response_summary": answer.get("message", ""), **answer})


def _result_of(info: ImportDetail) -> ImportResult:
    """Builds the result of an import from its record, for a lost answer."""
    waiting = info.issues_waiting
    return ImportResult(
        status=info.status,
        import_id=info.import_id,
        file_name=info.file_name or "",
        table_name=info.table_name,
        records_processed=info.records_processed,
        records_inserted=info.records_inserted,
        records_updated=info.records_updated,
        duplicates_skipped=info.duplicates_found,
        records_left_out=info.records_left_out,
        validation_failures=info.validation_failures,
        value_replacements=info.value_replacements,
        new_columns=info.new_columns,
        action_taken=info.action_taken or "",
        response_summary=info.response_summary or "",
        has_correctable_issues=bool(waiting.duplicates or waiting.validations or waiting.replacements),
        dataset_id=info.dataset_id,
        thread_id=info.thread_id,
        language_engine=None,
        notes=(),
    )
