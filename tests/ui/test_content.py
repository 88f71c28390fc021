"""The pages of content: import with a preview, history, review of issues, tables and their rows."""

from __future__ import annotations

import csv
import io
import random
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.ui.conftest import Site, Watched, shot, sign_in

FIRST = "Anna Ben Carla David Elena Felix Grace Hugo Ines Jonas Karin Liam Maria Noah Olga Paul".split()
LAST = "Meyer Keller Rossi Dubois Smith Garcia Novak Jensen Schmid Weber Silva Tanaka".split()
SYLLABLES = "ba do fe gu hi jo ka lu me ni pa ro si tu va we xi zo".split()
COUNTRIES = ["Germany", "Switzerland", "France", "United States"]
ROWS = 400


def contacts(seed: int = 7) -> str:
    """400 people as CSV: 3 wrong addresses, a text among the amounts, 5 amounts that are n/a, 12 repeated addresses."""
    noise = random.Random(seed)
    rows = []
    for n in range(ROWS):
        first, last = noise.choice(FIRST), noise.choice(LAST)
        rows.append(
            [
                f"{first} {''.join(noise.choices(SYLLABLES, k=4)).title()} {last}",
                f"{first}.{last}{n}@example.com".lower(),
                noise.choice(COUNTRIES),
                noise.randint(1, 4000) / 10,
                noise.randint(18, 80),
                f"2025-{noise.randint(1, 12):02d}-{noise.randint(1, 28):02d}",
                noise.choice(["true", "false"]),
            ]
        )
    for n in (17, 80, 211):
        rows[n][1] = "not-an-address"
    rows[33][3] = "about 20"
    for n in (40, 50, 60, 70, 90):
        rows[n][3] = "n/a"
    rows += [[*rows[n][:2], "Austria", 55.5, *rows[n][4:]] for n in range(12)]
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(["Full Name", "Email Address", "Country", "Amount", "Age", "Signed up", "Newsletter"])
    writer.writerows(rows)
    return target.getvalue()


def run_import(site: Site, text: str, instruction: str, name: str = "contacts.csv") -> dict[str, Any]:
    """An import by the API."""
    with site.client(site.people.owner) as client:
        done = client.post("/api/v1/smart-import", files={"file": (name, text)}, data={"instruction": instruction})
        assert done.status_code == 200, done.text
        answer: dict[str, Any] = done.json()
        return answer


@pytest.fixture(scope="module")
def leads(site: Site) -> dict[str, Any]:
    """The table `leads`, whose import left issues of every kind."""
    told = "Import this into my leads table, the email is the key, skip duplicates, amount as number"
    return run_import(site, contacts(), told)


def in_row(page: Page, row: int, column: int) -> Locator:
    return page.locator(f"[row-id='{row}'] [col-id='c{column}']")


def test_tables(page: Page, site: Site, leads: dict[str, Any]) -> None:
    with site.client(site.people.owner) as client:
        made = client.post("/api/datasets/", json={"name": "rain"}).json()["id"]
    run_import(site, "sku,price\na1,5\nb2,7\n", "Create a new table called products", "products.csv")
    page.goto(f"{site.url}/ui/tables")
    expect(page.get_by_role("row")).to_have_count(4)
    shot(page, "tables")
    shot(page, "tables-phone", phone=True)
    page.get_by_role("searchbox").fill("LEA")
    expect(page.get_by_role("row")).to_have_count(2)
    expect(page.get_by_role("row").nth(1)).to_contain_text("396")
    page.get_by_role("searchbox").fill("nowhere")
    expect(page.get_by_role("heading", name="Nothing found")).to_be_visible()
    page.get_by_role("button", name="Show all").click()
    page.get_by_role("button", name="Datasets 1").click()
    page.get_by_role("link", name="rain").click()
    expect(page.get_by_role("heading", name="rain")).to_be_visible()
    assert page.url.split("?")[0].endswith(f"/ui/datasets/{made}")
    page.goto(f"{site.url}/ui/tables")
    page.get_by_role("link", name="leads", exact=True).click()
    expect(page.get_by_role("heading", name="leads")).to_be_visible()


def test_rows_are_paged_sorted_and_found(page: Page, site: Site, leads: dict[str, Any], watched: Watched) -> None:
    page.goto(f"{site.url}/ui/tables/leads")
    expect(page.get_by_text("1–100 of 396")).to_be_visible()
    expect(in_row(page, 1, 1)).to_contain_text("@example.com")
    shot(page, "table")
    shot(page, "table-dark", dark=True)
    shot(page, "table-phone", phone=True)
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text("101–200 of 396")).to_be_visible()
    expect(page.locator("[row-id='101']").first).to_be_visible()
    page.get_by_role("columnheader", name="age").click()
    expect(page.get_by_text("1–100 of 396")).to_be_visible()
    expect(page.locator("[row-index='0'] [col-id='c4']")).to_have_text("18")
    page.get_by_role("columnheader", name="age").click()
    expect(page.locator("[row-index='0'] [col-id='c4']")).to_have_text("80")
    expect(page.get_by_role("columnheader", name="age")).to_have_attribute("aria-sort", "descending")
    shot(page, "table-sorted")
    page.get_by_role("searchbox").fill("SWITZ")
    expect(page.get_by_text("of 396 rows")).to_be_visible()
    expect(page.locator("[row-index='0'] [col-id='c2']")).to_have_text("Switzerland")
    page.get_by_role("searchbox").fill("")

    # The builder makes a condition, which can be changed by hand.
    page.get_by_role("button", name="Filter").click()
    page.get_by_label("Column", exact=True).select_option("amount")
    page.get_by_label("Comparison").select_option("is more than")
    page.get_by_label("Value").fill("many")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("is not a number")
    page.get_by_label("Value").fill("100")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Condition", exact=True)).to_have_value("amount > 100")
    page.get_by_label("Column", exact=True).select_option("full_name")
    page.get_by_label("Comparison").select_option("contains")
    page.get_by_label("Value").fill("an")
    page.get_by_role("button", name="And", exact=True).click()
    expect(page.get_by_label("Condition", exact=True)).to_have_value("amount > 100 AND full_name CONTAINS 'an'")
    with site.client(site.people.owner) as client:
        asked = {"filter": "amount > 100 AND full_name CONTAINS 'an'"}
        total = client.get("/api/v1/tables/leads/rows", params=asked).json()["total_count"]
    expect(page.get_by_text(f"{total} of 396 rows")).to_be_visible()
    shot(page, "table-filter")
    page.reload()
    expect(page.get_by_text(f"{total} of 396 rows")).to_be_visible()
    page.get_by_role("button", name="Download").click()
    with page.expect_download() as waiting:
        page.get_by_role("menuitem", name="CSV of the filtered rows").click()
    assert len(list(csv.DictReader(io.StringIO(waiting.value.path().read_text())))) == total
    # What is refused leaves the rows and the address as they are.
    watched.expected = ["400 (Bad Request)"]
    kept = page.url
    page.get_by_label("Condition", exact=True).fill("full_name contains an")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text(re.compile("^'contains' wants a text in single quotes"))
    expect(page.get_by_text(f"{total} of 396 rows")).to_be_visible()
    assert page.url == kept
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_text("1–100 of 396")).to_be_visible()
    page.get_by_label("Column", exact=True).select_option("age")
    page.get_by_label("Comparison").select_option("is between")
    page.get_by_label("From").fill("20")
    page.get_by_label("To", exact=True).fill("29")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Condition", exact=True)).to_have_value("age BETWEEN 20 AND 29")
    with site.client(site.people.owner) as client:
        asked = {"filter": "age >= 20 AND age <= 29"}
        total = client.get("/api/v1/tables/leads/rows", params=asked).json()["total_count"]
    expect(page.get_by_text(f"{total} of 396 rows")).to_be_visible()
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_text("1–100 of 396")).to_be_visible()
    page.get_by_role("button", name="Download").click()
    with page.expect_download() as waiting:
        page.get_by_role("menuitem", name="Parquet").click()
    assert waiting.value.path().read_bytes()[:4] == b"PAR1"


def test_a_wrong_condition_is_told_at_its_field(
    page: Page, site: Site, leads: dict[str, Any], watched: Watched
) -> None:
    watched.expected = ["400 (Bad Request)"]
    page.goto(f"{site.url}/ui/tables/leads?filter=amount+%3E")
    expect(page.get_by_role("alert")).to_contain_text("cannot be read")
    page.get_by_label("Condition", exact=True).fill("nothing = 1")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("nothing")
    page.get_by_label("Condition", exact=True).fill("age = 1000")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="No rows fit")).to_be_visible()
    page.get_by_role("button", name="Show all rows").click()
    expect(page.get_by_text("1–100 of 396")).to_be_visible()


def test_cells_are_edited_in_place(page: Page, site: Site, leads: dict[str, Any], watched: Watched) -> None:
    watched.expected = ["400 (Bad Request)"]
    page.goto(f"{site.url}/ui/tables/leads")
    age = in_row(page, 3, 4)
    expect(age).not_to_be_empty()
    before = age.inner_text()
    age.dblclick()
    page.keyboard.press("Control+A")
    page.keyboard.type("old")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("not a whole number")
    expect(age).to_have_text(before)
    shot(page, "table-refused")
    page.get_by_role("button", name="Edit again").click()
    expect(page.locator(".ag-cell-inline-editing input")).to_have_value("old")
    page.keyboard.type("44")
    page.keyboard.press("Enter")
    expect(age).to_have_text("44")
    expect(page.get_by_text("Row 3: age is 44 now.")).to_be_visible()
    with site.client(site.people.owner) as client:
        row = client.get("/api/v1/tables/leads/rows?limit=1&offset=2").json()["rows"][0]
        assert (row["_row"], row["age"]) == (3, 44)
    page.get_by_role("button", name="Undo").click()
    expect(age).to_have_text(before)
    # By keyboard alone.
    in_row(page, 5, 2).click()
    page.keyboard.press("Enter")
    page.keyboard.press("Control+A")
    page.keyboard.type("Italy")
    page.keyboard.press("Enter")
    expect(in_row(page, 5, 2)).to_have_text("Italy")
    in_row(page, 5, 0).click()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    panel = page.get_by_role("complementary", name="Row 5")
    expect(panel).to_contain_text("Italy")
    expect(panel.get_by_role("listitem")).to_have_count(2)
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()


def test_rows_are_added_archived_and_restored(page: Page, site: Site, leads: dict[str, Any], watched: Watched) -> None:
    watched.expected = ["400 (Bad Request)"]
    page.goto(f"{site.url}/ui/tables/leads")
    page.get_by_role("button", name="Add a row").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("full_name").fill("Zoe Zimmermann")
    dialog.get_by_label("email_address").fill("zoe")
    dialog.get_by_label("age").fill("31")
    dialog.get_by_role("button", name="Add").click()
    expect(dialog.get_by_role("alert")).to_contain_text("not a valid e-mail address")
    shot(page, "table-add")
    expect(dialog.get_by_label("age")).to_have_value("31")
    dialog.get_by_label("email_address").fill("zoe@example.com")
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(page.get_by_text("was added.")).to_be_visible()
    page.get_by_role("searchbox").fill("zoe@")
    row = page.locator("[row-index='0'] [col-id='_row']")
    expect(page.get_by_text("1 of 397 rows")).to_be_visible()
    row.click()
    panel = page.get_by_role("complementary")
    expect(panel).to_contain_text("Zoe Zimmermann")
    shot(page, "table-row")
    panel.get_by_role("button", name="Archive this row").click()
    expect(page.get_by_text("was archived.")).to_be_visible()
    expect(page.get_by_role("heading", name="No rows fit")).to_be_visible()
    page.get_by_role("button", name="Archived").click()
    row.click()
    expect(panel.get_by_role("listitem")).to_have_count(2)
    shot(page, "table-row-archived", phone=True)
    panel.get_by_role("button", name="Restore this row").click()
    expect(page.get_by_text("was restored.")).to_be_visible()
    with site.client(site.people.owner) as client:
        assert client.get("/api/v1/tables/leads/rows?search=zoe@").json()["total_count"] == 1


def test_many_rows_are_updated(page: Page, site: Site, leads: dict[str, Any]) -> None:
    page.goto(f"{site.url}/ui/tables/leads")
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Update many rows").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Column", exact=True).select_option("country")
    dialog.get_by_label("Value").fill("France")
    page.keyboard.press("Enter")
    with site.client(site.people.owner) as client:
        total = client.get("/api/v1/tables/leads/rows?filter=country='France'").json()["total_count"]
    expect(dialog.get_by_role("status")).to_contain_text(f"{total} rows of ")
    dialog.get_by_label("Set", exact=True).select_option("newsletter")
    dialog.get_by_label("To", exact=True).select_option("true")
    shot(page, "table-update")
    dialog.get_by_role("button", name=f"Update {total} rows").click()
    expect(page.get_by_text("had these values already")).to_be_visible()
    with site.client(site.people.owner) as client:
        asked = {"filter": "country = 'France' AND NOT newsletter"}
        assert client.get("/api/v1/tables/leads/rows", params=asked).json()["total_count"] == 0
        page.get_by_role("button", name="Undo").click()
        expect(page.get_by_text("Undone")).to_be_visible()
        assert client.get("/api/v1/tables/leads/rows", params=asked).json()["total_count"] > 0
    page.get_by_role("tab", name="Columns").click()
    expect(page.get_by_role("row", name="age")).to_contain_text("80")
    shot(page, "table-columns")
    page.get_by_role("tab", name="History").click()
    expect(page.get_by_role("link", name="contacts.csv")).to_be_visible()
    shot(page, "table-history")


def test_a_table_is_dropped_with_its_name(page: Page, site: Site, leads: dict[str, Any], watched: Watched) -> None:
    watched.expected = ["404 (Not Found)"]
    run_import(site, "a,b\n1,2\n", "Create a new table called trash", "trash.csv")
    page.goto(f"{site.url}/ui/tables/trash")
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Delete this table").click()
    expect(page.get_by_role("button", name="Delete it")).to_be_disabled()
    page.get_by_label("Type trash to confirm").fill("trash")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Tables")).to_be_visible()
    page.goto(f"{site.url}/ui/tables/trash")
    expect(page.get_by_role("alert")).to_contain_text("no table 'trash'")


def test_others_see_nothing(visitor: Page, site: Site, leads: dict[str, Any], watched: Watched) -> None:
    watched.expected = ["401 (Unauthorized)", "404 (Not Found)"]
    sign_in(visitor, site, site.people.stranger, "/ui/tables/leads")
    expect(visitor.get_by_role("alert")).to_contain_text("no table 'leads'")
    visitor.goto(f"{site.url}/ui/imports/{leads['import_id']}")
    expect(visitor.get_by_role("alert")).to_contain_text("no import with ID")
    visitor.goto(f"{site.url}/ui/tables")
    expect(visitor.get_by_role("heading", name="No tables yet")).to_be_visible()
    shot(visitor, "tables-empty")


def test_a_file_is_previewed_and_imported(page: Page, site: Site, tmp_path: Path, watched: Watched) -> None:
    # The stream of progress is asked for as soon as the file is sent, maybe before the server has begun.
    watched.expected = ["400 (Bad Request)", "404 (Not Found)"]
    file = tmp_path / "customers.csv"
    file.write_text(contacts(3))
    page.goto(f"{site.url}/ui/import")
    shot(page, "import-empty")
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="a new table").click()
    instruction = page.get_by_role("textbox", name="Instruction")
    expect(instruction).to_be_focused()
    instruction.fill("undo that")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("alert")).to_contain_text("to undo an import")
    expect(instruction).to_have_value("undo that")
    instruction.fill("Create a new table called customers, the email is the key, paint it red")
    page.get_by_role("button", name="Preview").click()
    plan = page.get_by_role("region", name="Preview")
    expect(plan).to_contain_text("new table")
    expect(plan).to_contain_text("12 repeats within the file")
    expect(plan).to_contain_text("3would wait for review")
    expect(plan.get_by_role("region", name="Cells that fail").get_by_role("row")).to_have_count(4)
    expect(plan).to_contain_text("Not understood: paint red")
    expect(plan.get_by_role("row", name="Email Address")).to_contain_text("key")
    expect(plan.get_by_role("gridcell", name="@example.com").first).to_be_attached()
    shot(page, "import-preview")
    shot(page, "import-preview-dark", dark=True)
    shot(page, "import-preview-phone", phone=True)
    with site.client(site.people.owner) as client:
        assert client.get("/api/v1/tables/customers/schema").status_code == 404
    instruction.fill("Create a new table called customers, the email is the key")
    expect(plan).to_contain_text("has changed since")
    page.get_by_role("button", name="skip duplicates").click()
    expect(instruction).to_have_value("Create a new table called customers, the email is the key, skip duplicates")
    page.get_by_role("button", name="Preview again").click()
    expect(plan).not_to_contain_text("has changed since")
    expect(plan).not_to_contain_text("Not understood")
    page.get_by_role("button", name="Import", exact=True).click()
    result = page.get_by_role("region", name="Result")
    expect(result).to_contain_text("Imported 397 records into the new table customers.")
    expect(result.get_by_role("link", name="Review 21 issues")).to_be_visible()
    shot(page, "import-result")
    result.get_by_role("link", name="Open the table").click()
    expect(page.get_by_role("heading", name="customers")).to_be_visible()
    page.go_back()
    # Undo takes the whole table back.
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="customers", exact=True).click()
    page.get_by_role("button", name="Import", exact=True).click()
    expect(result).to_contain_text("409 duplicates were skipped")
    result.get_by_role("button", name="Undo").click()
    expect(result).to_contain_text("Undone")


def test_a_file_becomes_a_time_series(page: Page, site: Site, tmp_path: Path, watched: Watched) -> None:
    watched.expected = ["404 (Not Found)"]
    file = tmp_path / "sensors.csv"
    noise = random.Random(2)
    file.write_text("date,temperature\n" + "".join(f"2026-01-{n:02d},{noise.gauss(4, 2):.1f}\n" for n in range(1, 29)))
    page.goto(f"{site.url}/ui/import")
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="a time series").click()
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("region", name="Preview")).to_contain_text("new dataset")
    page.get_by_role("button", name="Import", exact=True).click()
    page.get_by_role("link", name="Open the dataset").click()
    expect(page.get_by_role("heading", name="sensors")).to_be_visible()
    expect(page.locator(".figure").first).to_contain_text("28")


def test_progress_is_shown_while_a_file_is_imported(page: Page, site: Site, tmp_path: Path, watched: Watched) -> None:
    watched.expected = ["404 (Not Found)"]
    file = tmp_path / "readings.csv"
    with file.open("w") as target:
        target.write("id,station,value\n")
        target.writelines(f"{n},station {n % 500},{n * 7 % 1000 / 10}\n" for n in range(200_000))
    page.goto(f"{site.url}/ui/import")
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("textbox", name="Instruction").fill("Create a new table called readings")
    page.get_by_role("button", name="Import", exact=True).click()
    working = page.get_by_role("region", name="Progress")
    expect(working).to_contain_text(re.compile("sent|Waiting|Reading|Looking|Finishing"))
    shot(page, "import-progress")
    expect(page.get_by_role("region", name="Result")).to_contain_text("200,000")
    page.goto(f"{site.url}/ui/tables/readings?filter=value+%3E+99.8&search=station+4")
    expect(page.get_by_text("of 200,000 rows")).to_be_visible()


def test_imports_are_listed_and_filtered(page: Page, site: Site, leads: dict[str, Any], watched: Watched) -> None:
    page.goto(f"{site.url}/ui/imports")
    expect(page.get_by_role("row").nth(1)).to_contain_text("owner")
    shot(page, "imports")
    shot(page, "imports-phone", phone=True)
    page.get_by_label("Table").select_option("leads")
    page.get_by_label("Status").select_option("failed")
    expect(page.get_by_role("heading", name="Nothing here")).to_be_visible()
    assert "status=failed" in page.url
    page.get_by_role("button", name="Show all").click()
    page.get_by_label("Table").select_option("leads")
    page.get_by_label("Status").select_option("success")
    page.get_by_role("link", name="contacts.csv").last.click()
    expect(page.get_by_role("heading", name="contacts.csv")).to_be_visible()


def test_a_filter_chosen_while_the_address_follows_is_kept(page: Page, site: Site, leads: dict[str, Any]) -> None:
    page.goto(f"{site.url}/ui/imports")
    expect(page.get_by_role("row").nth(1)).to_contain_text("owner")
    # The address has the first filter, and the page has not seen it yet.
    page.evaluate(
        """() => {
          const status = document.querySelector('option[value="failed"]').closest("select");
          const replace = history.replaceState.bind(history);
          history.replaceState = (...given) => {
            history.replaceState = replace;
            replace(...given);
            status.value = "failed";
            status.dispatchEvent(new Event("change", { bubbles: true }));
          };
        }"""
    )
    page.get_by_label("Table").select_option("leads")
    expect(page.get_by_role("heading", name="Nothing here")).to_be_visible()
    assert "table=leads&status=failed" in page.url


@pytest.fixture
def review(page: Page, site: Site) -> dict[str, Any]:
    """A fresh import with issues, on the page of its review."""
    name = f"people{random.randrange(10**9)}"
    told = f"Create a new table called {name}, the email is the key, skip duplicates, amount as number"
    done = run_import(site, contacts(), told)
    page.goto(f"{site.url}/ui/imports/{done['import_id']}")
    return done


def waiting(site: Site, done: dict[str, Any]) -> tuple[int, int, int]:
    with site.client(site.people.owner) as client:
        told = client.get(f"/api/v1/import/{done['import_id']}/issues").json()["summary"]
    return told["duplicates_count"], told["validation_failures_count"], told["value_replacements_count"]


def test_duplicates_are_reviewed_side_by_side(page: Page, site: Site, review: dict[str, Any]) -> None:
    first = page.get_by_role("article").first
    expect(first).to_contain_text("Record 401")
    expect(first).to_contain_text("Record 1 of the file")
    expect(first.get_by_role("row", name="country")).to_have_class("differs")
    expect(first).to_contain_text("2 of 7 differ")
    shot(page, "review-duplicates")
    shot(page, "review-duplicates-dark", dark=True)
    shot(page, "review-duplicates-phone", phone=True)
    total = waiting(site, review)[0]
    # Keys: the second is skipped, the first inserted with a change.
    page.keyboard.press("j")
    expect(page.get_by_role("article").nth(1)).to_have_class("card issue current")
    page.keyboard.press("s")
    expect(page.get_by_role("tab", name=f"Duplicates {total - 1}")).to_be_visible()
    page.keyboard.press("k")
    first.get_by_label("email_address").fill("other@example.com")
    first.get_by_role("button", name="Save with changes").click()
    expect(page.get_by_role("tab", name=f"Duplicates {total - 2}")).to_be_visible()
    # Some that are chosen, then all.
    for n in (0, 1):
        page.get_by_role("article").nth(n).get_by_role("checkbox").check()
    page.get_by_role("button", name="Skip (2)").click()
    expect(page.get_by_role("tab", name=f"Duplicates {total - 4}")).to_be_visible()
    page.get_by_role("button", name="Decide all").click()
    page.get_by_role("menuitem", name="Skip: all 8").click()
    page.get_by_role("dialog").get_by_role("button", name="Skip").click()
    expect(page.get_by_role("heading", name="Nothing waits here")).to_be_visible()
    assert waiting(site, review)[0] == 0
    page.get_by_role("button", name="Show decided ones").click()
    expect(page.get_by_role("article")).to_have_count(12)
    expect(page.get_by_role("article").first).to_contain_text("inserted")
    with site.client(site.people.owner) as client:
        rows = client.get(f"/api/v1/tables/{review['table_name']}/rows?search=other@example").json()["rows"]
    assert [row["country"] for row in rows] == ["Austria"]


def test_failures_are_corrected_in_place(page: Page, site: Site, review: dict[str, Any], watched: Watched) -> None:
    watched.expected = ["400 (Bad Request)"]
    page.get_by_role("tab", name="Failures 4").click()
    first = page.get_by_role("article").first
    expect(first.get_by_role("row", name="email_address")).to_contain_text("not a valid e-mail address")
    shot(page, "review-failures")
    page.keyboard.press("e")
    page.keyboard.type("still wrong")
    page.keyboard.press("Enter")
    expect(first.get_by_role("row", name="email_address")).to_contain_text("'still wrong'")
    expect(first.get_by_label("email_address")).to_have_value("still wrong")
    first.get_by_label("email_address").fill("right@example.com")
    page.keyboard.press("Enter")
    expect(page.get_by_role("tab", name="Failures 3")).to_be_visible()
    # All as they are: one stays whose key another of them has, and one with a text for a number, with their reasons.
    page.get_by_role("button", name="Decide all").click()
    page.get_by_role("menuitem", name="Insert as it is").click()
    page.get_by_role("dialog").get_by_role("button", name="Insert as it is").click()
    expect(page.get_by_role("tab", name="Failures 2")).to_be_visible()
    expect(page.get_by_text("1 issue decided; 2 could not be")).to_be_visible()
    expect(page.get_by_role("alert").filter(has_text="Key is taken")).to_be_visible()
    amounts = page.get_by_role("article").get_by_role("row", name="amount")
    expect(amounts.filter(has_text="not a number ('about 20')")).to_be_visible()
    shot(page, "review-refused")
    page.locator("body").press("d")
    expect(page.get_by_role("tab", name="Failures 1")).to_be_visible()
    page.locator("body").press("d")
    expect(page.get_by_role("heading", name="Nothing waits here")).to_be_visible()
    with site.client(site.people.owner) as client:
        table = f"/api/v1/tables/{review['table_name']}/rows"
        assert client.get(table, params={"search": "right@example.com"}).json()["total_count"] == 1
        assert client.get(table).json()["total_count"] == 398


def test_replacements_are_set_kept_and_restored(
    page: Page, site: Site, review: dict[str, Any], watched: Watched
) -> None:
    watched.expected = ["400 (Bad Request)"]
    page.get_by_role("tab", name="Replacements 5").click()
    first = page.get_by_role("article").first
    expect(first).to_contain_text("n/a")
    first.get_by_label("Another value").fill("many")
    page.keyboard.press("Enter")
    expect(first).to_contain_text("not a number ('many')")
    first.get_by_label("Another value").fill("12.5")
    shot(page, "review-replacements")
    first.get_by_role("button", name="Set this value").click()
    expect(page.get_by_role("tab", name="Replacements 4")).to_be_visible()
    # Keys do nothing until the list is there again, as buttons do.
    expect(page.get_by_role("article")).to_have_count(4)
    expect(first.get_by_role("button", name="Leave it so")).to_be_enabled()
    page.keyboard.press("p")
    expect(page.get_by_role("tab", name="Replacements 3")).to_be_visible()
    expect(page.get_by_role("article")).to_have_count(3)
    expect(first.get_by_role("button", name="Leave it so")).to_be_enabled()
    # A text in a column of numbers: only if the column may become a text.
    first.get_by_role("button", name="Restore the original").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(first).to_contain_text("does not fit the type")
    page.get_by_role("button", name="Decide all").click()
    page.get_by_role("menuitem", name="Restore the original").click()
    page.get_by_role("dialog").get_by_role("button", name="Restore the original").click()
    page.get_by_role("dialog").get_by_role("button", name="Make it a text").click()
    expect(page.get_by_role("heading", name="Nothing waits here")).to_be_visible()
    with site.client(site.people.owner) as client:
        stats = client.get(f"/api/v1/tables/{review['table_name']}/stats").json()
    assert stats["columns"]["amount"] == "VARCHAR"


def test_an_import_is_explained_undone_and_run_again(page: Page, site: Site, review: dict[str, Any]) -> None:
    page.get_by_text("Instruction and plan").click()
    expect(page.get_by_role("row", name="Email Address")).to_contain_text("key")
    shot(page, "review-plan")
    page.get_by_role("button", name="More").click()
    with page.expect_download() as saved:
        page.get_by_role("menuitem", name="Export its rows as CSV").click()
    assert len(saved.value.path().read_text().splitlines()) == 397
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Undo it").click()
    expect(page.get_by_text("Taken back: 396 rows removed")).to_be_visible()
    expect(page.locator("h1 + .badge")).to_have_text("undone")
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Run it again").click()
    page.get_by_role("dialog").get_by_role("button", name="Run it again").click()
    expect(page.locator("h1 + .badge")).to_have_text("waits for review")
    page.get_by_role("tab", name="Replacements 5").click()
    page.get_by_role("link", name="Show the row").first.click()
    expect(page.get_by_role("complementary")).to_contain_text("@example.com")
