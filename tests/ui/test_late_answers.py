"""An answer that comes after another choice was made is not shown: what is shown belongs to what was chosen last."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.ui.conftest import Site, Watched
from tests.ui.test_content import run_import

# The next answer to an address with a text in it is there when `held` is, and comes at `arrive()`, wanted or not.
LATE = """
const sent = window.fetch;
window.hold = (part) => { window.late = part; window.held = new Promise((told) => { window.tell = told; }); };
window.fetch = async (address, options) => {
  const late = window.late && String(address).includes(window.late);
  if (!late) return sent(address, options);
  window.late = "";
  const answer = await sent(address, { ...options, signal: undefined });
  await new Promise((arrive) => { window.arrive = arrive; window.tell(); });
  return answer;
};
"""


@pytest.fixture(scope="module")
def imported(site: Site) -> str:
    """Two tables, the second import of which left two failures, and nine saved queries; the id of that import."""
    run_import(site, "x\n1\n2\n3\n", "Create a new table called small", "small.csv")
    csv = "id,mail\n" + "".join(f"{n},p{n}@example.com\n" for n in range(20)) + "20,none\n21,none as well\n"
    done = run_import(site, csv, "Create a new table called large, the id is the key", "large.csv")
    with site.client(site.people.owner) as client:
        for n in range(9):
            client.post("/api/v1/saved-queries", json={"name": f"query {n}", "sql": f"SELECT {n}"}).raise_for_status()
    return str(done["import_id"])


@pytest.fixture
def late(page: Page) -> Callable[[str], None]:
    """Has the next answer to an address with a text in it wait for `_arrive`."""
    page.add_init_script(LATE)
    return lambda part: page.evaluate("(part) => { window.hold(part); }", part)


def _arrive(page: Page) -> None:
    page.evaluate("window.held.then(() => window.arrive())")
    # Longer than a page takes to draw what it was given.
    page.wait_for_timeout(150)


def _choose_table(page: Page, name: str) -> None:
    page.get_by_role("combobox", name="Table").select_option(name)


def test_imports(page: Page, site: Site, imported: str, late: Callable[[str], None]) -> None:
    page.goto(f"{site.url}/ui/imports")
    files = page.locator("tbody tr b")
    expect(files).to_have_count(2)
    late("table_name=small")
    _choose_table(page, "small")
    page.wait_for_url("**table=small")
    _choose_table(page, "large")
    expect(files).to_have_text(["large.csv"])
    _arrive(page)
    expect(files).to_have_text(["large.csv"])


def test_issues(page: Page, site: Site, imported: str, late: Callable[[str], None]) -> None:
    page.goto(f"{site.url}/ui/imports/{imported}")
    expect(page.get_by_role("article")).to_have_count(2)
    late("issues/duplicates")
    page.get_by_role("tab", name="Duplicates").click()
    page.get_by_role("tab", name="Failures").click()
    expect(page.get_by_role("article")).to_have_count(2)
    _arrive(page)
    expect(page.get_by_role("article")).to_have_count(2)


def test_saved_queries(page: Page, site: Site, imported: str, late: Callable[[str], None]) -> None:
    page.goto(f"{site.url}/ui/sql")
    box = page.get_by_role("searchbox", name="Search saved queries")
    found: Locator = page.get_by_role("region", name="Saved queries").locator(".thread span")
    expect(found).to_have_count(9)
    late("search=query+3")
    box.fill("query 3")
    page.evaluate("window.held")
    box.fill("query 7")
    expect(found).to_have_text(["query 7"])
    _arrive(page)
    expect(found).to_have_text(["query 7"])


def test_the_history_of_a_row(page: Page, site: Site, imported: str, late: Callable[[str], None]) -> None:
    page.goto(f"{site.url}/ui/tables/small")
    with site.client(site.people.owner) as client:
        client.patch("/api/v1/tables/small/rows/1", json={"values": {"x": 9}}).raise_for_status()
    cells = page.locator(".row-number")
    late("rows/1/history")
    cells.nth(0).click()
    page.evaluate("window.held")
    cells.nth(1).click()
    panel = page.get_by_role("complementary", name="Row 2")
    expect(panel.get_by_text("Added")).to_be_visible()
    _arrive(page)
    expect(panel.get_by_text("Changed")).to_have_count(0)


def test_how_many_rows_a_condition_has(page: Page, site: Site, imported: str, late: Callable[[str], None]) -> None:
    page.goto(f"{site.url}/ui/tables/large")
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Update many rows").click()
    dialog = page.get_by_role("dialog")
    late("id+%3E+17")
    dialog.get_by_role("textbox", name="Condition").fill("id > 17")
    page.evaluate("window.held")
    dialog.get_by_role("textbox", name="Condition").fill("id > 15")
    expect(dialog.get_by_role("button", name="Update 4 rows")).to_be_visible()
    _arrive(page)
    expect(dialog.get_by_role("button", name="Update 4 rows")).to_be_visible()
    # A number that was counted for another condition is shown no more, as soon as that is changed.
    late("id+%3E+18")
    dialog.get_by_role("textbox", name="Condition").fill("id > 18")
    expect(dialog.get_by_role("button", name="Update", exact=True)).to_be_disabled()
    _arrive(page)
    expect(dialog.get_by_role("button", name="Update 1 row")).to_be_visible()


def test_keys_that_are_pressed_before_the_list_is_there_anew(
    page: Page, site: Site, late: Callable[[str], None]
) -> None:
    """Each decides one issue: the first is not meant twice, and none is lost."""
    csv = "id,mail\n" + "".join(f"{n},p{n}@example.com\n" for n in range(60))
    csv += "".join(f"{n},none {n}\n" for n in range(60, 65))
    done = run_import(site, csv, "Create a new table called typed, the id is the key", "typed.csv")
    page.goto(f"{site.url}/ui/imports/{done['import_id']}")
    cards = page.get_by_role("article")
    expect(cards).to_have_count(5)
    # The decision is made and counted, but the list is still the old one.
    late("issues/validations")
    page.keyboard.press("d")
    expect(page.get_by_role("tab", name="Failures 4")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("d")
    page.keyboard.press("d")
    _arrive(page)
    expect(page.get_by_role("tab", name="Failures 2")).to_be_visible()
    expect(cards).to_have_count(2)
    # The second of those that were left was skipped over by `j`, the first still waits.
    with site.client(site.people.owner) as client:
        answer = client.get(f"/api/v1/import/{done['import_id']}/issues/validations", params={"status": "pending"})
    assert [issue["record_number"] for issue in answer.json()["issues"]] == [62, 65]


def test_a_key_behind_the_decision_on_a_refused_issue_is_kept(
    page: Page, site: Site, late: Callable[[str], None], watched: Watched
) -> None:
    """A refusal of before says nothing of the decision that follows it."""
    watched.expected = ["400 (Bad Request)"]
    csv = "mail,n\n" + "".join(f"p{n}@example.com,{n}\n" for n in range(60)) + "none,1\nnone,2\nnone,3\n"
    done = run_import(site, csv, "Create a new table called refused, mail is the key", "refused.csv")
    page.goto(f"{site.url}/ui/imports/{done['import_id']}")
    expect(page.get_by_role("tab", name="Failures 3")).to_be_visible()
    page.get_by_role("button", name="Decide all").click()
    page.get_by_role("menuitem", name="Insert as it is").click()
    page.get_by_role("dialog").get_by_role("button", name="Insert as it is").click()
    expect(page.get_by_role("alert").filter(has_text="Key is taken").first).to_be_visible()
    cards = page.get_by_role("article")
    left = cards.count()
    assert left >= 2
    late("issues/validations")
    page.locator("body").press("d")
    expect(page.get_by_role("tab", name=f"Failures {left - 1}")).to_be_visible()
    page.locator("body").press("d")
    _arrive(page)
    expect(cards).to_have_count(left - 2)
