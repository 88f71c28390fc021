"""Parts of downloads, and HEAD: what programs that scan a file by its address do, over real connections."""

from __future__ import annotations

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import fsspec
import httpx
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from fsspec.implementations.http import HTTPFile
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.datastructures import Headers
from tests.conftest import People
from tests.wire import Wire, wired

from atlas.accounts.access import Caller
from atlas.timeseries.read.rendered_files import FileKey, RenderedFiles
from atlas.timeseries.read.service import ReadService
from atlas.web.ranges import UnsatisfiableError, part, wanted

ROWS = 120_000
FORMS = ["{a}-{b}", "{a}-", "-{a}"]
START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def wire(postgres_url: str, inhabited: tuple[str, People]) -> Iterator[Wire]:
    with wired(postgres_url, inhabited) as made:
        yield made


@pytest.fixture(scope="module")
def owner(wire: Wire) -> Iterator[httpx.Client]:
    with wire.client(wire.people.owner) as client:
        yield client


def filled(owner: httpx.Client, rows: int = ROWS) -> int:
    """A dataset of a row a second."""
    dataset: int = owner.post("/api/datasets/", json={"name": "x"}).json()["id"]
    micros = pa.array([int(START.timestamp() + n) * 1_000_000 for n in range(rows)]).cast(pa.timestamp("us", "UTC"))
    table = pa.table(
        {"timestamp": micros, "a": pa.array(range(rows)), "b": pa.array([str(n % 7) * 9 for n in range(rows)])}
    )
    body = io.BytesIO()
    pq.write_table(table, body)
    stored = owner.post(
        f"/api/rows/bulk_insert/?dataset={dataset}",
        content=body.getvalue(),
        headers={"Content-Type": "application/vnd.apache.parquet"},
    )
    assert stored.status_code == 200, stored.text
    return dataset


def address(dataset: int, output: str) -> str:
    return f"/api/rows/bulk_download/?dataset={dataset}&output={output}"


@pytest.fixture(scope="module")
def dataset(owner: httpx.Client) -> int:
    return filled(owner)


@pytest.mark.parametrize("output", ["parquet", "csv"])
def test_parts_are_those_of_the_whole(owner: httpx.Client, dataset: int, output: str) -> None:
    url = address(dataset, output)
    whole = owner.get(url)
    assert (whole.status_code, whole.headers["accept-ranges"]) == (200, "bytes")
    head = owner.head(url)
    assert (head.status_code, head.content, int(head.headers["content-length"])) == (200, b"", len(whole.content))
    assert head.headers["etag"] == whole.headers["etag"]
    size = len(whole.content)
    for text, start, end in (
        ("bytes=0-0", 0, 1),
        ("bytes=0-99", 0, 100),
        (f"bytes={size - 8}-", size - 8, size),
        ("bytes=-8", size - 8, size),
        (f"bytes=100-{size * 2}", 100, size),
        (f"bytes=-{size * 2}", 0, size),
        ("BYTES = 5 - 6", 5, 7),
        (f"bytes=0-{size - 1}", 0, size),
        ("bytes=000-0009", 0, 10),
        # The greatest numbers of 64 bits.
        (f"bytes=100-{2**63 - 1}", 100, size),
        (f"bytes=0-{2**64 - 1}", 0, size),
        (f"bytes=-{2**63 - 1}", 0, size),
    ):
        answer = owner.get(url, headers={"Range": text})
        assert (answer.status_code, answer.content) == (206, whole.content[start:end]), text
        assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{size}"
        assert (answer.headers["etag"], int(answer.headers["content-length"])) == (head.headers["etag"], end - start)
    for text in (f"bytes={size}-", "bytes=-0", f"bytes={10**17}-", f"bytes={2**64}-"):
        refused = owner.get(url, headers={"Range": text})
        assert (refused.status_code, refused.headers["content-range"]) == (416, f"bytes */{size}"), text
        assert refused.json()["details"] == f"the file has {size} bytes"
    for text in (
        "bytes=5-2",
        "bytes=0-1,5-6",
        "rows=0-5",
        "bytes=",
        "bytes=a-b",
        "0-5",
        "bytes=+1-2",
        "bytes=--5",
        "bytes=-",
        "bytes=0x1-2",
        "bytes=0-1,",
        "bytes 0-1/10",
    ):
        assert owner.get(url, headers={"Range": text}).status_code == 200, text
    several = owner.get(url, headers=httpx.Headers([("Range", "bytes=0-1"), ("Range", "bytes=5-6")]))
    assert (several.status_code, len(several.content)) == (200, size)
    # A part of what has been replaced is no part of what is there.
    for tag, status in (
        (head.headers["etag"], 206),
        ('"other"', 200),
        ("Mon, 30 Nov 2026 10:00:00 GMT", 200),
        ("", 200),
        ("*", 200),
        (head.headers["etag"].strip('"'), 200),
        ("W/" + head.headers["etag"], 200),
    ):
        answer = owner.get(url, headers={"Range": "bytes=0-9", "If-Range": tag})
        assert answer.status_code == status, tag
        assert answer.content == whole.content[: 10 if status == 206 else None]
    same = owner.get(url, headers={"Range": "bytes=0-9", "If-None-Match": head.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    with ThreadPoolExecutor(8) as pool:
        answers = [
            *pool.map(lambda n: owner.get(url, headers={"Range": f"bytes={n}-{n + 99}"}), range(0, size, size // 30))
        ]
    assert all(
        a.content == whole.content[n : n + 100] for n, a in zip(range(0, size, size // 30), answers, strict=True)
    )


def test_no_part_for_a_revoked_key_or_of_deleted_rows(wire: Wire, owner: httpx.Client) -> None:
    url = address(number := filled(owner, 100), "csv")
    made = owner.post("/api/v1/keys", json={"name": "reader"}).json()
    with wire.client(made["key"]) as reader:
        first = reader.get(url, headers={"Range": "bytes=0-3"})
        tag = first.headers["etag"]
        assert first.status_code == 206
        assert owner.delete(f"/api/v1/keys/{made['id']}").status_code in (200, 204)
        held: tuple[dict[str, str], ...] = ({"Range": "bytes=0-3", "If-Range": tag}, {"If-None-Match": tag}, {})
        for method in ("GET", "HEAD"):
            assert [reader.request(method, url, headers=sent).status_code for sent in held] == [401] * 3
    assert owner.delete(f"/api/rows/?dataset={number}&start=2020-01-01").json() == {"deleted": 100}
    # Of the header that is left, in whatever way it is asked for.
    size = int(owner.head(url, headers={"If-Range": tag}).headers["content-length"])
    for sent, status in ((held[0], 200), ({**held[1], "Range": "bytes=0-1"}, 206), ({"Range": f"bytes={size}-"}, 416)):
        answer = owner.get(url, headers=sent)
        assert (answer.status_code, b"2026-" in answer.content) == (status, False), sent


def test_other_formats_have_no_parts(owner: httpx.Client, dataset: int) -> None:
    for output in ("json", "ndjson", "arrow"):
        url = address(dataset, output) + "&end=2026-01-01T00:00:09"
        answer, head = owner.get(url, headers={"Range": "bytes=0-9"}), owner.head(url)
        assert (answer.status_code, answer.headers["accept-ranges"]) == (200, "none")
        assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", answer.headers["etag"])


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Sizes of the parts that fsspec fetches."""
    sizes: list[int] = []
    fetch = HTTPFile._fetch_range

    def measured(file: HTTPFile, start: int, end: int) -> bytes:
        data: bytes = fetch(file, start, end)
        sizes.append(len(data))
        return data

    monkeypatch.setattr(HTTPFile, "_fetch_range", measured)
    return sizes


def test_programs_scan_a_dataset_by_its_address(
    wire: Wire, owner: httpx.Client, dataset: int, fetched: list[int]
) -> None:
    url = f"http://127.0.0.1:{wire.port}{address(dataset, 'parquet')}"
    size = int(owner.head(url).headers["content-length"])
    key = {"headers": {"Authorization": f"Bearer {wire.people.owner}"}}
    files = fsspec.filesystem("http", client_kwargs=key, cache_type="none", skip_instance_cache=True)
    with files.open(url) as file:
        found = pq.ParquetFile(file)
        assert (found.metadata.num_rows, found.num_row_groups > 1) == (ROWS, True)
        assert found.read_row_group(0, ["a"]).column("a")[:3].to_pylist() == [0, 1, 2]
    assert 0 < sum(fetched) < size / 2, (fetched, size)
    fetched.clear()
    # Row groups that cannot have such rows are not fetched.
    last = datetime(2026, 1, 2, 9, 19, 59, tzinfo=UTC)
    scanned = ds.dataset(url, filesystem=files, format="parquet").to_table(filter=ds.field("timestamp") >= last)
    assert scanned.column("a").to_pylist() == [ROWS - 1]
    assert 0 < sum(fetched) < size * 0.6, (fetched, size)
    headers = {"X-API-Key": wire.people.owner}
    frame = pd.read_csv(f"http://127.0.0.1:{wire.port}{address(dataset, 'csv')}", storage_options=headers)
    assert len(frame) == ROWS


def test_who_reads_goes_on_with_the_version_that_he_began_with(wire: Wire, owner: httpx.Client) -> None:
    number = filled(owner, 2_000)
    url = address(number, "parquet")
    head = owner.head(url)
    size, tag = int(head.headers["content-length"]), head.headers["etag"]
    row = {"dataset": number, "timestamp": "2026-02-01T00:00:00Z", "values": {"a": 1}}
    assert owner.post("/api/rows/", json=row).status_code == 201
    end = owner.get(url, headers={"Range": "bytes=-8"})
    assert (end.status_code, end.headers["etag"], end.headers["content-range"]) == (
        206,
        tag,
        f"bytes {size - 8}-{size - 1}/{size}",
    )
    pinned = owner.get(url, headers={"Range": "bytes=0-3", "If-Range": tag})
    assert (pinned.status_code, pinned.content) == (206, b"PAR1")
    again = owner.head(url)
    assert again.headers["etag"] != tag
    assert owner.get(url, headers={"Range": "bytes=0-3"}).headers["etag"] == again.headers["etag"]
    # Rows that were deleted are in no part that is sent from then on.
    assert owner.delete(f"/api/rows/?dataset={number}&start=2026-02-01").json() == {"deleted": 1}
    for held in (tag, again.headers["etag"]):
        answer = owner.get(url, headers={"Range": "bytes=0-3", "If-Range": held})
        assert (answer.status_code, pq.read_table(io.BytesIO(answer.content)).num_rows) == (200, 2_000)
    now = owner.get(url, headers={"Range": "bytes=0-3"})
    assert (now.status_code, now.headers["etag"] in (tag, again.headers["etag"])) == (206, False)
    with wire.client(wire.people.stranger) as stranger:
        assert stranger.get(url, headers={"Range": "bytes=0-3"}).status_code == 403
        assert stranger.head(url).status_code == 403
    assert owner.delete(f"/api/datasets/{number}/").status_code == 204
    assert owner.get(url, headers={"Range": "bytes=0-3"}).status_code == 404
    assert not [
        file for file in wire.app.state.services.get(ReadService).files._files.values() if file.key.dataset == number
    ]


def test_what_has_no_room_is_sent_whole(postgres_url: str, inhabited: tuple[str, People]) -> None:
    with wired(postgres_url, inhabited, rendered_bytes=4_000) as small, small.client(small.people.owner) as owner:
        url = address(filled(owner, 2_000), "parquet")
        answer = owner.get(url, headers={"Range": "bytes=0-3"})
        assert (answer.status_code, answer.headers["accept-ranges"]) == (200, "none")
        assert pq.read_table(io.BytesIO(answer.content)).num_rows == 2_000
        assert (owner.head(url).status_code, owner.head(url).headers["accept-ranges"]) == (200, "none")
        assert small.app.state.services.get(ReadService).files.total == 0


def test_head_is_get_without_a_body(wire: Wire, owner: httpx.Client, dataset: int) -> None:
    for path in (
        "/api/datasets/",
        f"/api/datasets/{dataset}/",
        f"/api/rows/?dataset={dataset}&limit=2",
        "/api/v1/me",
        "/api/v1/tables",
        "/api/tags",
        "/health",
        "/metrics",
        f"/api/rows/live/?dataset={dataset}&limit=3",
        f"/api/rows/stream/?dataset={dataset}",
        "/api/datasets/999999/",
        "/api/rows/?dataset=x",
    ):
        head = owner.head(path)
        assert head.content == b""
        if "stream" in path:
            assert (head.status_code, head.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
            continue
        answer = owner.get(path)
        assert head.status_code == answer.status_code, path
        assert head.headers["content-type"] == answer.headers["content-type"]
        if path not in ("/metrics", "/health", "/api/v1/me"):
            assert head.headers.get("content-length") == answer.headers.get("content-length"), path
    assert owner.head("/api/rows/bulk_insert/").status_code == 405
    assert httpx.head(f"http://127.0.0.1:{wire.port}/api/datasets/").status_code == 401
    assert owner.get("/health").json()["status"] == "healthy"


@given(
    st.integers(1, 10_000), st.integers(0, 12_000), st.integers(0, 12_000), st.sampled_from(["{a}-{b}", "{a}-", "-{a}"])
)
@settings(max_examples=300)
def test_any_range_is_a_part(size: int, a: int, b: int, form: str) -> None:
    data = bytes(n % 251 for n in range(size))
    text = wanted(Headers({"Range": "bytes=" + form.format(a=a, b=b)}))
    if text is None:
        assert form == "{a}-{b}"
        assert b < a
        return
    expected = {"{a}-{b}": data[a : b + 1], "{a}-": data[a:], "-{a}": data[-a:] if a else b""}[form]
    try:
        start, end = part(text, size)
    except UnsatisfiableError:
        assert expected == b""
    else:
        assert data[start:end] == expected != b""


def caller(user: int, organization: int) -> Caller:
    return Caller(user, "someone", organization, "", user)


@pytest.mark.anyio
async def test_room_is_shared() -> None:
    made = RenderedFiles(1_000)

    async def chunks(size: int) -> Any:
        for _ in range(size // 50):
            yield b"x" * 50

    async def put(user: int, organization: int, name: str, size: int) -> bool:
        key = FileKey(name, name, 1, 0)
        return await made.get(caller(user, organization), key, chunks(size)) is not None

    assert not await put(1, 1, "large", 300)
    assert await put(1, 1, "a", 200)
    assert await put(1, 1, "b", 200)
    assert made.earlier(caller(1, 1), FileKey("z", "a", 1, 0), "a") is None
    for number in range(2, 8):
        assert await put(number, number, f"of {number}", 250)
    assert made.total <= 1_000
    busy = made._files["of 7"]
    busy.readers = 1
    assert await put(8, 8, "c", 250)
    assert "of 7" in made._files
    assert await put(9, 8, "d", 250)
    assert await put(10, 8, "e", 250)
    assert sum(file.size for file in made._files.values() if file.owner.organization_id == 8) <= 500
    made.close()
    assert made.total == 0
