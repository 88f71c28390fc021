"""Lists: sorted by their columns, searched in metadata, of bounded height, and scrolled on a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from tests.ui.conftest import Site, shot

LONG = "A name that goes on and on for as long as names may " * 4


@pytest.fixture(scope="module")
def many(site: Site) -> None:
    """Thirty datasets, one of which has everything long, and tables of three sizes."""
    with site.client(site.people.owner) as client:
        for n in range(28):
            client.post("/api/datasets/", json={"name": f"Series {n}", "metadata": {"n": n}})
        metadata = {f"field {n}": "a long value " * 12 for n in range(9)}
        body = {"name": LONG[:200], "description": LONG * 3, "metadata": {"city": "Zürich", **metadata}}
        long = client.post("/api/datasets/", json=body).json()["id"]
        lines = "timestamp,v\n" + "".join(f"2026-01-0{n}T00:00:00Z,{n}\n" for n in range(1, 6))
        headers = {"Content-Type": "text/csv"}
        client.post(f"/api/rows/bulk_insert/?dataset={long}", content=lines, headers=headers).raise_for_status()
        for name, rows in (("small", 2), ("large", 30), ("middle", 10)):
            csv = "x,y\n" + "".join(f"{n},{n + 100}\n" for n in range(rows))
            sent = {"files": {"file": (f"{name}.csv", csv)}, "data": {"instruction": f"Import this into {name}"}}
            client.post("/api/v1/smart-import", **sent).raise_for_status()


def _first(page: Page) -> str:
    return page.locator("tbody tr").first.locator("a").first.inner_text()


@pytest.mark.usefixtures("many")
def test_datasets_sort_and_are_searched_everywhere(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/ui/datasets")
    head = page.get_by_role("columnheader", name="Rows")
    expect(head).not_to_have_attribute("aria-sort", "descending")
    head.get_by_role("button").focus()
    page.keyboard.press("Enter")
    expect(head).to_have_attribute("aria-sort", "descending")
    expect(page.locator("tbody tr").first).to_contain_text(LONG[:60])
    assert "sort=-row_count" in page.url
    # The first of all of them, not of the page that was shown.
    page.get_by_role("columnheader", name="Dataset").get_by_role("button").click()
    expect(page.locator("tbody tr").first).to_contain_text("A name that goes on")
    page.get_by_role("columnheader", name="Dataset").get_by_role("button").click()
    expect(page.get_by_role("columnheader", name="Dataset")).to_have_attribute("aria-sort", "descending")
    expect(page.locator("tbody tr").first).to_contain_text("Series 9")
    page.reload()
    expect(page.locator("tbody tr").first).to_contain_text("Series 9")
    # A text that only metadata has.
    page.keyboard.press("/")
    page.keyboard.type("zürich")
    expect(page.get_by_role("row")).to_have_count(2)
    row = page.locator("tbody tr").first
    assert row.bounding_box()["height"] < 76  # type: ignore[index]
    assert row.get_by_role("link").get_attribute("title") == LONG[:200].strip()
    expect(row.get_by_text("+8")).to_have_attribute(
        "title", "\n".join(f"field {n}: {('a long value ' * 12)}" for n in range(1, 9))
    )
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shot(page, "datasets-long")


@pytest.mark.usefixtures("many", "operator")
def test_other_lists_sort(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/ui/tables?kind=table")
    expect(page.get_by_role("row")).to_have_count(4)
    page.get_by_role("columnheader", name="Rows").get_by_role("button").click()
    assert _first(page) == "large"
    page.get_by_role("columnheader", name="Rows").get_by_role("button").click()
    assert _first(page) == "small"
    page.goto(f"{site.url}/ui/imports")
    expect(page.locator("tbody tr").first).to_contain_text("middle.csv")
    expect(page.get_by_role("columnheader", name="Who and when")).to_have_attribute("aria-sort", "descending")
    page.get_by_role("columnheader", name="Added").get_by_role("button").click()
    expect(page.locator("tbody tr").first).to_contain_text("large.csv")
    page.goto(f"{site.url}/ui/admin?tab=users")
    expect(page.locator("tbody tr").first).to_contain_text("holder")
    page.get_by_role("columnheader", name="User").get_by_role("button").click()
    expect(page.locator("tbody tr").first).to_contain_text("owner")
    page.goto(f"{site.url}/ui/tags")
    expect(page.locator("tbody tr").first).to_contain_text("premium")
    page.get_by_role("columnheader", name="Kind").get_by_role("button").click()
    expect(page.locator("tbody tr").first).to_contain_text("public")
    page.goto(f"{site.url}/ui/keys")
    page.get_by_role("columnheader", name="Last used").get_by_role("button").click()
    expect(page.get_by_role("columnheader", name="Last used")).to_have_attribute("aria-sort", "ascending")


@pytest.mark.usefixtures("many")
def test_what_a_question_is_about_is_chosen_by_typing(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/ui/ask")
    box = page.get_by_role("combobox", name="About")
    expect(box).to_have_value("All tables and datasets")
    box.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.type("series 27")
    expect(page.get_by_role("option")).to_have_text(["series_27"])
    page.keyboard.press("Enter")
    expect(box).to_have_value("series_27")
    page.keyboard.press("ArrowDown")
    page.keyboard.type("nowhere")
    expect(page.get_by_role("option", name="Nothing found")).to_be_visible()
    page.keyboard.press("Escape")
    expect(box).to_have_value("series_27")


@pytest.mark.usefixtures("many", "operator")
def test_tables_of_a_phone_are_read_from_top_to_bottom(page: Page, site: Site) -> None:
    """Nothing scrolls sideways, each value has its head before it, and what is pressed is 40 px high."""
    page.set_viewport_size({"width": 390, "height": 844})
    for path, label in (("datasets", "Datasets"), ("admin?tab=users", "Users"), ("keys", "Keys"), ("tags", "Tags")):
        page.goto(f"{site.url}/ui/{path}")
        page.locator("tbody tr").first.wait_for()
        expect(page.get_by_role("region", name=f"{label}, scrolls sideways")).to_have_count(0)
        cell = page.locator("td[data-head]:not(:first-child)").first
        assert cell.evaluate("cell => getComputedStyle(cell, '::before').content.slice(1, -1) === cell.dataset.head")
        low = page.locator("main :is(button, a.button, select, .input):visible").evaluate_all(
            "all => all.filter((one) => one.getBoundingClientRect().height < 39.5).map((one) => one.outerHTML)"
        )
        assert low == []


@pytest.mark.usefixtures("many", "operator")
def test_all_tabs_are_in_sight_on_a_phone_and_grids_say_that_they_scroll(page: Page, site: Site) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{site.url}/ui/admin")
    for tab in page.get_by_role("tab").all():
        expect(tab).to_be_in_viewport(ratio=1)
    with site.client(site.people.owner) as client:
        row = ",".join(f"{n}.5" for n in range(12))
        file = ",".join(f"measure_{n}" for n in range(12)) + f"\n{row}\n{row}\n"
        sent = {"files": {"file": ("wide.csv", file)}, "data": {"instruction": "Import into wide, keep all duplicates"}}
        client.post("/api/v1/smart-import", **sent).raise_for_status()
    page.goto(f"{site.url}/ui/tables/wide")
    grid = page.locator(".grid")
    expect(grid).to_have_attribute("aria-label", "Rows, scrolls sideways")
    expect(grid.locator("..")).to_have_class("scroll-box grid-box more-right")
    expect(page.get_by_text("More columns at the side")).to_be_visible()
    page.locator(".ag-center-cols-viewport").evaluate("box => box.scrollTo({ left: 9999 })")
    expect(grid.locator("..")).to_have_class("scroll-box grid-box more-left")
    # Where all columns fit, nothing is said.
    page.goto(f"{site.url}/ui/sql?sql=SELECT+1+AS+one,+2+AS+two")
    page.get_by_role("button", name="Run").click()
    page.locator(".ag-center-cols-viewport").wait_for()
    expect(page.locator(".grid")).to_have_attribute("aria-label", "Result")


@pytest.mark.usefixtures("many", "operator")
def test_tables_scroll_where_there_is_little_room_and_say_so(page: Page, site: Site) -> None:
    page.set_viewport_size({"width": 640, "height": 844})
    for path, label, action in (
        ("datasets", "Datasets", None),
        ("admin?tab=users", "Users", "Disable holder"),
        ("keys", "Keys", "Revoke"),
    ):
        page.goto(f"{site.url}/ui/{path}")
        region = page.get_by_role("region", name=f"{label}, scrolls sideways")
        expect(region).to_be_visible()
        expect(region.locator("..")).to_have_class("scroll-box more-right")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        if action:
            expect(page.get_by_role("button", name=action).first).to_be_in_viewport(ratio=0.95)
        shot(page, f"phone-{label}")
        region.focus()
        for _ in range(3):
            page.keyboard.press("End")
            page.keyboard.press("ArrowRight")
        region.evaluate("box => box.scrollTo({ left: 9999 })")
        expect(region.locator("..")).to_have_class("scroll-box more-left")
    # The button of the page itself is on screen from the start.
    page.goto(f"{site.url}/ui/keys")
    expect(page.get_by_role("button", name="New key")).to_be_in_viewport()
    page.goto(f"{site.url}/ui/keys?tab=webhooks")
    expect(page.get_by_role("tab", name="Webhooks")).to_be_in_viewport(ratio=0.9)
