"""The pages of content: import with a preview, history, review of issues, tables and their rows."""

from __future__ import annotations

import csv
import io
import random
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.ui.conftest import Site, Watched, shot, sign_in

FIRST = "Anna Ben Carla David Elena Felix Grace Hugo Ines Jonas Karin Liam Maria Noah Olga Paul".split()
LAST = "Meyer Keller Rossi Dubois Smith Garcia Novak Jensen Schmid Weber Silva Tanaka".split()
COUNTRIES = ["Germany", "Switzerland", "France", "United States"]
ROWS = 400


def contacts(seed: int = 7) -> str:
    """400 people as CSV: 3 wrong addresses, a text among the amounts, 5 amounts that are n/a, 12 repeated addresses."""
    noise = random.Random(seed)
    rows = []
    for n in range(ROWS):
        first, last = noise.choice(FIRST), noise.choice(LAST)
        rows.append([
            f"{first} {last} {chr(65 + n % 26)}{n}", f"{first}.{last}{n}@example.com".lower(), noise.choice(COUNTRIES),
            noise.randint(1, 4000) / 10, noise.randint(18, 80),
            f"2025-{noise.randint(1, 12):02d}-{noise.randint(1, 28):02d}",
            noise.choice(["true", "false"]),
        ])  # fmt: skip
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
    return run_import(site, contacts(), "Import this into my leads table, the email is the key, skip duplicates")


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


def test_rows_are_paged_sorted_and_found(page: Page, site: Site, leads: dict[str, Any]) -> None:
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
    expect(page.get_by_label("Condition", exact=True)).to_have_value("amount > 100 AND full_name ILIKE '%an%'")
    with site.client(site.people.owner) as client:
        asked = {"filter": "amount > 100 AND full_name ILIKE '%an%'"}
        total = client.get("/api/v1/tables/leads/rows", params=asked).json()["total_count"]
    expect(page.get_by_text(f"{total} of 396 rows")).to_be_visible()
    shot(page, "table-filter")
    page.reload()
    expect(page.get_by_text(f"{total} of 396 rows")).to_be_visible()
    page.get_by_role("button", name="Download").click()
    with page.expect_download() as waiting:
        page.get_by_role("menuitem", name="CSV of the filtered rows").click()
    assert len(list(csv.DictReader(io.StringIO(waiting.value.path().read_text())))) == total
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
