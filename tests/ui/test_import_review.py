"""What waits is seen everywhere, and what a file would do is shown before anything is stored."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.ui.conftest import Site, shot
from tests.ui.test_content import run_import

MESSY = (
    "Customer ID,Full Name,Email,Balance\n"
    + "".join(f"C{n},Person {n},p{n}@example.com,{n}.5\n" for n in range(20))
    + "C20,Ann Lee,not an address,3.5\nC21,Bob Lee,also none,4.5\n"
)


@pytest.fixture(scope="module")
def messy(site: Site) -> str:
    """The id of an import that left two failures."""
    told = "Create a new table called messy, the customer id is the key"
    done = run_import(site, MESSY, told, "messy.csv")
    assert done["has_correctable_issues"]
    return str(done["import_id"])


def test_imports_that_wait_are_seen(page: Page, site: Site, messy: str) -> None:
    run_import(site, "a,b\n1,2\n", "Create a new table called clean", "clean.csv")
    page.goto(f"{site.url}/ui/datasets")
    link = page.get_by_role("navigation", name="Main").get_by_role("link", name=re.compile("^Imports"))
    expect(link).to_contain_text("1 waiting for review")
    link.click()
    line = page.get_by_role("row").filter(has_text="Imported 20 records")
    expect(line).to_contain_text("waits for review")
    expect(page.get_by_role("row").filter(has_text="clean.csv")).to_contain_text("done")
    shot(page, "imports-waiting")
    page.get_by_role("button", name="Waiting for review (1)").click()
    expect(page.get_by_role("row")).to_have_count(2)
    assert "waiting=true" in page.url
    page.reload()
    expect(page.get_by_role("row")).to_have_count(2)
    # The number leads to the review; deciding counts there, in the list and at the badge.
    page.get_by_role("link", name="Review 2 open issues of messy.csv").click()
    expect(page.locator("h1 + .badge")).to_have_text("waits for review")
    page.get_by_role("article").first.get_by_role("button", name="Discard").click()
    expect(page.get_by_role("tab", name="Failures 1")).to_be_visible()
    expect(page.locator(".figure").last).to_have_text("1open, 1 resolved")
    page.go_back()
    expect(line).to_contain_text("1 open")
    expect(line).to_contain_text("1 resolved")
    line.get_by_role("link", name="Review 1 open issue").click()
    page.get_by_role("article").first.get_by_role("button", name="Discard").click()
    expect(page.get_by_role("heading", name="Nothing waits here")).to_be_visible()
    expect(page.locator("h1 + .badge")).to_have_text("done")
    expect(link).to_have_text("Imports")
    page.goto(f"{site.url}/ui/imports?waiting=true")
    expect(page.get_by_role("heading", name="Nothing waits")).to_be_visible()
    page.get_by_role("button", name="Show all").click()
    expect(line).to_contain_text("2 resolved")


def test_a_preview_names_what_fails_and_what_could_be_read_otherwise(page: Page, site: Site, tmp_path: Path) -> None:
    file = tmp_path / "visits.csv"
    lines = [f"{n},p{n}@example.com,0{n % 9 + 1}/0{n % 7 + 1}/2025" for n in range(40)]
    lines[3:5] = ["3,not an address,03/04/2025", "4,p4@example.com,04/05/2025,too,many"]
    file.write_text("id,email,day\n" + "\n".join(lines) + "\n")
    page.goto(f"{site.url}/ui/import")
    page.get_by_role("textbox", name="Instruction").fill("Create a new table called visits, the id is the key")
    page.locator("input[type=file]").set_input_files(file)
    plan = page.get_by_role("region", name="Preview")
    failing = plan.get_by_role("region", name="Cells that fail")
    # The first file of a server waits for a reader to start.
    failing.wait_for(timeout=60_000)
    expect(failing.get_by_role("row").nth(1)).to_contain_text("4emailnot an addressnot a valid e-mail address")
    expect(failing.get_by_role("row").nth(2)).to_contain_text("the whole line")
    expect(plan).to_contain_text("38new rows")
    expect(plan).to_contain_text("day could be read day or month first; read month first")
    shot(page, "import-failing")
    plan.get_by_role("button", name="Read it day first").click()
    expect(page.get_by_role("textbox", name="Instruction")).to_have_value(re.compile("dates are day first$"))
    expect(plan).not_to_contain_text("could be read")
    expect(plan.get_by_role("gridcell", name="2025-04-02")).to_be_attached()


def test_a_cell_takes_what_the_file_had(page: Page, site: Site) -> None:
    text = "id;betrag;tag\n1;1.250,50 €;31.01.2025\n2;17.999,00 €;01.02.2025\n3;2.000,25 €;15.03.2025\n"
    run_import(site, text, "Create a new table called rechnungen, the id is the key", "rechnungen.csv")
    page.goto(f"{site.url}/ui/tables/rechnungen")
    for column, given, shown in (("c1", "1.999,50", "1999.5"), ("c2", "02.03.2025", "2025-03-02")):
        cell = page.locator(f"[row-id='1'] [col-id='{column}']")
        cell.dblclick()
        page.keyboard.press("Control+A")
        page.keyboard.type(given)
        page.keyboard.press("Enter")
        expect(cell).to_have_text(shown)
        told = page.locator(".last-change")
        expect(told).to_contain_text(f"'{given}' was read as")
    # The way back is in sight beside the row's panel, too.
    page.locator("[row-id='1'] [col-id='_row']").click()
    panel, toast = page.get_by_role("complementary").bounding_box(), told.bounding_box()
    assert panel is not None
    assert toast is not None
    assert toast["x"] + toast["width"] <= panel["x"]
    told.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Undone", exact=True)).to_be_visible()


def test_look_alikes_are_announced_and_have_no_key(page: Page, site: Site, tmp_path: Path) -> None:
    file = tmp_path / "guests.csv"
    people = [f"{first} {last}" for first in ("Anna", "Ben", "Carla") for last in ("Meyer", "Keller")]
    lines = [f"G{n},{name},Bonn" for n, name in enumerate([*people, *(" ".join(p.split()[::-1]) for p in people)])]
    file.write_text("code,full name,city\n" + "\n".join(lines) + "\n")
    page.goto(f"{site.url}/ui/import")
    page.locator("input[type=file]").set_input_files(file)
    instruction = page.get_by_role("textbox", name="Instruction")
    # What to do is proposed, and what would happen shown, before anything was said.
    expect(instruction).to_have_value("Create a new table called guests")
    plan = page.get_by_role("region", name="Preview")
    plan.wait_for(timeout=60_000)
    expect(plan).to_contain_text("12new rows")
    instruction.fill("Create a new table called guests, the code is the key, flag duplicates")
    page.get_by_role("button", name="Preview again").click()
    expect(plan.get_by_role("row", name="code code VARCHAR")).to_contain_text("key")
    expect(plan).not_to_contain_text("look alike")
    instruction.fill("Create a new table called guests, without the column code, flag duplicates")
    page.get_by_role("button", name="Preview again").click()
    expect(plan).to_contain_text("6look alike")
    page.get_by_role("button", name="Import", exact=True).click()
    page.get_by_role("link", name="Review 6 issues").click()
    expect(page.get_by_role("tab", name="Duplicates 6")).to_be_visible()
    expect(page.locator(".figure").last).to_have_text("6open, 0 resolved")
    first = page.get_by_role("article").first
    expect(first.get_by_role("row", name="full_name")).to_contain_text("alike")
    expect(first.get_by_role("rowheader").filter(has_text="key")).to_have_count(0)
    # The keyboard goes on at the next one.
    first.get_by_role("button", name="Keep both").click()
    expect(page.get_by_role("tab", name="Duplicates 5")).to_be_visible()
    expect(page.get_by_role("article").first).to_be_focused()


DROPPED = """(names) => {
  const data = new DataTransfer();
  data.items.add(new File([names.text], names.name, { type: "text/csv" }));
  for (const name of names.events) {
    const told = { bubbles: true, cancelable: true, dataTransfer: data };
    document.querySelector("h1").dispatchEvent(new DragEvent(name, told));
  }
}"""


def test_a_file_may_be_dropped_anywhere(page: Page, site: Site) -> None:
    def drag(*events: str) -> None:
        file = {"name": "Wind speeds.csv", "text": "time,speed\n2026-01-05T10:00:00Z,1.5\n", "events": events}
        page.evaluate(DROPPED, file)

    page.goto(f"{site.url}/ui/datasets")
    expect(page.get_by_role("heading", name="Datasets", exact=True)).to_be_visible()
    drag("dragenter", "dragover")
    expect(page.get_by_text("Drop the file to make a dataset of it")).to_be_visible()
    drag("dragleave")
    expect(page.get_by_text("Drop the file to make a dataset of it")).to_be_hidden()
    drag("dragenter", "drop")
    dialog = page.get_by_role("dialog", name="New dataset")
    expect(dialog.get_by_label("Name", exact=True)).to_have_value("Wind speeds")
    expect(dialog.get_by_role("button", name="Create and store 1 row")).to_be_enabled()
    page.keyboard.press("Escape")
    page.goto(f"{site.url}/ui/import")
    expect(page.get_by_role("heading", name="Import", exact=True)).to_be_visible()
    drag("dragenter", "drop")
    plan = page.get_by_role("region", name="Preview")
    plan.wait_for(timeout=60_000)
    expect(plan).to_contain_text("wind_speeds")
    expect(plan).to_contain_text("1new rows")
    with site.client(site.people.owner) as client:
        assert client.get("/api/datasets/?search=Wind+speeds").json()["count"] == 0
        assert client.get("/api/v1/tables/wind_speeds/schema").status_code == 404
