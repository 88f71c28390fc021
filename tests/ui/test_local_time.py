"""Times in UTC or in the browser's time zone, as people choose: shown, typed, and where clocks are set."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.ui.conftest import Site, Watched, _watch, shot

ZURICH, READ = (
    "Europe/Zurich",
    """async ([text, how]) => {
  const { readMoment, moment } = await import("/ui/static/format.js");
  const found = readMoment(text, how ?? {});
  return { ...found, shown: found.iso && moment(found.iso) };
}""",
)


@pytest.fixture
def swiss(site: Site, browser: Browser, watched: Watched) -> Iterator[Page]:
    """A page of the owner in a browser in Zurich."""
    context = browser.new_context(viewport={"width": 1280, "height": 860}, locale="en-US", timezone_id=ZURICH)
    page = context.new_page()
    page.set_default_timeout(15_000)
    _watch(page, site, watched)
    made = page.request.post(f"{site.url}/ui/session", data={"key": site.people.owner}, headers={"X-Atlas-UI": "1"})
    assert made.ok, made.text()
    yield page
    context.close()
    assert watched.problems == []


def _choose(page: Page, name: str) -> None:
    page.get_by_role("button", name="Times in").click()
    page.get_by_role("menuitem", name=name).click()


def test_moments_in_a_zone(swiss: Page, site: Site) -> None:
    """What is typed without a zone is of the chosen one; what is shown reads back as the same."""
    swiss.goto(f"{site.url}/ui/datasets")

    def read(text: str, **how: bool) -> dict[str, str]:
        found: dict[str, str] = swiss.evaluate(READ, [text, how])
        return found

    assert read("2026-07-01 10:00")["iso"] == "2026-07-01T10:00Z"
    _choose(swiss, "Local time (Europe/Zurich)")
    for text, iso in (
        ("2026-07-01 10:00", "2026-07-01T08:00:00Z"),
        ("2026-01-01 10:00:00.123456", "2026-01-01T09:00:00.123456Z"),
        ("2026-01-01", "2025-12-31T23:00:00Z"),
        ("1816-07-01 00:00", "1816-06-30T23:25:52Z"),
    ):
        found = read(text)
        assert found["iso"] == iso
        assert read(found["shown"])["iso"] == iso
    assert read("2026-07-01", end=True)["iso"] == "2026-07-01T21:59:59.999999Z"
    assert read("2026-07-01 10:00Z")["iso"] == "2026-07-01T10:00Z"
    assert read("2026-07-01 10:00+05:30")["iso"] == "2026-07-01T10:00+05:30"
    for wrong in ("2026-02-30 10:00", "2026-13-01", "soon", "2026-01-01 25:00"):
        assert "iso" not in read(wrong)
    # Set back: the range takes in both, a single time has to say which.
    assert read("2026-10-25 02:30")["iso"] == "2026-10-25T00:30:00Z"
    assert read("2026-10-25 02:30", end=True)["iso"] == "2026-10-25T01:30:00Z"
    assert "02:30+02:00 or 02:30+01:00" in read("2026-10-25 02:30", exact=True)["problem"]
    assert read("2026-10-25 02:30+01:00", exact=True)["shown"] == "2026-10-25 02:30"
    # Set forward.
    assert read("2026-03-29 02:30")["shown"] == "2026-03-29 03:30:00"
    assert "set forward" in read("2026-03-29 02:30", exact=True)["problem"]


def test_pages_follow(swiss: Page, site: Site) -> None:
    with site.client(site.people.owner) as client:
        dataset = client.post("/api/datasets/", json={"name": "Zoned"}).json()["id"]
        rows = [{"timestamp": f"2026-07-0{n}T22:30:00Z", "values": {"a": n}} for n in range(1, 6)]
        client.post("/api/rows/bulk_insert/", json={"dataset": dataset, "rows": rows}).raise_for_status()
    page = swiss
    page.goto(f"{site.url}/ui/datasets/{dataset}")
    expect(page.locator(".figure").last).to_contain_text("2026-07-05 22:30last (UTC)")
    expect(page.get_by_title("Choose a range")).to_contain_text("22:30:00 UTC")
    page.get_by_role("button", name="Times in UTC").click()
    shot(page, "zone-menu")
    page.keyboard.press("Escape")
    _choose(page, "Local time")
    expect(page.locator(".figure").last).to_contain_text("2026-07-06 00:30last (local time)")
    expect(page.get_by_title("Choose a range")).to_contain_text("00:30:00 Europe/Zurich")
    shot(page, "zone-local")
    # A range is typed in local time and stands in the address in UTC.
    page.get_by_title("Choose a range").click()
    page.get_by_label("From (local time)").fill("2026-07-03")
    page.get_by_label("To (local time)").fill("2026-07-04 12:00")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("[data-note]")).to_have_text("2 rows")
    expect(page).to_have_url(re.compile("start=2026-07-02T22(%3A|:)00"))
    page.get_by_role("tab", name="Rows", exact=True).click()
    expect(page.get_by_role("columnheader", name="timestamp (local time)")).to_be_visible()
    expect(page.get_by_role("gridcell", name="2026-07-06 00:30:00")).to_be_visible()
    page.get_by_role("tab", name="Add rows").click()
    page.get_by_label("Timestamp (local time)").fill("2026-10-25 02:30")
    page.get_by_label("a", exact=True).fill("7")
    page.get_by_role("button", name="Store it").click()
    expect(page.get_by_text("This time comes twice")).to_be_visible()
    page.get_by_label("Timestamp (local time)").fill("2026-10-25 02:30+01:00")
    page.get_by_role("button", name="Store it").click()
    expect(page.get_by_text("The row was stored")).to_be_visible()
    with site.client(site.people.owner) as client:
        found = client.get(f"/api/rows/?dataset={dataset}&ordering=-timestamp&limit=1").json()["results"]
        assert found[0]["timestamp"] == "2026-10-25T01:30:00Z"
    # The choice is the browser's, also after a reload.
    page.goto(f"{site.url}/ui/datasets")
    expect(page.get_by_role("row", name="Zoned")).to_contain_text("2026-10-25 02:30")
    expect(page.get_by_role("columnheader", name="Last row (local time)")).to_be_visible()
    _choose(page, "UTC")
    expect(page.get_by_role("row", name="Zoned")).to_contain_text("2026-10-25 01:30")
