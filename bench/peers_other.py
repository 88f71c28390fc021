"""One of the systems that bench/peers.py asks in process: reads a question a line, answers with a JSON number a line.

Runs by a Python of its own, with the libraries that Atlas does not use. A question is answered when its result is
there in full: as CSV text for a range and for everything.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

KIND, FOLDER, CSV, FIRST, LAST, WIDTH, START = sys.argv[1:]
folder = Path(FOLDER)
folder.mkdir(parents=True, exist_ok=True)


class DuckDB:
    def __init__(self) -> None:
        import duckdb

        self.connection = duckdb.connect(str(folder / "bench.duckdb"))
        self.connection.execute("SET TimeZone = 'UTC'")

    def load(self) -> None:
        self.connection.execute(f"CREATE TABLE prices AS SELECT * FROM read_csv('{CSV}')")
        self.connection.execute("CHECKPOINT")

    def range(self) -> None:
        self._copy(
            f"SELECT * FROM prices WHERE timestamp BETWEEN '{FIRST}' AND '{LAST}' ORDER BY timestamp", "range.csv"
        )

    def buckets(self) -> None:
        self.connection.execute(
            f"SELECT time_bucket(INTERVAL '{WIDTH} seconds', timestamp) AS t, min(close), max(close), avg(close)"
            " FROM prices GROUP BY t ORDER BY t"
        ).fetchall()

    def latest(self) -> None:
        self.connection.execute("SELECT * FROM prices ORDER BY timestamp DESC LIMIT 1").fetchall()

    def export(self) -> None:
        self._copy("SELECT * FROM prices ORDER BY timestamp", "all.csv")

    def _copy(self, query: str, name: str) -> None:
        self.connection.execute(f"COPY ({query}) TO '{folder / name}' (HEADER)")

    def bytes(self) -> float:
        return (folder / "bench.duckdb").stat().st_size


class ChDB:
    def __init__(self) -> None:
        from chdb import session

        self.session = session.Session(str(folder / "chdb"))
        self.session.query("CREATE DATABASE IF NOT EXISTS b ENGINE = Atomic")
        columns = ", ".join(f"{name} Float64" for name in ("open", "high", "low", "close", "volume"))
        self.session.query(
            f"CREATE TABLE b.prices (timestamp DateTime('UTC'), {columns}) ENGINE = MergeTree ORDER BY timestamp"
        )

    def load(self) -> None:
        names = ("open", "high", "low", "close", "volume")
        shape = ", ".join(["timestamp String", *(f"{name} Float64" for name in names)])
        moment = "parseDateTimeBestEffort(timestamp, 'UTC')"
        source = f"file('{CSV}', 'CSVWithNames', '{shape}')"
        self.session.query(f"INSERT INTO b.prices SELECT {moment}, {', '.join(names)} FROM {source}")

    def range(self) -> None:
        bounds = f"'{FIRST[:-1].replace('T', ' ')}' AND '{LAST[:-1].replace('T', ' ')}'"
        self._csv(f"SELECT * FROM b.prices WHERE timestamp BETWEEN {bounds} ORDER BY timestamp")

    def buckets(self) -> None:
        self._csv(
            f"SELECT toStartOfInterval(timestamp, INTERVAL {WIDTH} SECOND) AS t, min(close), max(close), avg(close)"
            " FROM b.prices GROUP BY t ORDER BY t"
        )

    def latest(self) -> None:
        self._csv("SELECT * FROM b.prices ORDER BY timestamp DESC LIMIT 1")

    def export(self) -> None:
        self._csv("SELECT * FROM b.prices ORDER BY timestamp")

    def _csv(self, query: str) -> None:
        if not str(self.session.query(query, "CSV")):
            raise ValueError("nothing")

    def bytes(self) -> float:
        text = str(
            self.session.query("SELECT sum(bytes_on_disk) FROM system.parts WHERE table = 'prices' AND active", "CSV")
        )
        return float(text)


class Pandas:
    def load(self) -> None:
        import pandas

        frame = pandas.read_csv(CSV, parse_dates=["timestamp"])
        frame.to_parquet(folder / "prices.parquet", index=False)

    def _frame(self) -> Any:
        import pandas

        # Each question opens the file, as a script would.
        return pandas.read_parquet(folder / "prices.parquet").set_index("timestamp")

    def range(self) -> None:
        self._frame().loc[FIRST:LAST].to_csv()

    def buckets(self) -> None:
        self._frame()["close"].resample(f"{WIDTH}s").agg(["min", "max", "mean"])

    def latest(self) -> None:
        self._frame().iloc[-1]

    def export(self) -> None:
        self._frame().to_csv(folder / "all.csv")

    def bytes(self) -> float:
        return (folder / "prices.parquet").stat().st_size


class Datasette:
    def __init__(self) -> None:
        self.file = folder / "bench.db"
        self.url = ""

    def load(self) -> None:
        tool = str(Path(sys.executable).parent / "sqlite-utils")
        subprocess.run([tool, "insert", str(self.file), "prices", CSV, "--csv", "--silent"], check=True)
        subprocess.run([tool, "create-index", str(self.file), "prices", "timestamp"], check=True)

    def _get(self, path: str) -> None:
        if not self.url:
            self._serve()
        with urllib.request.urlopen(self.url + path, timeout=600) as answer:
            while answer.read(1 << 20):
                pass

    def _serve(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        tool = str(Path(sys.executable).parent / "datasette")
        settings = [
            "--setting",
            "sql_time_limit_ms",
            "60000",
            "--setting",
            "max_returned_rows",
            "5000",
            "--setting",
            "max_csv_mb",
            "0",
        ]
        self.process = subprocess.Popen(
            [tool, str(self.file), "--port", str(port), *settings], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.url = f"http://127.0.0.1:{port}/bench"
        for _ in range(200):
            try:
                urllib.request.urlopen(self.url + ".json", timeout=5).close()
                break
            except OSError:
                time.sleep(0.1)
        else:
            raise OSError("datasette did not start")

    def _sql(self, query: str, form: str) -> None:
        self._get(f".{form}?" + urllib.parse.urlencode({"sql": query}))

    def range(self) -> None:
        self._sql(f"select * from prices where timestamp between '{FIRST}' and '{LAST}' order by timestamp", "csv")

    def buckets(self) -> None:
        bucket = f"cast(strftime('%s', timestamp) as integer) / {WIDTH}"
        self._sql(f"select {bucket} as t, min(close), max(close), avg(close) from prices group by t order by t", "json")

    def latest(self) -> None:
        self._sql("select * from prices order by timestamp desc limit 1", "json")

    def export(self) -> None:
        self._get("/prices.csv?_stream=on&_size=max")

    def bytes(self) -> float:
        self.process.terminate()
        return self.file.stat().st_size


system: Any = {"duckdb": DuckDB, "chdb": ChDB, "pandas": Pandas, "datasette": Datasette}[KIND]()
for line in sys.stdin:
    question = line.strip()
    print(json.dumps(float((getattr(system, question)() if question != "ready" else 0) or 0)), flush=True)
