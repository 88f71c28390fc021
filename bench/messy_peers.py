"""What pandas, dlt or sqlite-utils make of a file by the call that its documentation begins with. For `messy.py`.

    PYTHON bench/messy_peers.py NAME FILE FOLDER URL

Runs by a Python of its own. Prints a JSON object: `seconds` to load the file into the database (PostgreSQL, or SQLite),
and `columns`, `types` and `rows` of what is in it then; or `refused` with the reason.
"""

from __future__ import annotations

import datetime
import decimal
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

NAME, FILE, FOLDER, URL = sys.argv[1:]
path, folder = Path(FILE), Path(FOLDER)
folder.mkdir(parents=True, exist_ok=True)
kind = path.suffix.removeprefix(".").replace("txt", "csv").replace("gz", "csv")
TABLE = "peer"


def load_pandas() -> None:
    import pandas
    import sqlalchemy

    read = {"csv": pandas.read_csv, "json": pandas.read_json, "xlsx": pandas.read_excel, "xml": pandas.read_xml}
    frame = read[kind](path)
    engine = sqlalchemy.create_engine(URL.replace("postgresql://", "postgresql+psycopg2://"))
    frame.to_sql(TABLE, engine, index=False, if_exists="replace", chunksize=10_000, method="multi")


def load_dlt() -> None:
    import dlt
    from dlt.sources.filesystem import readers

    pipeline = dlt.pipeline(
        "messy", destination=dlt.destinations.postgres(URL), dataset_name="peer_dlt", pipelines_dir=str(folder)
    )
    if kind == "json":
        data: Any = dlt.resource(json.loads(path.read_bytes()), name=TABLE)
    elif kind == "csv":
        data = readers(bucket_url=f"file://{path.parent}", file_glob=path.name).read_csv().with_name(TABLE)
    else:
        raise ValueError("no reader for this kind of file")
    pipeline.run(data, write_disposition="replace")


def load_sqlite() -> None:
    if kind not in ("csv", "json"):
        raise ValueError("no reader for this kind of file")
    (folder / "messy.db").unlink(missing_ok=True)
    tool = str(Path(sys.executable).parent / "sqlite-utils")
    how = ["--csv", "--sniff"] if kind == "csv" else []
    command = [tool, "insert", str(folder / "messy.db"), TABLE, str(path), *how, "--silent"]
    subprocess.run(command[: None if how else -1], check=True, capture_output=True, text=True)


def stored_postgres() -> dict[str, Any]:
    import psycopg

    schema = "peer_dlt" if NAME == "dlt" else "public"
    with psycopg.connect(URL) as database:
        query = (
            "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = %s AND table_name = %s"
            " AND column_name NOT LIKE '\\_dlt%%' ORDER BY ordinal_position"
        )
        types = dict(database.execute(query, (schema, TABLE)).fetchall())
        names = ", ".join(f'"{name}"' for name in types)
        rows = database.execute(f'SELECT {names} FROM {schema}."{TABLE}"').fetchall() if types else []  # type: ignore[arg-type]
    return {"columns": list(types), "types": list(types.values()), "rows": rows}


def stored_sqlite() -> dict[str, Any]:
    import sqlite3

    with sqlite3.connect(folder / "messy.db") as database:
        types = [(row[1], row[2].lower()) for row in database.execute(f"PRAGMA table_info({TABLE})")]
        rows = database.execute(f"SELECT * FROM {TABLE}").fetchall()
    return {"columns": [name for name, _ in types], "types": [kind for _, kind in types], "rows": rows}


def text(value: Any) -> Any:
    if isinstance(value, float | decimal.Decimal):
        return float(value)
    if isinstance(value, datetime.datetime | datetime.date):
        return value.isoformat()
    return str(value)


load = {"pandas": load_pandas, "dlt": load_dlt, "sqlite-utils": load_sqlite}[NAME]
try:
    started = time.perf_counter()
    load()
    found = {"seconds": time.perf_counter() - started}
    found |= stored_sqlite() if NAME == "sqlite-utils" else stored_postgres()
    if len(found["rows"]) > 20_000:
        found["rows"] = []
except subprocess.CalledProcessError as error:
    found = {"refused": (error.stderr.strip().splitlines() or ["no reason"])[-1]}
except Exception as error:
    found = {"refused": f"{type(error).__name__}: {str(error).strip().splitlines()[-1] if str(error).strip() else ''}"}
print(json.dumps(found, default=text))
