"""What import instructions say reaches the rows, the table and the answer, or is asked about; nothing is dropped."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.anyio

ORDERS = b"id,status,amount,country\n1,open,5,US\n2,open,50,DE\n3,pending,5,US\n4,pending,50,US\n5,closed,50,DE\n"


async def send(
    client: httpx.AsyncClient,
    instruction: str,
    data: bytes = ORDERS,
    status: int = 200,
    name: str = "file.csv",
    path: str = "",
    **more: str,
) -> Any:
    """The response of an import or a preview."""
    form = {"instruction": instruction, **more}
    response = await client.post(f"/api/v1/smart-import{path}", data=form, files={"file": (name, data)})
    assert response.status_code == status, response.text
    return response.json()


async def rows(client: httpx.AsyncClient, table: str) -> list[dict[str, Any]]:
    response = await client.get(f"/api/v1/tables/{table}/rows?limit=1000")
    assert response.status_code == 200, response.text
    return [{name: value for name, value in row.items() if name != "_row"} for row in response.json()["rows"]]


async def tables(client: httpx.AsyncClient) -> list[str]:
    return [table["table_name"] for table in (await client.get("/api/v1/tables")).json()["tables"]]


FILTERS = [
    ("into o2 only rows where amount is more than 10 and less than 100 and status is open", "o2", "2"),
    ("only rows where status is open or pending and amount over 10 into ao", "ao", "24"),
    ("import only rows where country is US and amount over 10 into leads", "leads", "4"),
    ("only rows where amount over 10 into o3b", "o3b", "245"),
    ("keep only the rows where status is open into table o3c", "o3c", "12"),
    ("into p1, only rows where country is US or country is DE and amount over 10", "p1", "12345"),
    ("into o4 rows with status open only", "o4", "12"),
    ("only rows where country is US, into q1", "q1", "134"),
    ("into q2, only rows where (status is closed or status is open) and country is DE", "q2", "25"),
    ("into q3, skip rows where not (country is US or status is closed)", "q3", "1345"),
    ("into q4, only rows where amount is over 5 and under 1,000", "q4", "245"),
    ("into q5, all rows except those with status closed", "q5", "1234"),
    ("into q6 unless status is closed or amount is at most 5", "q6", "24"),
    ("where status contains pen and country is not DE, into q7 table", "q7", "134"),
    ("into q8, only rows where country is US and exclude rows where status is pending", "q8", "1"),
    ("only rows where amount is between 5 and 49 go into q9", "q9", "13"),
    ("only rows where amount is between 5 and 49 wander into q10", None, ""),
    ("In die Tabelle d1, nur Zeilen mit Land US", None, ""),
    ("In Tabelle d2 importieren, nur Zeilen, bei denen country gleich US ist und amount größer als 10 ist", "d2", "4"),
    ("Importer dans la table f1, seulement les lignes où country est US et amount est supérieur à 10", "f1", "4"),
    ("Importar en la tabla e1, solo las filas donde country es US y amount es mayor que 10", "e1", "4"),
]


async def test_filters_keep_the_rows_that_they_name(owner: httpx.AsyncClient) -> None:
    for instruction, table, expected in FILTERS:
        if table is None:
            refused = await send(owner, instruction, status=400)
            assert refused["detail"].startswith("Instruction is unclear: "), instruction
            continue
        done = await send(owner, instruction)
        assert "".join(str(row["id"]) for row in await rows(owner, table)) == expected, instruction
        assert done["table_name"] == table
        assert done["not_understood"] == []
        assert {"table", "filter"} <= {clause["kind"] for clause in done["understood"]}
    mixed = await send(owner, FILTERS[5][0].replace("p1", "p2"))
    told = next(clause["meaning"] for clause in mixed["understood"] if clause["kind"] == "filter")
    # The reader sees what binds tighter.
    assert told == "only records where country is US or (country is DE and amount > 10)"


async def test_days_are_compared_however_they_are_written(owner: httpx.AsyncClient) -> None:
    days = b"id,day\n1,2024-03-02\n2,2024-03-03\n3,2024-03-04\n"
    for number, (told, expected) in enumerate(
        [
            ("on or after March 3, 2024", "23"),
            ("before 3rd of March 2024", "1"),
            ("between 3 Mar 2024 and 4 Mar 2024", "23"),
        ]
    ):
        await send(owner, f"into day{number}, only rows where day is {told}", days)
        assert "".join(str(row["id"]) for row in await rows(owner, f"day{number}")) == expected
    refused = await send(owner, "into day9, only rows where day is after 01/02/2024", days, 400)
    assert "compares with '01/02/2024'" in refused["detail"]


async def test_a_filter_on_a_column_that_is_left_out(owner: httpx.AsyncClient) -> None:
    await send(owner, "into p10, keep rows where status is open and drop the amount column")
    assert await rows(owner, "p10") == [
        {"id": 1, "status": "open", "country": "US"},
        {"id": 2, "status": "open", "country": "DE"},
    ]
    await send(
        owner, "into p11, drop the status column, keep rows where status is open and amount over 1,000 or id is 5"
    )
    assert [row["id"] for row in await rows(owner, "p11")] == [5]
    assert set((await rows(owner, "p11"))[0]) == {"id", "amount", "country"}


UNCLEAR = [
    "into t, only the last 2 rows",
    "importa nella tabella t",
    "Importeer in tabel t",
    "into t, skip the totals row",
    "into t, all sheets",
    "import everything except the US stuff into t",
    "into t, uppercase the status",
    "into t where amount is roughly 10",
    "into t, merge with the other file",
    "into t, pivot by country",
    "from row 3 on, into t",
    "into t or maybe into u",
    "load into t and also into u",
    "into t, nur die ersten 2 Zeilen",
    "into t, split by country into tables",
    "Do not import this",
    "into t, status open",
    "into t, keep id and drop id",
    "into t, replace the existing data",
    "into t, sheet 2",
    "into t, skip the first row",
    "загрузи это в таблицу t",
    "ez mind a t táblába",
]


async def test_what_could_change_rows_or_table_is_asked_and_nothing_is_written(owner: httpx.AsyncClient) -> None:
    for instruction in UNCLEAR:
        refused = await send(owner, instruction, status=400)
        assert refused["detail"].startswith(("Instruction is unclear: ", "Nothing to import", "Invalid filter: ")), (
            refused
        )
        seen = (
            await owner.post(
                "/api/v1/smart-import/preview", data={"instruction": instruction}, files={"file": ("file.csv", ORDERS)}
            )
        ).json()
        assert seen.get("questions") or seen.get("detail") == refused["detail"], instruction
    assert await tables(owner) == []


async def test_a_slip_in_the_name_of_a_table_is_asked_about(owner: httpx.AsyncClient) -> None:
    await send(owner, "into contacts", ORDERS)
    refused = await send(owner, "into contakts", ORDERS, 400)
    assert "Is 'contacts' meant, or a new table 'contakts'?" in refused["detail"]
    assert (await send(owner, "into my contact table", ORDERS))["table_name"] == "contacts"
    assert (await send(owner, "into a new table contakts", ORDERS))["table_name"] == "contakts"


async def test_words_that_change_nothing_are_told(owner: httpx.AsyncClient) -> None:
    done = await send(owner, "Import this into my leads table, it comes from our old friends in Rome")
    assert done["records_inserted"] == 5
    assert done["not_understood"]
    assert all(word in " ".join(done["not_understood"]) for word in ("comes", "friends", "Rome"))


async def test_the_table_is_not_swallowed_by_types_and_rules(owner: httpx.AsyncClient) -> None:
    await send(owner, "into o20, id is text", b"id,v\n1,a\n2,b\n")
    assert await rows(owner, "o20") == [{"id": "1", "v": "a"}, {"id": "2", "v": "b"}]
    for number, told in enumerate(
        ("email is required", "email must not be empty", "email cannot be blank", "every row must have an email")
    ):
        for joint in (",", ".", " and", ";"):
            table = f"r{number}{joint.strip().replace(',', 'a').replace('.', 'b').replace(';', 'c')}"
            done = await send(owner, f"Import into {table} table{joint} {told}", b"email,n\na@x.com,1\n,2\n")
            assert (done["table_name"], done["records_inserted"], done["validation_failures"]) == (table, 1, 1), told
    done = await send(owner, "into o21, zip is text, id is text", b"id,v\n1,a\n")
    assert done["not_understood"] == ["no column 'zip' in the file"]
    # What was no type before is none now.
    assert (await send(owner, "into o22, commas are decimal", b"k;v\na;1,234\nb;2,500\n"))["table_name"] == "o22"
    assert [row["v"] for row in await rows(owner, "o22")] == [1.234, 2.5]


@pytest.mark.parametrize(
    "told",
    [
        "year and month are the key",
        "the key is year and month",
        "the key is the combination of year and month",
        "match on year and month",
        "use year and month as the key",
        "der Schlüssel ist year und month",
        "la clé est year et month",
        "la clave es year y month",
    ],
)
async def test_keys_of_several_columns(owner: httpx.AsyncClient, told: str) -> None:
    into = "in die Tabelle o17" if "Schl" in told else "dans la table o17" if "clé" in told else "en la tabla o17"
    into = "into o17" if "key" in told or "match" in told else into
    done = await send(owner, f"{into}, {told}", b"year,month,v\n2024,1,a\n2024,1,b\n2024,2,c\n")
    assert ([row["v"] for row in await rows(owner, "o17")], done["duplicates_skipped"]) == (["a", "c"], 1)


async def test_records_without_a_key_are_told_to_be_inserted_again(owner: httpx.AsyncClient) -> None:
    file = b"sku,price\nA1,2.50\n,3.00\n,4.00\n"
    told = "2 records have no sku, so no row is the same; if the file is imported again, they are inserted again"
    for count in (3, 5):
        plan = await send(owner, "into costs, sku is the key", file, path="/preview")
        done = await send(owner, "into costs, sku is the key", file)
        assert told in plan["notes"]
        assert told in done["response_summary"]
        assert len(await rows(owner, "costs")) == count
    done = await send(owner, "into costs, keep all duplicates", file)
    assert "no sku" not in done["response_summary"]


async def test_updates_of_what_is_there(owner: httpx.AsyncClient) -> None:
    await send(owner, "into prices, sku is the key", b"sku,price,stock\nA1,2.50,5\nB2,3.00,6\nC3,4.00,7\n")
    file = b"sku,price,stock\nA1,2.75,0\nC3,4.20,0\nD4,9.99,0\n"
    done = await send(owner, "Update the prices in the prices table, match on sku", file)
    assert (done["records_inserted"], done["records_updated"], done["records_not_found"]) == (0, 2, 1)
    assert "1 record matches no row and was left out" in done["response_summary"]
    # Of the columns only the one that was named.
    assert [(row["sku"], row["price"], row["stock"]) for row in await rows(owner, "prices")] == [
        ("A1", 2.75, 5),
        ("B2", 3.0, 6),
        ("C3", 4.2, 7),
    ]
    await send(owner, "Update the prices table with this file and add the new ones, match on sku", file)
    assert [(row["sku"], row["stock"]) for row in await rows(owner, "prices")] == [
        ("A1", 0),
        ("B2", 6),
        ("C3", 0),
        ("D4", 0),
    ]
    refused = await send(owner, "Update the prices in the costs table, match on sku", file, 400)
    assert "no table 'costs' to update" in refused["detail"]


@pytest.mark.parametrize(
    "told",
    [
        "replace everything in the sales table with this file",
        "clear the table sales and load this",
        "Truncate the sales table, then import this file",
        "delete all rows in the sales table and import the file",
        "Overwrite the sales table with this file",
        "Ersetze alles in der Tabelle sales durch diese Datei",
        "Remplace tout le contenu de la table sales par ce fichier",
        "Reemplaza todo en la tabla sales con este archivo",
    ],
)
async def test_a_table_is_replaced_and_can_be_restored(owner: httpx.AsyncClient, told: str) -> None:
    first = await send(owner, "into sales, id is the key", b"id,v\n1,a\n2,b\n3,c\n")
    assert first["rows_replaced"] == 0
    seen = await send(owner, told, b"id,v\n2,x\n4,y\n", path="/preview")
    assert (seen["replace"], seen["questions"], len(await rows(owner, "sales"))) == (True, [], 3)
    done = await send(owner, told, b"id,v\n2,x\n4,y\n")
    assert (done["table_name"], done["rows_replaced"], done["records_inserted"]) == ("sales", 3, 2)
    assert "3 rows that were there were archived" in done["response_summary"]
    assert await rows(owner, "sales") == [{"id": 2, "v": "x"}, {"id": 4, "v": "y"}]
    table = next(t for t in (await owner.get("/api/v1/tables")).json()["tables"] if t["table_name"] == "sales")
    assert table["row_count"] == 2
    undone = (await owner.post(f"/api/v1/import/{done['import_id']}/undo")).json()
    assert (undone["complete"], undone["rows_removed"], undone["rows_restored"]) == (True, 2, 3)
    assert [row["v"] for row in await rows(owner, "sales")] == ["a", "b", "c"]
    # The keys are those of before.
    again = await send(owner, "into sales", b"id,v\n2,x\n")
    assert (again["records_inserted"], again["duplicates_skipped"]) == (0, 1)


async def test_a_failed_replacement_leaves_the_rows(owner: httpx.AsyncClient) -> None:
    await send(owner, "into sales, id is the key", b"id,v\n1,a\n2,b\n")
    refused = await send(
        owner, "replace everything in the sales table with this file, w must not be empty", b"id,v\n9,z\n", 400
    )
    assert "'w' is required" in refused["detail"]
    assert len(await rows(owner, "sales")) == 2


HEADERS = [
    ("into {t}, the first row is not a header", b"a,1\nb,2\n", [("a", 1), ("b", 2)]),
    ("into {t}. The file has no header row.", b"a,1\nb,2\n", [("a", 1), ("b", 2)]),
    ("Into table {t}: first line is data, skip duplicates", b"x,y\na,b\n", [("x", "y"), ("a", "b")]),
    ("header is in row 3, into {t}", b"Report,\nof May,\nk,v\na,1\n", [("a", 1)]),
    ("into {t}, the column names are in row 2", b"x,y\nk,v\na,1\n", [("a", 1)]),
    ("skip the first 2 rows, into {t}", b"Report,\nof May,\nk,v\na,1\n", [("a", 1)]),
    ("In die Tabelle {t}, die Datei hat keine Kopfzeile", b"a,1\nb,2\n", [("a", 1), ("b", 2)]),
    ("Dans la table {t}, la première ligne n'est pas un en-tête", b"a,1\nb,2\n", [("a", 1), ("b", 2)]),
    ("En la tabla {t}, sin encabezado", b"a,1\nb,2\n", [("a", 1), ("b", 2)]),
]


async def test_what_is_said_of_the_header_is_done(owner: httpx.AsyncClient) -> None:
    for number, (told, data, expected) in enumerate(HEADERS):
        done = await send(owner, told.format(t=f"h{number}"), data)
        assert [tuple(row.values()) for row in await rows(owner, f"h{number}")] == expected, told
        assert "header" in {clause["kind"] for clause in done["understood"]}
    json = b'[{"a": 1}]'
    assert "no header row" not in (await send(owner, "into j", json, name="a.json"))["response_summary"]
    refused = await send(owner, "into j2, the first row is not a header", json, 400, "a.json")
    assert "JSON, which has none" in refused["detail"]


async def test_a_file_without_a_table_is_named_after_itself_and_that_is_told(owner: httpx.AsyncClient) -> None:
    done = await send(owner, "Import this file, skip duplicates", name="my orders.csv")
    assert done["table_name"] == "my_orders"
    assert "no table was named, so the file's name is taken: my_orders" in done["response_summary"]


LANGUAGES = [
    ("Importiere diese Datei in die Tabelle kunden, überspringe Duplikate nach email", "kunden"),
    ("Bitte in die Tabelle kunden2 laden. Der Schlüssel ist email. Behandle plz als Text.", "kunden2"),
    ("Lade das in meine Kunden3-Tabelle und aktualisiere vorhandene Zeilen", None),
    ("Importer ce fichier dans la table clients, ignorer les doublons sur email", "clients"),
    ("Importe dans ma table clients2, la clé est email, traiter plz comme texte", "clients2"),
    ("Importar este archivo en la tabla compradores, omitir duplicados por email", "compradores"),
    ("Importa en mi tabla compradores2, la clave es email, tratar plz como texto", "compradores2"),
]


async def test_german_french_and_spanish(owner: httpx.AsyncClient) -> None:
    data = b"email,plz\na@x.com,1234\nA@x.com,1235\nb@x.com,99999\n"
    for told, table in LANGUAGES:
        form = {"instruction": told}
        response = await owner.post("/api/v1/smart-import", data=form, files={"file": ("upload.csv", data)})
        if table is None:
            assert response.status_code in (200, 400), told
            continue
        done = response.json()
        assert (response.status_code, done.get("table_name")) == (200, table), (told, done)
        assert (done["records_inserted"], done["duplicates_skipped"]) == (2, 1), told
    assert not {"die", "upload", "la", "table", "tabla", "en", "dans", "meine"} & set(await tables(owner))


STAGES = (
    b"id,status,amount,country,due,ok\n1,open,5,US,2024-01-01,yes\n2,in progress,50,IT,2024-02-01,no\n"
    b"3,stock,7,NO,2024-02-01,no\n4,in stock,8,ME,2024-03-01,yes\n"
)


READ_OTHERWISE = [
    ("only rows where status is in progress", "2"),
    ("only rows where status is not in progress", "134"),
    ("only rows where status is open or in progress", "12"),
    ("only rows where country is in IT, NO", "23"),
    ("only rows where country in (US)", "1"),
    ("only rows where amount <> 5", "234"),
    ("ok must be one of yes, no", "1234"),
    ("due must be one of 2024-01-01, 2024-02-01", "123"),
    ("no duplicate check", "1234"),
    ("dates are European", "1234"),
]
DROPPED = [
    ("exclude country US", "'US'"),
    ("skip country IT", "'IT'"),
    ("drop country us", "'us'"),
    ("only rows where status is open but not country IT", "'IT'"),
    ("only rows where status is in stock", "Which status is meant, 'in stock' or 'stock'?"),
    ("only rows where status = country", "'country' is a column"),
    ("ok must be one of yes, maybe", "'maybe' is not true or false"),
    ("due must be in 2024", "'2024' is not a date"),
    ("rename amount to country", "'country' is the name of another column, too"),
    ("sorted by amount", "'sorted'"),
    ("order by amount desc", "'order'"),
    ("dry run", "'dry run'"),
    ("anonymize", "'anonymize'"),
    ("amount must be at least 3 digits", "'digits'"),
    ("skip the first row", "Is the first row a line above"),
]


async def test_words_that_were_read_otherwise(owner: httpx.AsyncClient) -> None:
    """Each was something else once: a list of one word, the less than of `<>`, words compared with true and false."""
    for number, (told, kept) in enumerate(READ_OTHERWISE):
        await send(owner, f"into w{number}, {told}", STAGES)
        assert "".join(str(row["id"]) for row in await rows(owner, f"w{number}")) == kept, told


async def test_what_was_dropped_or_misread_is_asked(owner: httpx.AsyncClient) -> None:
    for told, question in DROPPED:
        assert question in (await send(owner, f"into w, {told}", STAGES, 400))["detail"]
    assert "w" not in await tables(owner)
    await send(owner, "into file", STAGES)
    assert "which table" in (await send(owner, "delete everything", STAGES, 400))["detail"]
    assert len(await rows(owner, "file")) == 4
    found = await send(owner, "into v, exclude rows where status is opne", STAGES)
    assert "no record has 'opne' as status" in found["response_summary"]
    assert found["records_inserted"] == 4


EVERYDAY = b"""id,country,city,date,amount,paid
1,US,Boston,2023-12-31,10,yes
2,DE,Berlin,2024-01-01,20,no
3,US,Berlin,2024-12-31,30,yes
4,FR,Paris,2024-03-15,40,no
5,US,Austin,2025-01-01,50,yes,surplus
6,US,Austin,2024-02-29,60,no
"""


async def test_phrases_of_every_day_do_what_they_say(owner: httpx.AsyncClient) -> None:
    expected = {
        "only the first 2 rows": ("1,2", "only the first 2 records of the file", 4),
        "only the first 5 rows": ("1,2,3,4", "only the first 5 records of the file", 1),
        "the first 2 matching rows, only rows where country is US": ("1,3", "only the first 2 records that pass", 4),
        "the first 2 rows of the file, only rows where country is US": ("1", "country is US", 5),
        "the first 1 rows where date is in 2024": ("2", "between 2024-01-01 and 2024-12-31", 5),
        "only rows from Berlin": ("2,3", "only records where city is Berlin", 3),
        "everything except US": ("2,4", "all records but those where country is US", 3),
        "only US rows": ("1,3,6", "only records where country is US", 2),
        "only rows from 2024": ("2,3,4,6", "only records where date is between 2024-01-01 and 2024-12-31", 1),
        "date in 2024": ("2,3,4,6", "date is between 2024-01-01 and 2024-12-31", 1),
        "date after 2024": ("", "date > 2024-12-31", 5),
        "date since February 2024": ("3,4,6", "date >= 2024-02-01", 2),
        "date before 2024-03": ("1,2,6", "date < 2024-03-01", 2),
        "only rows where date is not in 2024": ("1", "date is not between", 4),
        "date between 2023 and 2024": ("1,2,3,4,6", "date is between 2023-01-01 and 2024-12-31", 0),
    }
    for number, (words, (ids, meaning, left_out)) in enumerate(expected.items()):
        instruction = f"Import into t{number}, id is the key, {words}"
        plan = await send(owner, instruction, EVERYDAY, path="/preview")
        done = await send(owner, instruction, EVERYDAY)
        found = sorted(str(row["id"]) for row in await rows(owner, f"t{number}"))
        assert ",".join(found) == ids, words
        assert any(meaning in clause["meaning"] for clause in done["understood"]), (words, done["understood"])
        counts = ("records_inserted", "records_left_out", "validation_failures", "duplicates_skipped")
        assert [done[name] for name in counts] == [plan[name] for name in counts], words
        assert done["records_left_out"] == left_out, words
        assert sum(done[name] for name in counts) == done["records_processed"] == 6


async def test_phrases_that_may_mean_several_columns_are_asked(owner: httpx.AsyncClient) -> None:
    file = b"id,origin,dest,made,sent\n1,US,DE,2024-01-01,2024-05-05\n2,US,US,2023-01-01,2024-05-05\n"
    for words, told in (
        ("only US rows", "'origin' or 'dest'"),
        ("only rows from 2024", "'made' or 'sent'"),
        ("only Martian rows", "No record has 'Martian' in any column"),
        ("only rows where made is one of 2023, 2024", "Say one range"),
        ("only the first 2 rows, only rows where dest is US", "the first of the file, or the first that pass"),
    ):
        refused = await send(owner, f"Import into t, {words}", file, status=400)
        assert told in refused["detail"], refused
    assert not await tables(owner)
