"""What each command does on a server, and that all of them speak JSON."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psycopg
import pytest
import typer.main
from tests.cli.conftest import CONTACTS, Cli
from tests.docs.test_coverage import all_commands

from atlas.cli.main import COMMANDS, GROUPS, application, select_commands

# A run of each command with --json, after `prepared`; `{…}` are filled in. The code is that of the run.
RUNS: dict[str, tuple[list[str], int]] = {
    "version": ([], 0),
    "status": ([], 0),
    "usage": ([], 0),
    "logout": ([], 0),
    "login": (["--url", "{url}", "--key", "-"], 0),
    "profile list": ([], 0),
    "profile use": (["default"], 0),
    "profile show": ([], 0),
    "dataset list": ([], 0),
    "dataset search": (["source=demo"], 0),
    "dataset show": (["{dataset}"], 0),
    "dataset create": (["another", "--metadata", "a=1"], 0),
    "dataset update": (["{dataset}", "--description", "x", "-m", "b=2"], 0),
    "dataset delete": (["{dataset}", "--yes"], 0),
    "dataset tag": (["{dataset}", "test"], 0),
    "dataset untag": (["{dataset}", "public"], 0),
    "dataset samples": (["{dataset}", "organization"], 0),
    "dataset columns": (["{dataset}"], 0),
    "dataset column": (["{dataset}", "price", "--unit", "EUR"], 0),
    "tag list": ([], 0),
    "tag acquire": (["test"], 0),
    "rows insert": (["{dataset}", "--timestamp", "now", "--value", "price=1.5"], 0),
    "rows get": (["{dataset}"], 0),
    "rows latest": (["{dataset}"], 0),
    "rows series": (["{stocks}"], 0),
    "rows history": (["{stocks}"], 0),
    "rows align": (["{dataset}", "--every", "1h"], 0),
    "rows aggregate": (["{dataset}"], 0),
    "rows delete": (["{dataset}", "--start", "2026-01-01", "--yes"], 0),
    "rows download": (["{dataset}", "{out}.csv"], 0),
    "import": (["{file}", "Import into people, email is the key", "--preview"], 0),
    "imports list": ([], 0),
    "imports show": (["{import}"], 0),
    "imports export": (["{import}", "{out}.csv"], 0),
    "imports undo": (["{import}", "--yes"], 0),
    "imports redo": (["{import}", "--yes"], 0),
    "issues list": (["{import}"], 0),
    "issues correct": (["{import}", "--all-duplicates", "skip"], 0),
    "ask": (["How many people are there?"], 0),
    "sql": (["SELECT count(*) FROM people"], 0),
    "record": (["Update the people with email bob@x.com: set full_name to Robert"], 0),
    "table list": ([], 0),
    "table schema": (["people"], 0),
    "table stats": (["people"], 0),
    "table values": (["people", "email"], 0),
    "table column": (["people", "age", "--unit", "years"], 0),
    "table rows": (["people"], 0),
    "table samples": (["people"], 0),
    "table update": (["people", "--set", "age=5", "--where", "full_name = 'Bob'"], 0),
    "table export": (["people", "{out}.ndjson"], 0),
    "table history": (["people", "1"], 0),
    "table delete": (["people", "--yes"], 0),
    "queries save": (["mine", "SELECT count(*) FROM people"], 0),
    "queries list": ([], 0),
    "queries show": (["mine"], 0),
    "queries run": (["mine"], 0),
    "queries delete": (["mine"], 0),
    "favourites add": (["dataset", "{dataset}"], 0),
    "favourites list": ([], 0),
    "favourites remove": (["dataset", "{dataset}"], 0),
    "key list": ([], 0),
    "key create": (["--name", "laptop", "--expires", "90d"], 0),
    "key revoke": (["{key}", "--yes"], 0),
    "key rotate": (["{key}", "--yes"], 0),
}
# What takes something away that others need comes last, in an order in which each still has what it needs.
LAST = [
    "logout",
    "login",
    "queries delete",
    "key rotate",
    "rows delete",
    "dataset delete",
    "imports undo",
    "imports redo",
    "table delete",
]
# These print JSON in tests of their own: they do not end by themselves, need a terminal or a job, or work locally.
ELSEWHERE = {"serve", "mcp", "rows tail", "issues review", "job list", "job cancel", "job retry"}


def prepared(cli: Cli) -> dict[str, str]:
    """A dataset with rows, a table with issues and a key, new each time."""
    number = len(cli.json("dataset", "list")) + 1
    dataset = cli.json("dataset", "create", f"prices {number}", "--metadata", "source=demo")["id"]
    cli.run("rows", "insert", str(dataset), "--timestamp", "2026-01-05T10:00:00Z", "-v", "price=2", "-v", "note=busy")
    cli.run("dataset", "tag", str(dataset), "public")
    stocks = cli.json("dataset", "create", f"stocks {number}", "--key", "symbol")["id"]
    if any(table["table_name"] == "people" for table in cli.json("table", "list")):
        cli.run("table", "delete", "people", "--yes")
    file = cli.file("contacts.csv", CONTACTS)
    done = cli.json("import", file, "Import into people, email is the key")
    key = cli.json("key", "create", "--name", "spare")
    return {
        "url": cli.server.url,
        "dataset": str(dataset),
        "stocks": str(stocks),
        "file": file,
        "import": done["import_id"],
        "key": str(key["id"]),
        "out": str(cli.folder / "out"),
    }


def test_every_command_prints_json(cli: Cli) -> None:
    names = {name.removeprefix("atlas ") for name, _ in all_commands() if not name.startswith("atlas admin ")}
    assert names == RUNS.keys() | ELSEWHERE
    assert all("--json" in options for name, options in all_commands() if name not in ("atlas serve", "atlas mcp"))
    found = prepared(cli)
    for name in [*(name for name in RUNS if name not in LAST), *LAST]:
        if name == "queries delete":
            # What ran until here has changed the import and revoked the key.
            found = prepared(cli)
        arguments, code = RUNS[name]
        stdin = cli.server.people.owner if name == "login" else None
        shown = cli.json(*name.split(), *(part.format(**found) for part in arguments), code=code, stdin=stdin)
        assert isinstance(shown, dict | list), name


def test_datasets_and_rows(cli: Cli) -> None:
    made = cli.json("dataset", "create", "btc", "--description", "Bitcoin", "-m", "source=demo", "-m", '{"tier": 1}')
    assert made["metadata"] == {"source": "demo", "tier": 1}
    changed = cli.json("dataset", "update", "btc", "--name", "btc hourly", "-m", "tier=2")
    assert (changed["name"], changed["metadata"]) == ("btc hourly", {"source": "demo", "tier": 2})
    assert cli.json("dataset", "update", "btc hourly", "--replace-metadata")["metadata"] == {}
    assert "btc hourly" in cli.run("dataset", "list", "--search", "hourly").stdout
    csv = cli.file("rows.csv", "time,open,note\n2026-01-05T10:00:00Z,1,a\n2026-01-05T11:00:00Z,2,b\n")
    assert cli.json("rows", "insert", "btc hourly", csv) == {"dataset": "btc hourly", "inserted": 2}
    lines = '{"timestamp": "2026-01-06T10:00:00Z", "open": 3}\n'
    assert cli.json("rows", "insert", "btc hourly", "-", "--format", "ndjson", stdin=lines)["inserted"] == 1
    array = cli.file("rows.json", '[{"timestamp": "2026-01-07T10:00:00Z", "values": {"open": 4, "deep": {"a": [1]}}}]')
    assert "inserted 1 row\n" in cli.run("rows", "insert", "btc hourly", array).stderr
    found = cli.json("rows", "get", "btc hourly", "--end", "2026-01-05", "--newest-first", "--limit", "1")
    assert found["count"] == 2
    assert found["rows"] == [{"timestamp": "2026-01-05T11:00:00Z", "values": {"note": "b", "open": 2}}]
    csv_text = cli.run("rows", "get", "btc hourly", "--format", "csv", "--columns", "open").stdout
    assert csv_text.splitlines()[0] == "timestamp,open"
    assert len(csv_text.splitlines()) == 5
    ndjson = cli.run("rows", "get", "btc hourly", "--format", "ndjson", "--start", "2026-01-07").stdout
    assert json.loads(ndjson) == {"timestamp": "2026-01-07T10:00:00Z", "open": 4, "deep": {"a": [1]}}
    assert "2026-01-05T11:00:00Z" in cli.run("rows", "get", "btc hourly").stdout
    assert "2026-01-07T10:00:00Z" in cli.run("rows", "latest", "btc hourly").stdout
    figures = cli.run(
        "rows", "aggregate", "btc hourly", "--bucket", "year", "--functions", "count,max", "--format", "csv"
    )
    assert figures.stdout.splitlines() == ["timestamp,count,open.count,open.max", "2026-01-01T00:00:00Z,4,4,4"]
    assert "add --yes" in cli.run("rows", "delete", "btc hourly", "--start", "2026-01-07", code=1).stderr
    assert cli.json("rows", "delete", "btc hourly", "--start", "2026-01-07", "--yes")["deleted"] == 1


def test_rows_that_are_there_already(cli: Cli) -> None:
    made = cli.json("dataset", "create", "feed", "--key", "symbol", "--on-conflict", "replace")
    assert made["on_conflict"] == "replace"
    csv = "time,symbol,n\n2026-01-05T10:00:00Z,A,{}\n2026-01-05T10:00:00Z,B,1\n"
    cli.run("rows", "insert", "feed", cli.file("one.csv", csv.format(1)))
    told = cli.run("rows", "insert", "feed", cli.file("two.csv", csv.format(2))).stderr
    assert "inserted 0 rows; replaced 1 row; had already 1 row\n" in told
    again = cli.json("rows", "insert", "feed", str(cli.folder / "one.csv"), "--on-conflict", "keep_first")
    assert again == {"dataset": "feed", "inserted": 0, "identical": 1, "kept": 1}
    (old,) = cli.json("rows", "history", "feed")
    assert (old["values"], old["replaced_by"]) == ({"symbol": "A", "n": 1}, 3)
    assert cli.json("dataset", "update", "feed", "--on-conflict", "reject")["on_conflict"] == "reject"
    assert "rows[0]" in cli.run("rows", "insert", "feed", str(cli.folder / "one.csv"), code=1).stderr


@pytest.mark.parametrize("form", ["csv", "ndjson", "json", "parquet", "arrow"])
def test_downloads_can_be_inserted_again(cli: Cli, form: str) -> None:
    cli.run("dataset", "create", f"from {form}")
    cli.run("dataset", "create", f"to {form}")
    cli.run("rows", "insert", f"from {form}", "--timestamp", "2026-01-05T10:00:00Z", "-v", "n=1", "-v", "t=x")
    out = cli.folder / f"out.{form}"
    assert cli.json("rows", "download", f"from {form}", str(out))["bytes"] == out.stat().st_size
    cli.run("rows", "insert", f"to {form}", str(out))
    assert cli.json("rows", "get", f"to {form}")["rows"] == cli.json("rows", "get", f"from {form}")["rows"]


def test_import_review_and_undo(cli: Cli) -> None:
    file = cli.file("contacts.csv", CONTACTS)
    plan = cli.run("import", file, "Import into leads, email is the key", "--preview").stdout
    assert "leads (new)" in plan
    told = cli.run("import", file, "Import into leads, email is the key")
    assert "1 duplicate, 1 validation failure, 1 replaced value" in told.stdout
    listed = cli.json("imports", "list", "--waiting", "--table", "leads")
    assert [(one["issues_open"], one["issues_resolved"]) for one in listed] == [(3, 0)]
    assert cli.json("imports", "list", "--settled", "--table", "leads") == []
    waiting = cli.json("issues", "list", "last")
    failure, replaced = waiting["validations"][0], waiting["replacements"][0]
    decisions = {
        "validation_failures": [
            {
                "failure_id": failure["failure_id"],
                "action": "insert_corrected",
                "corrected_data": {"email": "carl@x.com"},
            }
        ],
        "value_replacements": [
            {"replacement_id": replaced["replacement_id"], "action": "set_custom", "custom_value": 44}
        ],
    }
    done = cli.json("issues", "correct", "last", "--exit-code", "--file", "-", code=3, stdin=json.dumps(decisions))
    assert (done["rows_inserted"], done["rows_updated"], done["summary"]["duplicates_count"]) == (1, 1, 1)
    cli.run("issues", "correct", "last", "--all-duplicates", "skip", "--exit-code")
    out = cli.folder / "leads.csv"
    cli.run("table", "export", "leads", str(out))
    assert "carl@x.com" in out.read_text(encoding="utf-8")
    assert "ann@x.com" in cli.run("table", "rows", "leads", "--where", "age < 40", "--format", "csv").stdout
    assert cli.json("table", "update", "leads", "--set", "age=50", "--row", "1")["row"] == 1
    assert "50" in cli.run("table", "history", "leads", "1").stdout
    assert cli.run("imports", "undo", "last", "--yes").exit_code == 0
    assert {row["age"] for row in cli.json("table", "rows", "leads")["rows"]} == {30, 44, 40}
    changes = cli.file("changes.csv", "email,age\nann@x.com,33\n")
    assert cli.json("table", "update", "leads", "--file", changes, "--key", "email")["rows_changed"] == 1
    for command in (["--set", "age=1"], ["--set", "age"], ["--file", changes], ["--where", "age > 1"]):
        cli.run("table", "update", "leads", *command, code=2)


def test_questions(cli: Cli, tmp_path: Path) -> None:
    cli.run(
        "import", cli.file("contacts.csv", CONTACTS), "Import into friends, keep all duplicates", "--exit-code", code=3
    )
    asked = cli.json("ask", "How many friends are there?", "--rate", "up")
    assert asked["rows_returned"] == 1
    more = cli.run("ask", "and who joined in 2024?", "--thread", asked["thread_id"], "--sql")
    assert "SELECT" in more.stdout
    assert cli.run("ask", "How many friends are there?", "--csv").stdout.count("\n") == 2
    unclear = cli.run("ask", "What is the airspeed of an unladen swallow?", code=3)
    assert unclear.stdout
    assert cli.json("ask", "What is the airspeed of an unladen swallow?", code=3)["success"] is False
    assert cli.run("sql", "--csv", stdin="SELECT email FROM friends ORDER BY 1").stdout.startswith("email\n")
    assert "bob@x.com" in cli.run("sql", "SELECT email, email FROM friends").stdout
    for name in ("friends.xlsx", "friends.csv"):
        cli.run("sql", "SELECT email FROM friends ORDER BY 1", "-o", str(tmp_path / name))
        assert (tmp_path / name).read_bytes()[:2] == (b"PK" if name.endswith("x") else b"em")
    assert ".xlsx or .csv" in cli.run("sql", "SELECT 1", "-o", "x.pdf", code=2).stderr
    assert cli.run("sql", "DROP TABLE friends", code=1).stderr.count("\n") == 1
    assert cli.run("record", "Do what you think is best", code=3).stdout


def test_keys_rotate_into_the_profile(cli: Cli) -> None:
    own = cli.json("key", "create", "--name", "mine")
    cli.login(own["key"], "mine")
    assert cli.json("status")["me"]["key"]["id"] == own["id"]
    assert "new key" in cli.run("key", "rotate", str(own["id"]), "--yes").stderr
    assert cli.json("status")["me"]["key"]["name"] == "mine"
    assert cli.json("status", "--profile", "default")["profile"] == "default"
    assert {one["name"]: one["is_default"] for one in cli.json("profile", "list")} == {"default": False, "mine": True}
    cli.run("profile", "use", "default")
    assert cli.json("profile", "show")["name"] == "default"
    assert "nope" in cli.run("profile", "show", "nope", code=1).stderr


def test_names_that_do_not_fit(cli: Cli) -> None:
    for command in (["dataset", "show", "no such dataset"], ["rows", "get", "99999"], ["imports", "show", "nonsense"]):
        assert cli.run(*command, code=1).stderr.count("\n") == 1
    for command in (
        ["dataset", "create", "x", "--metadata", "nothing"],
        ["dataset", "update", "x"],
        ["dataset", "search", "x"],
        ["rows", "insert", "x"],
        ["rows", "insert", "x", "nofile.csv"],
        ["rows", "insert", "x", "-"],
        ["rows", "insert", "x", "--timestamp", "now", "-v", "a"],
        ["rows", "get", "x", "--start", "soon"],
        ["rows", "delete", "x"],
        ["rows", "download", "x", "out.xyz"],
        ["issues", "correct", "last"],
        ["ask"],
        ["sql", " "],
        ["import", "nofile.csv", "x"],
        ["status", "--profile", "a", "--url", "http://x"],
    ):
        cli.run(*command, code=2)


def test_version_is_an_option_too(cli: Cli) -> None:
    assert cli.run("--version").stdout == cli.run("version").stdout


@pytest.mark.parametrize("words", [["rows", "get", "x"], ["version"], ["admin", "key", "list"]])
def test_only_what_a_command_line_names_is_loaded(words: list[str]) -> None:
    assert [*select_commands(words)] == words[:1]
    for all_of_them in ([], ["--help"], ["nonsense"], ["--version"]):
        assert {"rows", "serve", "admin"} <= set(select_commands(all_of_them))


def test_times_name_their_option_and_days_are_whole(cli: Cli) -> None:
    made = str(cli.json("dataset", "create", "days")["id"])
    for moment in ("yesterday", "1h ago", "now"):
        cli.run("rows", "insert", made, "--timestamp", moment, "-v", "n=95.25", "-v", "m=1")
    assert cli.json("rows", "get", made, "--start", "-2d", "--end", "today")["count"] == 3
    assert cli.json("rows", "get", made, "--start", "yesterday", "--end", "now")["count"] == 3
    assert cli.json("rows", "get", made, "--start=-30m")["count"] == 1
    for command in ("get", "aggregate", "delete"):
        assert "--end" in cli.run("rows", command, made, "--start", "yesterday", "--end", "soon", code=2).stderr
    assert "--timestamp" in cli.run("rows", "insert", made, "--timestamp", "soon", "-v", "n=1", code=2).stderr
    assert "--expires" in cli.run("key", "create", "--expires", "soon", code=2).stderr


def test_computed_figures_have_the_digits_of_their_type(cli: Cli) -> None:
    made = str(cli.json("dataset", "create", "sums")["id"])
    for n in (0.1, 0.2, 0.3):
        cli.run("rows", "insert", made, "--timestamp", "2026-01-05", "-v", f"n={n}")
    figures = ("rows", "aggregate", made, "--bucket", "1d", "--functions", "sum,max")
    assert "0.6 " in cli.run(*figures).stdout
    assert ",0.6000000000000001,0.3" in cli.run(*figures, "--format", "csv").stdout


def test_completion_is_offered() -> None:
    names = {
        option
        for one in typer.main.get_command(__import__("atlas.cli.main").cli.main.app).params
        for option in one.opts
    }
    assert {"--install-completion", "--show-completion"} <= names


def test_modules_stay_small_in_memory(tmp_path: Path) -> None:
    """Nothing heavy is imported for help or for a remote command."""
    code = (
        "import sys, atlas.cli.main, atlas.cli.context, atlas.client\n"
        "heavy = {'pyarrow', 'pandas', 'polars', 'duckdb', 'fastapi', 'pydantic', 'psycopg', 'numpy', 'keyring'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("words", [[], ["--help"], ["--version"]])
def test_the_overview_loads_no_command(words: list[str], tmp_path: Path) -> None:
    """What takes long to load is named here, as a clock would measure the machine."""
    code = (
        f"import sys; sys.argv = ['atlas', *{words!r}]\n"
        "from atlas.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "names = set(sys.modules)\n"
        "print(sorted({n for n in names if n.startswith('atlas.')} | {n.partition('.')[0] for n in names}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    loaded = set(ast.literal_eval(done.stdout.splitlines()[-1]))
    assert {name for name in loaded if name.startswith("atlas.")} == {"atlas.cli", "atlas.cli.main", "atlas.cli.output"}
    slow = {"rich", "pygments", "markdown_it", "httpx2", "keyring", "asyncio", "ssl", "msgspec", "pydantic", "pyarrow"}
    assert loaded & slow == set()


def test_the_overview_says_what_the_commands_say() -> None:
    commands = typer.main.get_command(application((*COMMANDS, *GROUPS))).commands  # type: ignore[attr-defined]
    told = {name: " ".join(one.help.strip().split("\n\n")[0].split()) for name, one in commands.items()}
    assert told == {name: line for name, (_, line) in {**COMMANDS, **GROUPS}.items()}


WAITING = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'INSERT INTO atlas.tables%'"


def test_jobs_are_listed_and_cancelled(cli: Cli) -> None:
    assert "Permission denied" in cli.run("job", "list", code=4).stderr
    form = {"instruction": "Import into later", "callback_url": "https://example.com/hook"}
    headers = {"X-API-Key": cli.server.people.owner}
    with (
        psycopg.connect(cli.server.database_url) as connection,
        httpx.Client(base_url=cli.server.url, headers=headers) as client,
    ):
        connection.execute("UPDATE atlas.users SET role = 'admin' WHERE name = 'owner'")
        connection.commit()
        # What an import into a new table writes to.
        connection.execute("LOCK TABLE atlas.tables IN SHARE MODE")
        done = client.post("/api/v1/smart-import", data=form, files={"file": ("c.csv", b"a,b\n1,2\n")}).json()
        # It holds what it has locked while it waits.
        with psycopg.connect(cli.server.database_url, autocommit=True) as other:
            deadline = time.monotonic() + 30
            while other.execute(WAITING).fetchone() is None:
                assert time.monotonic() < deadline
                time.sleep(0.05)
        (job,) = [one for one in cli.json("job", "list") if one["import_id"] == done["import_id"]]
        assert (job["task"], job["organization"]) == ("import", "acme")
        assert cli.json("job", "cancel", str(job["id"]), "--yes")["status"] in ("cancelled", "aborting")
        assert "Job has not failed" in cli.run("job", "retry", str(job["id"]), code=1).stderr
        assert client.get(f"/api/v1/import/{done['import_id']}").json()["error"] == "cancelled"
        connection.execute("ROLLBACK")
        connection.execute("UPDATE atlas.users SET role = 'member' WHERE name = 'owner'")
        connection.commit()
