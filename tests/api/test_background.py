"""Asynchronous imports, webhooks and object storage, against real local servers."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import msgspec
import psycopg
import pytest
from standardwebhooks import Webhook
from tests.api.test_imports import CONTACTS, get, post, send
from tests.callers import app_of, share_of
from tests.conftest import People, caller_of, serve

from atlas.client import ImportNeedsReview, WebhookRefused, read_webhook
from atlas.db import job_queue
from atlas.imports.background import BackgroundService
from atlas.kit import admission
from atlas.settings import Settings
from atlas.webhooks import events
from atlas.webhooks.events import event_type

pytestmark = pytest.mark.anyio


class Receiver:
    """A webhook receiver on loopback. `answers`: statuses to give, the last one for good."""

    def __init__(self) -> None:
        self.answers, self.seen = [200], []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.seen.append((dict(self.headers), body))
                status = receiver.answers.pop(0) if len(receiver.answers) > 1 else receiver.answers[0]
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    async def wait(self, count: int) -> list[tuple[dict[str, str], bytes]]:
        for _ in range(1200):
            if len(self.seen) >= count:
                return list(self.seen)
            await asyncio.sleep(0.05)
        raise AssertionError(f"{len(self.seen)} of {count} came")

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers that look often for what is to be done again, and for what the dead have left."""
    monkeypatch.setattr(job_queue, "POLL_SECONDS", 0.2)
    monkeypatch.setattr(job_queue, "SWEEP_SECONDS", 0.5)
    monkeypatch.setattr(job_queue, "DELIVERY_WAIT", 1)


@pytest.fixture
async def working(settings: Settings, people: People) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server that works on jobs and may call this machine."""
    async with serve(settings.model_copy(update={"jobs": 2, "webhook_loopback": True})) as make:
        yield make(people.owner)


async def submit(client: httpx.AsyncClient, url: str, data: bytes = CONTACTS, **form: str) -> dict[str, Any]:
    form = {"instruction": "Import into leads, key is email", "callback_url": url, **form}
    return await send(client, form.pop("instruction"), data, **form)


@pytest.mark.usefixtures("owner_is_admin")
async def test_an_asynchronous_import_is_announced_and_signed(working: httpx.AsyncClient, receiver: Receiver) -> None:
    pending = await submit(working, receiver.url, callback_metadata='{"job_id": "abc123"}')
    assert pending == {
        "status": "pending",
        "message": "Import of 'contacts.csv' is being processed asynchronously.",
        "file_name": "contacts.csv",
        "import_id": pending["import_id"],
    }
    headers, body = (await receiver.wait(1))[0]
    told = json.loads(body)
    # What the contract names.
    assert {
        "status": "success",
        "import_id": pending["import_id"],
        "file_name": "contacts.csv",
        "table_name": "leads",
        "records_imported": 2,
        "duplicates_removed": 1,
        "timestamp": told["timestamp"],
        "metadata": {"job_id": "abc123"},
    }.items() <= told.items()
    # What waits is not hidden behind `success`.
    assert {
        "type": "import.needs_review",
        "id": headers["webhook-id"],
        "dataset_id": None,
        "records_processed": 4,
        "records_inserted": 2,
        "records_updated": 0,
        "duplicates_skipped": 1,
        "records_left_out": 0,
        "validation_failures": 1,
        "value_replacements": 1,
        "has_correctable_issues": True,
        "issues_waiting": {"duplicates": 1, "validations": 1, "replacements": 1},
    }.items() <= told.items()
    detail = (await get(working, f"import-history/{pending['import_id']}"))["import"]
    assert detail["issues_waiting"] == told["issues_waiting"]
    secret = (await get(working, "webhooks/secret"))["secret"]
    Webhook(secret).verify(body, {name.lower(): value for name, value in headers.items()})
    event = read_webhook(body, headers, ["whsec_" + "A" * 32, secret])
    assert isinstance(event, ImportNeedsReview)
    assert (event.validation_failures, event.issues_waiting.validations, event.metadata) == (1, 1, {"job_id": "abc123"})
    with pytest.raises(WebhookRefused, match="signature"):
        read_webhook(body.replace(b"success", b"failure"), headers, secret)
    for _ in range(300):
        found = (await get(working, f"webhooks/deliveries?import_id={pending['import_id']}"))["deliveries"]
        if found[0]["status"] == "delivered":
            break
        await asyncio.sleep(0.1)
    assert found[0]["type"] == "import.needs_review"
    assert (found[0]["status"], len(found[0]["attempts"]), found[0]["attempts"][0]["status"]) == ("delivered", 1, 200)
    assert (await get(working, f"import/{pending['import_id']}"))["status"] == "success"
    await post(working, f"webhooks/deliveries/{found[0]['id']}/redeliver", {})
    assert (await receiver.wait(2))[1][1] == body


async def test_a_failed_import_is_announced_too(working: httpx.AsyncClient, receiver: Receiver) -> None:
    pending = await submit(working, receiver.url, data=b'[{"a": 1}, {"a":')
    headers, body = (await receiver.wait(1))[0]
    told = json.loads(body)
    assert set(told) == {"type", "id", "import_id", "status", "file_name", "error", "timestamp"}
    assert (told["type"], told["status"], told["file_name"]) == ("import.failed", "failed", "contacts.csv")
    assert (told["id"], told["import_id"]) == (headers["webhook-id"], pending["import_id"])
    assert "/tmp" not in told["error"]
    assert (await get(working, f"import/{pending['import_id']}"))["status"] == "failed"


async def test_an_import_without_issues_says_so(working: httpx.AsyncClient, receiver: Receiver) -> None:
    for data, skipped, kind in ((b"name,email\nAnn,a@x.com\n", 0, "succeeded"), (b"name,email\n,a@x.com\n", 1, None)):
        pending = await submit(working, receiver.url, data)
        _, body = (await receiver.wait(1 + skipped))[-1]
        told = msgspec.json.decode(body, type=events.Event)
        assert isinstance(told, events.ImportSucceeded | events.ImportNeedsReview)
        waits = any(msgspec.to_builtins(told.issues_waiting).values())
        assert (told.import_id, told.has_correctable_issues) == (pending["import_id"], waits)
        assert isinstance(told, events.ImportNeedsReview) == waits
        if kind:
            assert event_type(type(told)) == f"import.{kind}"
        parts = (told.records_inserted, told.records_updated, told.duplicates_skipped)
        assert told.records_processed == sum(parts) + told.validation_failures + told.records_left_out


async def test_an_import_that_runs_later_takes_proposals_as_told(
    working: httpx.AsyncClient, receiver: Receiver
) -> None:
    await send(working, "into prices, sku is the key", b"sku,price\nA1,10.5\n")
    form = {"instruction": "into prices, update existing rows", "callback_url": receiver.url}
    for accepted, status in ((None, "failed"), ("true", "success")):
        more = {} if accepted is None else {"accept_proposals": accepted}
        files = {"file": ("p.csv", b"sku,cost\nA1,1.5\n")}
        answer = await working.post("/api/v1/smart-import", data=form | more, files=files)
        assert answer.json()["status"] == "pending"
        told = json.loads((await receiver.wait(1 + (status == "success")))[-1][1])
        assert told["status"] == status, told
    assert told["records_updated"] == 1


async def test_what_was_accepted_waits_for_the_share_of_its_user(
    settings: Settings, people: People, receiver: Receiver, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the share is taken an import waits, a request is refused, and what is done for nobody goes on."""
    monkeypatch.setattr(job_queue, "IMPORT_WAIT", 1)
    monkeypatch.setattr(admission, "CONNECTION_WAIT", 0.05)
    query = "SELECT i.status, i.starts, (SELECT max(attempts) FROM atlas_jobs.procrastinate_jobs) FROM atlas.imports i"
    async with serve(settings.model_copy(update={"webhook_loopback": True})) as make:
        client, services = make(people.owner), app_of(make).state.services
        background = services.get(BackgroundService)
        lane = background._database._turns._lane
        with psycopg.connect(database_url, autocommit=True) as connection:
            # In a task of its own, as the application here runs in the caller's: jobs are started for nobody.
            pending = await asyncio.create_task(submit(client, receiver.url, b"name,email\nAnn,a@x.com\n"))
            caller = await caller_of(background._database, people.owner)
            with share_of(lane, caller):
                background.start(1)
                async with asyncio.timeout(30):
                    while (found := connection.execute(query).fetchone()) is None or not found[2]:
                        await asyncio.sleep(0.05)
                # No process has died of it, however often it is run again.
                assert found[:2] == ("running", 0), found
                assert not receiver.seen
            receiver.answers = [500, 200]
            assert json.loads((await receiver.wait(1))[0][1])["status"] == "success"
            with share_of(lane, caller):
                # A delivery that is tried again, ...
                await receiver.wait(2)
                refused = await client.post(f"/api/v1/import/{pending['import_id']}/redo", json={"auto_execute": True})
                assert refused.status_code == 429, refused.text
                # ... and one whose job was lost, which the sweep finds.
                connection.execute("DELETE FROM atlas_jobs.procrastinate_jobs")
                connection.execute("UPDATE atlas.webhook_deliveries SET status = 'pending'")
                await receiver.wait(3)
            assert (await get(client, f"import/{pending['import_id']}"))["status"] == "success"
            redone = await post(client, f"import/{pending['import_id']}/redo", {"auto_execute": True})
            assert (redone["status"], redone["records_inserted"]) == ("success", 1)


async def test_deliveries_are_tried_again(working: httpx.AsyncClient, receiver: Receiver) -> None:
    receiver.answers = [500, 302, 200]
    pending = await submit(working, receiver.url)
    await receiver.wait(3)
    for _ in range(300):
        found = (await get(working, f"webhooks/deliveries?import_id={pending['import_id']}"))["deliveries"][0]
        if found["status"] == "delivered":
            break
        await asyncio.sleep(0.1)
    assert [attempt["status"] for attempt in found["attempts"]] == [500, 302, 200]
    # As every time: UTC, with a Z.
    assert all(time.endswith("Z") for time in (found["created_at"], *(one["at"] for one in found["attempts"])))
    ids = {headers["webhook-id"] for headers, _ in receiver.seen}
    assert len(ids) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/x",
        "http://localhost/x",
        "http://169.254.169.254/latest",
        "http://10.0.0.1/",
        "http://[::1]/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://[::ffff:10.0.0.1]/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "http://user:pw@example.com/",
        "http://127.1/",
        "http://0/",
        "https://",
        "nonsense",
        "http://100.64.0.1/",
    ],
)
async def test_callbacks_to_private_addresses_are_refused(owner: httpx.AsyncClient, url: str) -> None:
    form = {"instruction": "Import into leads", "callback_url": url}
    response = await owner.post("/api/v1/smart-import", data=form, files={"file": ("c.csv", CONTACTS)})
    assert response.status_code == 400, response.text
    assert "callback_url" in response.json()["detail"]
    assert (await get(owner, "import-history"))["total_count"] == 0


async def test_metadata_must_be_an_object(owner: httpx.AsyncClient) -> None:
    for bad in ("{", "[1]", "5"):
        form = {"instruction": "Import", "callback_url": "https://example.com/", "callback_metadata": bad}
        response = await owner.post("/api/v1/smart-import", data=form, files={"file": ("c.csv", CONTACTS)})
        assert response.status_code == 400
        assert "callback_metadata" in response.json()["detail"]


async def test_an_import_survives_a_server_that_dies(
    settings: Settings, people: People, receiver: Receiver, database_url: str
) -> None:
    loopback = settings.model_copy(update={"webhook_loopback": True})
    async with serve(loopback) as make:
        pending = await submit(make(people.owner), receiver.url)
    # The job was lost as well, as if the server had died before it was made.
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("SET search_path = atlas_jobs")
        connection.execute("DELETE FROM procrastinate_jobs")
        connection.execute("UPDATE atlas.imports SET created_at = now() - interval '1 minute'")
    async with serve(loopback.model_copy(update={"jobs": 1})) as make:
        told = json.loads((await receiver.wait(1))[0][1])
        assert told["import_id"] == pending["import_id"]
        assert (await get(make(people.owner), "tables"))["tables"][0]["row_count"] == 2


async def test_what_a_dead_server_left_without_a_job_is_taken_up(
    settings: Settings, people: People, receiver: Receiver, database_url: str
) -> None:
    loopback = settings.model_copy(update={"webhook_loopback": True})
    async with serve(loopback) as make:
        await submit(make(people.owner), receiver.url)
    lost = (
        "SET search_path = atlas_jobs",
        "DELETE FROM procrastinate_jobs",
        "UPDATE atlas.imports SET created_at = now() - interval '1 minute'",
    )
    with psycopg.connect(database_url, autocommit=True) as connection:
        # One that ran, whose job could not even record that it failed.
        connection.execute("UPDATE atlas.imports SET status = 'running'")
        for statement in lost:
            connection.execute(statement.encode())
    async with serve(loopback.model_copy(update={"jobs": 1})):
        await receiver.wait(1)
    with psycopg.connect(database_url, autocommit=True) as connection:
        # A delivery that was made, but not its job.
        connection.execute(
            "UPDATE atlas.webhook_deliveries SET status = 'pending', created_at = now() - interval '1 min'"
        )
        for statement in lost:
            connection.execute(statement.encode())
    async with serve(loopback.model_copy(update={"jobs": 1})):
        first, second = await receiver.wait(2)
    assert first[1] == second[1]


async def test_an_import_that_died_with_its_server_is_told_as_failed(
    settings: Settings, people: People, database_url: str
) -> None:
    async with serve(settings) as make:
        done = await send(make(people.owner), "Import into leads", CONTACTS)
    with psycopg.connect(database_url, autocommit=True) as connection:
        # By a process that is not there; the clock does not count.
        connection.execute("UPDATE atlas.imports SET status = 'running', process = 1")
    async with serve(settings.model_copy(update={"jobs": 1})) as make:
        for _ in range(300):
            found = await get(make(people.owner), f"import/{done['import_id']}")
            if found["status"] == "failed":
                break
            await asyncio.sleep(0.1)
    assert "server stopped" in found["error"]


async def test_object_storage(settings: Settings, people: People) -> None:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(port=0)
    server.start()
    try:
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        async with httpx.AsyncClient() as plain:
            auth = {"Authorization": "AWS4-HMAC-SHA256 Credential=k/20240101/us-east-1/s3/aws4_request"}
            assert (await plain.put(f"{endpoint}/files", headers=auth)).status_code == 200
            await plain.put(f"{endpoint}/files/exports/contacts.csv", content=CONTACTS, headers=auth)
            await plain.put(f"{endpoint}/files/exports/similar.csv", content=b"sku,cost\nA1,1.5\n", headers=auth)
        options = {
            "access_key_id": "k",
            "secret_access_key": "s",
            "endpoint": endpoint,
            "region": "us-east-1",
            "allow_http": "true",
        }
        stored = settings.model_copy(update={"storage_url": "s3://files", "storage_options": options})
        async with serve(stored) as make:
            client = make(people.owner)
            body = {
                "file_name": "exports/contacts.csv",
                "instruction": "Import into my contacts table",
                "target_table_name": "people",
            }
            done = await post(client, "smart-import-b2", body)
            assert (done["table_name"], done["file_name"], done["records_processed"]) == ("people", "contacts.csv", 4)
            for name, status in (("exports/none.csv", 404), ("../secret", 400), ("/etc/passwd", 400)):
                await post(client, "smart-import-b2", body | {"file_name": name}, status)
            await post(client, "smart-import-b2", {"file_name": "x"}, 422)
            await post(client, "smart-import-b2", body | {"accept_proposals": "maybe"}, 422)
            storage = body | {"file_name": "exports/similar.csv", "instruction": "into prices, update existing rows"}
            del storage["target_table_name"]
            await send(client, "into prices, sku is the key", b"sku,price\nA1,10.5\n")
            assert "may mean price" in (await post(client, "smart-import-b2", storage, 400))["detail"]
            done = await post(client, "smart-import-b2", storage | {"accept_proposals": True})
            assert (done["new_columns"], done["records_updated"]) == ([], 1)
    finally:
        server.stop()


async def test_without_object_storage(owner: httpx.AsyncClient) -> None:
    refused = await post(owner, "smart-import-b2", {"file_name": "a.csv", "instruction": "Import"}, 400)
    assert "ATLAS_STORAGE_URL" in refused["detail"]


async def test_a_running_import_is_cancelled(working: httpx.AsyncClient, receiver: Receiver, database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE atlas.users SET role = 'admin' WHERE name = 'owner'")
        connection.commit()
        # What an import into a new table writes to.
        connection.execute("LOCK TABLE atlas.tables IN SHARE MODE")
        pending = await submit(working, receiver.url)
        for _ in range(300):
            (job,) = (await get(working, "admin/jobs"))["jobs"]
            if job["status"] == "doing":
                break
            await asyncio.sleep(0.1)
        answer = await post(working, f"admin/jobs/{job['id']}/cancel", {})
        assert answer["status"] == "aborting"
        for _ in range(300):
            # Beside it, its webhook's job comes and goes.
            imports = [one for one in (await get(working, "admin/jobs"))["jobs"] if one["task"] == "import"]
            if imports[0]["status"] == "aborted":
                break
            await asyncio.sleep(0.1)
        assert [one["status"] for one in imports] == ["aborted"]
        connection.rollback()
    assert (await get(working, f"import/{pending['import_id']}"))["error"] == "cancelled"
    told = json.loads((await receiver.wait(1))[0][1])
    assert (told["type"], told["import_id"], told["error"]) == ("import.failed", pending["import_id"], "cancelled")
    assert not (await get(working, "tables"))["tables"]


@pytest.mark.usefixtures("owner_is_admin")
async def test_an_id_that_another_organization_has_is_free(
    settings: Settings, people: People, receiver: Receiver
) -> None:
    """Two organizations choose one id: both are answered alike, and each meets only its own import by it."""
    chosen = "0f9d5c1e-1f6b-4c57-9f0e-3a2f2c9f7a10"
    async with serve(settings.model_copy(update={"jobs": 1, "webhook_loopback": True})) as make:
        seen = []
        for key, data in ((people.owner, CONTACTS), (people.stranger, b"name,email\nX,x@x.com\n")):
            caller = make(key)
            pending = await submit(caller, receiver.url, data, import_id=chosen, thread_id="t")
            told = json.loads((await receiver.wait(len(seen) + 1))[-1][1])
            assert (pending["import_id"], told["import_id"]) == (chosen, chosen)
            seen.append((caller, pending, told))
        (owner, first, _), (stranger, second, _) = seen
        assert first == second
        files = {"file": ("contacts.csv", CONTACTS)}
        again = await stranger.post(
            "/api/v1/smart-import", data={"instruction": "Import into leads", "import_id": chosen}, files=files
        )
        assert (again.status_code, again.json()["detail"]) == (
            400,
            f"Import already exists: import_id: {chosen} is taken",
        )
        for caller, _, told in seen:
            assert (await get(caller, f"import/{chosen}"))["records_processed"] == told["records_processed"]
            history = (await get(caller, "import-history"))["imports"]
            assert [one["import_id"] for one in history] == [chosen]
            issues = await get(caller, f"import/{chosen}/issues")
            assert (issues["import_id"], issues["table_name"]) == (chosen, "leads")
            deliveries = (await get(caller, f"webhooks/deliveries?import_id={chosen}"))["deliveries"]
            assert [one["import_id"] for one in deliveries] == [chosen]
            changes = await get(caller, "tables/leads/rows/1/history")
            assert changes["changes"][-1]["import_id"] == chosen
        undone = await post(owner, f"import/{chosen}/undo", {})
        assert (undone["import_id"], undone["complete"]) == (chosen, True)
        assert (await get(stranger, f"import/{chosen}"))["status"] == "success"
        redone = await post(stranger, f"import/{chosen}/redo", {"auto_execute": True})
        assert (redone["import_id"], redone["status"]) == (chosen, "success")
        assert (await get(owner, f"import/{chosen}"))["status"] == "undone"
