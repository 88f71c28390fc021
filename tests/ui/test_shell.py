"""The frame's own parts: palette, help, start page, favourites, and the SQL page."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect
from tests.ui.conftest import Site, Watched, shot


@pytest.fixture(scope="module", autouse=True)
def things(site: Site) -> dict[str, int]:
    """Three hundred datasets, more than a page of any list, and a table."""
    with site.client(site.people.owner) as client:
        for n in range(300):
            client.post("/api/datasets/", json={"name": f"Sensor {n}", "metadata": {"city": "Basel"}})
        body = {"name": "Zürich weather", "metadata": {"station": "Fluntern"}}
        made = client.post("/api/datasets/", json=body).json()["id"]
        lines = "timestamp,humidity\n" + "".join(f"2026-01-0{n}T00:00:00Z,{n}\n" for n in range(1, 6))
        client.post(f"/api/rows/bulk_insert/?dataset={made}", content=lines, headers={"Content-Type": "text/csv"})
        csv = "name,state,amount\n" + "".join(f"n{n},{'CA' if n % 2 else 'NY'},{n}\n" for n in range(2000))
        sent = {"files": {"file": ("leads.csv", csv)}, "data": {"instruction": "Import this into leads"}}
        client.post("/api/v1/smart-import", **sent).raise_for_status()
    return {"weather": made}


def test_palette_by_keyboard(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/ui/tags")
    expect(page.get_by_role("heading", name="Tags", level=1)).to_be_visible()
    page.get_by_role("button", name="Theme").first.focus()
    page.keyboard.press("Control+k")
    box = page.get_by_role("combobox", name="Go to or do")
    expect(box).to_be_focused()
    shot(page, "palette")
    # One of three hundred, by a part of its name without its umlaut; the server finds it by its metadata as well.
    page.keyboard.type("zur weat")
    expect(page.get_by_role("option").first).to_contain_text("Zürich weather")
    assert box.get_attribute("aria-activedescendant") == page.get_by_role("option").first.get_attribute("id")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Zürich weather", level=1)).to_be_focused()
    page.keyboard.press("Control+k")
    expect(page.get_by_role("option").first).to_contain_text("Zürich weather")
    expect(page.get_by_role("option").first).to_contain_text("Recent")
    page.keyboard.type("fluntern")
    expect(page.get_by_role("option", name="Zürich weather")).to_be_visible()
    box.fill("leads")
    expect(page.get_by_role("option", name="leads.csv")).to_be_visible()
    box.fill("sensor 299")
    expect(page.get_by_role("option").first).to_contain_text("Sensor 299")
    box.fill("qqqqqq")
    expect(page.get_by_text("Nothing found")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    # Down twice and up once is the second; actions run.
    page.keyboard.press("Control+k")
    page.keyboard.type("dark theme")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.keyboard.press("Control+k")
    page.keyboard.type("new dataset")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="New dataset")).to_be_visible()


def test_help_and_what_keys_do_in_inputs(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/ui/datasets")
    expect(page.get_by_role("row")).to_have_count(26)
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_be_visible()
    shot(page, "shortcuts")
    dialog.get_by_role("link", name="Settings").press("Enter")
    expect(page.get_by_role("heading", name="Keys and usage", level=1)).to_be_visible()
    expect(dialog).to_be_hidden()
    page.goto(f"{site.url}/ui/datasets")
    expect(page.get_by_role("row")).to_have_count(26)
    page.keyboard.press("/")
    page.keyboard.type("what?/")
    expect(page.get_by_role("searchbox")).to_have_value("what?/")
    expect(dialog).to_be_hidden()


def test_favourites_and_recent(page: Page, site: Site, things: dict[str, int]) -> None:
    page.goto(f"{site.url}/ui/")
    expect(page.get_by_role("heading", name="Home", level=1)).to_be_visible()
    expect(page.get_by_text("No favourites yet")).to_be_visible()
    page.goto(f"{site.url}/ui/datasets/{things['weather']}")
    page.get_by_role("button", name="Add Zürich weather to your favourites").press("Enter")
    expect(page.get_by_role("button", name="Take Zürich weather from your favourites")).to_have_attribute(
        "aria-pressed", "true"
    )
    page.goto(f"{site.url}/ui/tables/leads")
    page.get_by_role("button", name="Add leads to your favourites").click()
    page.get_by_role("link", name="Home").click()
    marked, last = page.get_by_role("region", name="Favourites"), page.get_by_role("region", name="Recent")
    expect(marked.get_by_role("listitem")).to_have_count(2)
    expect(last.get_by_role("link").first).to_contain_text("leads")
    expect(last.get_by_role("link", name="Zürich weather")).to_be_visible()
    shot(page, "home")
    marked.get_by_role("button", name="Take leads from your favourites").click()
    expect(marked.get_by_role("listitem")).to_have_count(1)
    # They are the user's, in any browser.
    page.evaluate("localStorage.clear()")
    page.reload()
    expect(marked.get_by_role("link", name="Zürich weather")).to_be_visible()
    expect(last.get_by_text("Nothing yet")).to_be_visible()
    page.keyboard.press("Control+k")
    expect(page.get_by_role("option").first).to_contain_text("Favourite")


def test_sql_page(page: Page, site: Site, watched: Watched) -> None:
    watched.expected = ["400 (Bad Request)"]
    page.goto(f"{site.url}/ui/sql")
    expect(page.locator(".cm-content")).to_be_visible()
    editor = page.get_by_role("textbox", name="SQL")
    editor.click()
    # A table after FROM, then its columns, and a function that may be used; none that may not.
    page.keyboard.type("SELECT state, cou")
    expect(page.locator(".cm-tooltip-autocomplete")).to_contain_text("count")
    page.keyboard.type("nt(*) AS n FROM lea")
    expect(page.locator(".cm-tooltip-autocomplete")).to_contain_text("leads")
    page.wait_for_timeout(200)  # completions can be taken only a moment after they are there
    page.keyboard.press("Enter")
    page.keyboard.type(" AS l GROUP BY l.")
    expect(page.locator(".cm-tooltip-autocomplete")).to_contain_text("leads · varchar")
    page.keyboard.type("state ORDER BY state")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("status").filter(has_text="2 rows in")).to_be_visible()
    result = page.get_by_role("region", name="Rows")
    expect(result.get_by_text("2 rows")).to_be_visible()
    with page.expect_download() as download:
        result.get_by_role("button", name="CSV").click()
    assert download.value.path().read_text().replace("\r", "") == "state,n\nCA,1000\nNY,1000\n"
    shot(page, "sql")
    # Saved, shared, and opened again by its address.
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_label("Name", exact=True).fill("Leads by state")
    page.get_by_label("Share it with your organization").check()
    page.keyboard.press("Enter")
    side = page.get_by_role("complementary", name="Queries and tables")
    expect(side.get_by_role("button", name=re.compile("^Leads by state"))).to_be_visible()
    expect(page).to_have_url(re.compile("query="))
    with site.client(site.people.holder) as client:
        seen = client.get("/api/v1/saved-queries").json()["saved_queries"]
        assert [(one["name"], one["owner"], one["is_owner"]) for one in seen] == [("Leads by state", "owner", False)]
    page.reload()
    expect(editor).to_contain_text("GROUP BY l.state")
    # An error names its place, and the button leads there.
    page.get_by_role("button", name="New query").click()
    editor.click()
    page.keyboard.type("SELECT name,\n  wrong_one FROM leads")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("alert")).to_contain_text("wrong_one")
    page.get_by_role("button", name=re.compile(r"^Line 2, column \d$")).click()
    assert page.evaluate("getSelection().toString()") == "wrong_one"
    expect(page.locator(".cm-wrong")).to_have_text("wrong_one")
    shot(page, "sql-wrong")
    # More rows than are shown is told; what ran stands in the history.
    side.get_by_role("tab", name="Tables").click()
    side.get_by_role("searchbox").fill("lea")
    side.get_by_role("button", name=re.compile("^leads")).click()
    expect(side.get_by_role("button", name=re.compile("amount"))).to_be_visible()
    page.get_by_role("button", name="New query").click()
    editor.click()
    page.keyboard.type("SELECT * FROM leads")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("1,000 rows, and there are more")).to_be_visible()
    page.get_by_role("button", name="Load more").click()
    expect(page.get_by_text("2,000 rows in")).to_be_visible()
    side.get_by_role("tab", name="History").click()
    expect(side.locator(".thread")).to_have_count(3)
    expect(side.locator(".thread").nth(1)).to_contain_text("refused")


def test_sql_is_cancelled(page: Page, site: Site) -> None:
    page.route("**/api/v1/sql", lambda route: None)
    page.goto(f"{site.url}/ui/sql?sql=SELECT+1+AS+one")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_text("Running")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("You cancelled this query.")).to_be_visible()
    expect(page.get_by_role("button", name="Run", exact=True)).to_be_visible()
