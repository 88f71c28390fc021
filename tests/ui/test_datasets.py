"""The pages of time series: create, add, chart, zoom, live, share, tags, download, delete."""

from __future__ import annotations

import csv
import io
import json
import math
import random
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.ui.conftest import Site, Watched, shot, sign_in

ROWS = 200_000


@pytest.fixture(scope="module")
def prices(site: Site) -> int:
    """A dataset of 200,000 rows, two weeks at 6 seconds, like prices."""
    noise = random.Random(4)
    close, lines = 64_000.0, ["timestamp,open,close,volume"]
    start = 1_767_225_600
    for n in range(ROWS):
        opened = close
        close += noise.gauss(0, 12) + 6 * math.sin(n / 9000)
        at = start + n * 6
        lines.append(
            f"{at // 86400},{opened:.2f},{close:.2f},{abs(noise.gauss(3, 2)):.3f}".replace(
                f"{at // 86400},", _stamp(at) + ",", 1
            )
        )
    with site.client(site.people.owner) as client:
        made = client.post(
            "/api/datasets/",
            json={
                "name": "BTC/USD candles",
                "description": "Prices of Bitcoin in US dollars, one row every six seconds",
                "metadata": {"source": "demo exchange", "frequency": "6s", "ticker": "btcusd"},
            },
        ).json()
        stored = client.post(
            f"/api/rows/bulk_insert/?dataset={made['id']}",
            content="\n".join(lines),
            headers={"Content-Type": "text/csv"},
        )
        assert stored.json()["inserted"] == ROWS
        client.post(f"/api/datasets/{made['id']}/tags/", json={"tag_name": "public"})
        for name, source in (
            ("Temperature Zurich", "weather"),
            ("Load of server 7", "ops"),
            ("Temperature Basel", "weather"),
        ):
            client.post("/api/datasets/", json={"name": name, "metadata": {"source": source}})
    return int(made["id"])


def _stamp(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_search(page: Page, site: Site, prices: int) -> None:
    page.goto(f"{site.url}/ui/datasets")
    expect(page.get_by_role("link", name="BTC/USD candles")).to_be_visible()
    expect(page.get_by_role("row")).to_have_count(5)
    shot(page, "datasets")
    shot(page, "datasets-dark", dark=True)
    page.keyboard.press("/")
    page.keyboard.type("TEMPERATURE")
    expect(page.get_by_role("row")).to_have_count(3)
    assert "search=TEMPERATURE" in page.url
    page.get_by_role("searchbox").fill("nowhere at all")
    expect(page.get_by_role("heading", name="Nothing found")).to_be_visible()
    page.get_by_role("button", name="Show all").click()
    page.get_by_role("button", name="Metadata").click()
    page.get_by_role("searchbox").fill("source=weather")
    expect(page.get_by_role("row")).to_have_count(3)
    page.get_by_role("button", name="source: weather").first.click()
    expect(page.get_by_role("searchbox")).to_have_value("source=weather")
    # Whose, and figures that come after the list.
    page.get_by_role("button", name="Text", exact=True).click()
    expect(page.get_by_role("row", name="BTC/USD candles")).to_contain_text("200,000")
    expect(page.get_by_role("row", name="BTC/USD candles")).to_contain_text("Yours")
    page.get_by_role("button", name="Shared with you").click()
    expect(page.get_by_role("heading", name="Nothing is shared with you")).to_be_visible()
    assert "owned=false" in page.url
    page.get_by_role("button", name="Show all").click()
    expect(page.get_by_role("row")).to_have_count(5)


def test_a_file_goes_with_a_new_dataset(page: Page, site: Site, tmp_path: Path) -> None:
    page.goto(f"{site.url}/ui/datasets?new=1")
    wind = tmp_path / "Wind.csv"
    wind.write_text('"measured at",speed\n2026-01-05T10:00:00Z,1.5\n2026-01-05T11:00:00Z,2.25\n')
    page.get_by_role("dialog").locator("input[type=file]").set_input_files(wind)
    # What it holds is shown and its name proposed before anything is stored; then one is on the chart.
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("status")).to_contain_text("2 rows from 2026-01-05 10:00:00 to 2026-01-05 11:00:00")
    expect(dialog.get_by_role("columnheader", name="speed float")).to_be_visible()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Wind")
    with site.client(site.people.owner) as client:
        assert client.get("/api/datasets/?search=Wind").json()["count"] == 0
    shot(page, "dataset-new-file")
    dialog.get_by_role("button", name="Create and store 2 rows").click()
    expect(page.get_by_role("tab", name="Chart")).to_have_attribute("aria-selected", "true")
    expect(page.locator("[data-note]")).to_have_text("2 rows")
    # The dataset of another program fills while one looks at it.
    with site.client(site.people.owner) as client:
        empty = client.post("/api/datasets/", json={"name": "Waiting"}).json()["id"]
        page.goto(f"{site.url}/ui/datasets/{empty}?tab=chart")
        expect(page.get_by_role("heading", name="No rows yet")).to_be_visible()
        page.wait_for_timeout(500)
        client.post("/api/rows/", json={"dataset": empty, "timestamp": "2026-01-05T10:00:00Z", "values": {"a": 1}})
        expect(page.locator("[data-note]")).to_have_text("1 row")
        for name in ("Wind", "Waiting"):
            found = client.get(f"/api/datasets/?search={name}").json()["results"][0]["id"]
            assert client.delete(f"/api/datasets/{found}/").status_code == 204


def test_details_send_what_was_changed(page: Page, site: Site) -> None:
    """Members that nobody touched stay digit by digit, whatever their names are, and so does what others write."""
    kept = (
        '{"": "no name", " spaced ": 1, "big": 12345678901234567890, "price": 0.12345678901234567890, "text": "17", '
        '"nested": {"id": 9007199254740993, "list": ["a,b", "}", {"x": null}]}, "__proto__": "p", '
        '"quote\\"d": "\\u00e9\\n"}'
    )
    with site.client(site.people.owner) as client:
        made = client.post(
            "/api/datasets/",
            content=f'{{"name": "Exact", "metadata": {kept}}}',
            headers={"Content-Type": "application/json"},
        ).json()["id"]

        def text() -> str:
            found = client.get(f"/api/datasets/{made}/").text
            return found[found.index('"metadata"') : found.index(',"columns"')]

        before = text()
        assert "12345678901234567890" in before
        assert "9007199254740993" in before

        def edit() -> None:
            page.get_by_role("button", name="More").click()
            page.get_by_role("menuitem", name="Edit details").click()
            expect(page.get_by_label("Name 1", exact=True)).to_be_visible()

        page.goto(f"{site.url}/ui/datasets/{made}")
        edit()
        page.get_by_role("textbox", name="Description").fill("As it was")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("As it was")).to_be_visible()
        assert text() == before
        # One that is added goes alone; another program's, written meanwhile, stays.
        edit()
        names = [page.get_by_label(f"Name {n}").input_value() for n in range(1, 9)]
        assert sorted(names) == sorted(["", " spaced ", "big", "price", "text", "nested", "__proto__", 'quote"d'])
        client.patch(f"/api/datasets/{made}/metadata/", json={"other": "program"}).raise_for_status()
        page.get_by_role("button", name="Add a field").click()
        page.get_by_label("Name 9").fill("more")
        page.get_by_label("Value 9").fill("98765432109876543210")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("more: ")).to_be_visible()
        client.patch(f"/api/datasets/{made}/metadata/", json={"another": 1}).raise_for_status()
        assert "98765432109876543210" in text()
        # One that is taken away takes no other with it.
        page.reload()
        edit()
        page.get_by_role("button", name="Remove more").click()
        client.patch(f"/api/datasets/{made}/metadata/", json={"late": True}).raise_for_status()
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("late: true")).to_be_visible()
        for name in ("other", "another", "late"):
            assert f'"{name}":' in text()
        assert '"more"' not in text()
        client.put(f"/api/datasets/{made}/metadata/", content=kept, headers={"Content-Type": "application/json"})
        assert text() == before
        assert client.delete(f"/api/datasets/{made}/").status_code == 204


def test_create_and_add(page: Page, site: Site, tmp_path: Path, watched: Watched) -> None:
    watched.expected = ["400 (Bad Request)"]
    page.goto(f"{site.url}/ui/datasets")
    page.get_by_role("button", name="New dataset").first.click()
    page.get_by_label("Name", exact=True).fill("Rain")
    page.get_by_role("textbox", name="Description").fill("Millimetres by the hour")
    page.get_by_role("button", name="Add a field").click()
    page.get_by_label("Name 1").fill("station")
    page.get_by_label("Value 1").fill("17")
    shot(page, "dataset-new")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("heading", name="Rain")).to_be_visible()

    # A file that is wrong stores nothing and says where.
    bad = tmp_path / "rain.csv"
    bad.write_text("hour,mm\n2026-01-05T10:00:00Z,1.5\nsoon,2\n")
    page.locator("input[type=file]").set_input_files(bad)
    # The column that holds the times is found by what is in it.
    expect(page.get_by_role("cell", name="soon")).to_be_visible()
    page.get_by_label("Timestamp column").select_option("hour")
    expect(page.get_by_role("alert")).to_contain_text("soon")
    expect(page.get_by_role("button", name="Store the rows")).to_be_disabled()
    shot(page, "dataset-add")
    good = tmp_path / "good.csv"
    good.write_text("hour,mm\n2026-01-05T10:00:00Z,1.5\n2026-01-05T11:00:00Z,2\n2026-01-05T12:00:00Z,0.5\n")
    page.locator("input[type=file]").set_input_files(good)
    expect(page.get_by_label("Timestamp column")).to_have_value("hour")
    page.get_by_role("button", name="Store 3 rows").click()
    expect(page.get_by_text("3 rows stored.")).to_be_visible()
    # One row by hand.
    page.get_by_label("Timestamp (UTC)").fill("2026-01-05 13:00")
    page.get_by_label("mm", exact=True).fill("much")
    page.get_by_role("button", name="Store it").click()
    expect(page.get_by_role("alert")).to_contain_text("A number, such as 12.5")
    page.get_by_label("mm", exact=True).fill("4")
    page.get_by_role("button", name="Add a value").click()
    page.get_by_label("Name 1").fill("note")
    page.get_by_label("Value 1").fill("hail")
    page.get_by_role("button", name="Store it").click()
    expect(page.get_by_text("The row was stored")).to_be_visible()

    page.get_by_role("tab", name="Rows", exact=True).click()
    expect(page.get_by_role("gridcell", name="hail")).to_be_visible()
    page.get_by_label("From").fill("yesterday")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("alert")).to_contain_text("Write it like")
    page.get_by_label("From").fill("2026-01-05 12:30")
    page.get_by_label("To", exact=True).fill("2026-01-05")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("1 row in this range")).to_be_visible()
    shot(page, "dataset-rows")
    # What is typed but not applied is not what is deleted.
    page.get_by_label("From").fill("2026-01-01")
    page.get_by_role("button", name="Delete these").click()
    expect(page.get_by_role("dialog")).to_contain_text("From 2026-01-05 12:30")
    page.get_by_role("button", name="Delete them").click()
    expect(page.get_by_text("1 row deleted")).to_be_visible()
    expect(page.get_by_role("heading", name="No rows here")).to_be_visible()
    page.get_by_role("tab", name="Columns").click()
    page.get_by_label("Column name").fill("wind")
    page.get_by_role("button", name="Declare").click()
    expect(page.get_by_role("cell", name="wind", exact=True)).to_be_visible()

    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Edit details").click()
    page.get_by_role("textbox", name="Description").fill("Rain by the hour")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Rain by the hour")).to_be_visible()
    with site.client(site.people.owner) as client:
        found = client.get("/api/datasets/?search=rain").json()["results"][0]
        assert (found["metadata"], found["description"]) == ({"station": 17}, "Rain by the hour")
        assert client.get(f"/api/rows/?dataset={found['id']}").json()["count"] == 3
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Delete").click()
    confirm = page.get_by_role("button", name="Delete it")
    expect(confirm).to_be_disabled()
    page.get_by_label("Type Rain to confirm").fill("Rain")
    confirm.click()
    expect(page.get_by_role("heading", name="Datasets")).to_be_visible()
    expect(page.get_by_role("link", name="Rain")).to_have_count(0)


def test_chart_asks_for_what_it_shows(page: Page, site: Site, prices: int) -> None:
    asked: list[str] = []
    page.on("request", lambda sent: asked.append(sent.url) if "/api/rows/" in sent.url else None)
    page.goto(f"{site.url}/ui/datasets/{prices}")
    note = page.locator("[data-note]")
    expect(note).to_contain_text("200,000 rows in")
    shot(page, "dataset-chart")
    shot(page, "dataset-chart-dark", dark=True)
    shot(page, "dataset-chart-phone", phone=True)
    page.get_by_role("button", name="1d", exact=True).click()
    expect(note).to_contain_text("14,4")
    box = page.locator(".chart canvas").first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.keyboard.down("Control")
    for _ in range(8):
        page.mouse.wheel(0, -240)
        page.wait_for_timeout(30)
    page.keyboard.up("Control")
    expect(note).not_to_contain_text("14,4")
    chart = page.get_by_role("group", name="Chart. Arrow keys")
    chart.focus()
    page.keyboard.press("0")
    expect(note).to_contain_text("200,000 rows in")
    for _ in range(9):
        page.keyboard.press("+")
    expect(note).not_to_contain_text("bucket")
    page.keyboard.press("ArrowLeft")
    page.get_by_role("button", name="volume").click()
    assert all("points=" in one or "limit=2000" in one for one in asked), asked
    # A burst of zooming asks a few times only, not once a step.
    assert len(asked) < 30


def test_chart_range(page: Page, site: Site, prices: int) -> None:
    """A range that is drawn or typed; it stays in the address and after a look at another tab."""
    page.goto(f"{site.url}/ui/datasets/{prices}")
    note = page.locator("[data-note]")
    expect(note).to_contain_text("200,000 rows in")
    box = page.locator(".chart canvas").first.bounding_box()
    assert box is not None
    page.keyboard.down("Shift")
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + 120)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 140, steps=4)
    expect(page.locator(".brush")).to_be_visible()
    shot(page, "dataset-brush")
    page.mouse.up()
    page.keyboard.up("Shift")
    expect(note).not_to_contain_text("200,000")
    page.get_by_title("Choose a range").click()
    page.get_by_label("From (UTC)").fill("2026-01-03")
    page.get_by_label("To (UTC)").fill("2026-01-02")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("before the start")
    page.get_by_label("To (UTC)").fill("2026-01-03")
    page.keyboard.press("Enter")
    expect(note).to_contain_text("14,400 rows in")
    expect(page).to_have_url(re.compile("start=2026-01-03"))
    page.get_by_role("tab", name="Columns").click()
    page.get_by_role("tab", name="Chart").click()
    expect(note).to_contain_text("14,400 rows in")
    page.reload()
    expect(note).to_contain_text("14,400 rows in")


def test_live(page: Page, site: Site, prices: int) -> None:
    page.goto(f"{site.url}/ui/datasets/{prices}")
    page.get_by_role("button", name="Live").click()
    expect(page.get_by_text("Live ·")).to_be_visible()
    with site.client(site.people.owner) as client:
        for n in range(40):
            row = {
                "dataset": prices,
                "timestamp": f"2026-01-20T00:00:{n:02d}Z",
                "values": {"open": 64_000, "close": 64_000 + n * 9},
            }
            client.post("/api/rows/", json=row)
    expect(page.get_by_text("40 new rows")).to_be_visible()
    shot(page, "dataset-live")
    with site.client(site.people.owner) as client:
        late = {"dataset": prices, "timestamp": "2026-01-19T00:00:00Z", "values": {"close": 1}}
        client.post("/api/rows/", json=late)
        expect(page.get_by_text("41 new rows")).to_be_visible()
        client.delete(f"/api/rows/?dataset={prices}&start=2026-01-19&end=2026-01-19T01:00:00")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".figure").first).to_contain_text("200,040")


def test_live_resumes(page: Page, site: Site, prices: int, watched: Watched) -> None:
    """A server that is away for a moment: the page says so, connects again and shows what came meanwhile."""
    watched.expected = ["503 (Service Unavailable)"]
    page.goto(f"{site.url}/ui/datasets/{prices}")
    page.route("**/api/rows/stream/**", lambda route: route.fulfill(status=503, body="{}"))
    page.get_by_role("button", name="Live").click()
    expect(page.get_by_text("Connection lost, trying again")).to_be_visible()
    page.unroute("**/api/rows/stream/**")
    expect(page.get_by_text("Connected again")).to_be_visible()
    expect(page.get_by_text("Live ·")).to_be_visible()
    page.get_by_role("button", name="Stop").click()


def test_downloads(page: Page, site: Site, prices: int, tmp_path: Path) -> None:
    page.goto(f"{site.url}/ui/datasets/{prices}")
    page.get_by_role("button", name="1h", exact=True).click()
    page.get_by_role("button", name="Download").click()
    shot(page, "dataset-download")
    with page.expect_download() as waiting:
        page.get_by_role("menuitem", name="CSV of the shown range").click()
    rows = list(csv.DictReader(io.StringIO(waiting.value.path().read_text())))
    assert 0 < len(rows) <= 601
    assert set(rows[0]) == {"timestamp", "open", "close", "volume"}
    page.get_by_role("button", name="Download").click()
    with page.expect_download() as waiting:
        page.get_by_role("menuitem", name="CSV of everything").click()
    assert waiting.value.path().read_text().count("\n") > 200_000


def test_share_and_tags(page: Page, visitor: Page, site: Site, prices: int) -> None:
    page.goto(f"{site.url}/ui/datasets/{prices}?tab=share")
    page.get_by_role("button", name="Add test").click()
    expect(page.get_by_text("Shared with everybody who holds “test”")).to_be_visible()
    page.get_by_role("button", name="Remove test").click()
    expect(page.get_by_role("button", name="Add test")).to_be_visible()
    shot(page, "dataset-share")
    shot(page, "dataset-share-phone", phone=True)


def test_a_reader_sees_no_way_to_change(visitor: Page, site: Site, prices: int, watched: Watched) -> None:
    watched.expected = ["401 (Unauthorized)", "403 (Forbidden)"]
    with site.client(site.people.owner) as client:
        private = client.post("/api/datasets/", json={"name": "Secret"}).json()["id"]
    sign_in(visitor, site, site.people.stranger, f"/ui/datasets/{prices}")
    expect(visitor.get_by_text("Shared by owner")).to_be_visible()
    expect(visitor.locator("[data-note]")).to_contain_text("rows in")
    for name in ("Add rows", "More"):
        expect(visitor.get_by_role("button", name=name)).to_have_count(0)
    visitor.get_by_role("tab", name="Share").click()
    expect(visitor.get_by_text("You can read this dataset because")).to_be_visible()
    visitor.goto(f"{site.url}/ui/datasets/{private}")
    expect(visitor.get_by_role("alert")).to_contain_text("Permission denied")
    visitor.goto(f"{site.url}/ui/tags")
    visitor.get_by_role("button", name="Acquire test").click()
    expect(visitor.get_by_text("You hold “test” now")).to_be_visible()
    visitor.get_by_role("button", name="Acquire premium").click()
    visitor.get_by_label("Secret").fill("wrong")
    visitor.get_by_role("button", name="Acquire", exact=True).last.click()
    expect(visitor.get_by_role("alert")).to_contain_text("is another")
    visitor.get_by_label("Secret").fill("open sesame")
    visitor.keyboard.press("Enter")
    expect(visitor.get_by_text("You hold “premium” now")).to_be_visible()
    shot(visitor, "tags")
    visitor.get_by_role("link", name="What is shared").first.click()
    expect(visitor.get_by_role("row", name="BTC/USD candles")).to_contain_text("owner")
    with site.client(site.people.stranger) as client:
        assert set(json.loads(client.get("/api/v1/me").text)["tags"]) == {"public", "test", "premium"}
