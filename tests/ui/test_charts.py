"""Charts of time series: outages, live mode, the wheel, small screens."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect
from tests.ui.conftest import Site, shot

START = datetime(2026, 1, 5, tzinfo=UTC)
MINUTE, HOUR, DAY = 60, 3600, 86_400
# Of the module that says where a line ends: the values that are left of each line, and the points that stand alone.
GAPS = """async ({ times, counts, known }) => {
  const { longestStep, lonePoints, withGaps } = await import("/ui/static/components/gaps.js");
  const points = times.map((at) => [at * 1000, 1]);
  const shown = withGaps(points, longestStep(points, { counts, known: known && known * 1000 }));
  const lines = shown.reduce((all, [at, value]) => {
    if (value === null) all.push([]); else all.at(-1).push(at / 1000);
    return all;
  }, [[]]);
  return { lines: times.length ? lines : [], lone: lonePoints(shown).map(([at]) => at / 1000) };
}"""


@pytest.fixture(scope="module")
def outages(site: Site) -> int:
    """Rows by the minute, two outages in a row with a single row between them, and one row at the end."""
    minutes = [*range(3000), 20_000, 40_000]
    return _dataset(site, "Outages", [(minute * MINUTE, 20 + (minute % 97) / 10) for minute in minutes])


def _dataset(site: Site, name: str, rows: Sequence[tuple[float, float]]) -> int:
    with site.client(site.people.owner) as client:
        made = int(client.post("/api/datasets/", json={"name": name}).json()["id"])
        _insert(site, made, rows)
    return made


def _insert(site: Site, dataset: int, rows: Sequence[tuple[float, float]]) -> None:
    lines = [f"{(START + timedelta(seconds=at)).isoformat()},{value}" for at, value in rows]
    with site.client(site.people.owner) as client:
        client.post(
            f"/api/rows/bulk_insert/?dataset={dataset}",
            content="\n".join(["timestamp,value", *lines]),
            headers={"Content-Type": "text/csv"},
        ).raise_for_status()


def test_where_lines_end(page: Page, site: Site) -> None:
    """The pure function, by kinds of sampling: what a line joins, and what is drawn as a point."""

    def gaps(
        times: Sequence[float], counts: Sequence[int] | None = None, known: float | None = None
    ) -> tuple[list[int], list[float]]:
        found = page.evaluate(GAPS, {"times": list(times), "counts": counts, "known": known})
        return [len(line) for line in found["lines"]], found["lone"]

    page.goto(f"{site.url}/ui/datasets")
    minutes = [float(n * MINUTE) for n in range(30)]
    late = 14 * DAY
    assert gaps(minutes) == ([30], [])
    assert gaps([*minutes, late]) == ([30, 1], [late])
    assert gaps([0, *(late + at for at in minutes)]) == ([1, 30], [0])
    assert gaps([*minutes, late, 2 * late]) == ([30, 1, 1], [late, 2 * late])
    assert gaps([*minutes, late, *(2 * late + at for at in minutes)]) == ([30, 1, 30], [late])
    assert gaps([*minutes, late, late + MINUTE]) == ([30, 2], [])
    # Five rows and an outage are enough; of two rows nobody knows, unless more were shown before.
    assert gaps([*minutes[:5], late]) == ([5, 1], [late])
    assert gaps([0, late]) == ([2], [])
    assert gaps([0, late], known=HOUR) == ([1, 1], [0, late])
    assert gaps([]) == ([], [])
    assert gaps([5]) == ([1], [5])
    # Months, business days with Easter, leap years and several labels at one time have no outage.
    months = [datetime(2000 + n // 12, n % 12 + 1, 1, tzinfo=UTC).timestamp() for n in range(120)]
    assert gaps(months) == ([120], [])
    assert gaps([at for at in months for _ in range(5)]) == ([600], [])
    business = [float(day * DAY) for day in range(400) if day % 7 < 5 and day not in (95, 98)]
    assert gaps(business) == ([len(business)], [])
    assert gaps(business, [10] * len(business)) == ([len(business)], [])
    irregular = [float(n * n % 97 + n * 40) for n in range(200)]
    assert gaps(irregular) == ([200], [])
    assert gaps([*irregular, irregular[-1] + 3 * HOUR]) == ([200, 1], [irregular[-1] + 3 * HOUR])
    # Buckets of many rows that follow each other: two that are empty are an outage.
    hours = [float(n * HOUR) for n in range(300) if n not in (100, 101)]
    assert gaps(hours, [60] * 298) == ([100, 198], [])
    assert gaps(hours, [1] * 298) == ([298], [])


def test_an_outage_stays_empty(page: Page, site: Site, outages: int) -> None:
    page.goto(f"{site.url}/ui/datasets/{outages}")
    note = page.locator("[data-note]")
    expect(note).to_contain_text("3,002 rows in")
    expect(page.locator(".chart canvas").first).to_be_visible()
    page.wait_for_function("() => [...document.querySelectorAll('.chart canvas')].some((one) => one.width > 0)")
    give_up = time.monotonic() + 10
    while _inked(page, 0, 1) == 0 and time.monotonic() < give_up:
        page.wait_for_timeout(50)
    # Between the outages there is one point and nothing else: neither line nor band.
    assert _inked(page, 0.2, 0.48) == 0
    assert _inked(page, 0.48, 0.56) > 0
    assert _inked(page, 0.56, 0.93) == 0
    shot(page, "chart-outages")
    shot(page, "chart-outages-phone", phone=True)


def _inked(page: Page, left: float, right: float) -> int:
    """How many pixels of the plot between two shares of its width have a colour, rather than a grey."""
    return int(
        page.evaluate(
            """([left, right]) => {
      const canvas = document.querySelector(".chart canvas");
      const { width, height } = canvas;
      const from = Math.round(width * left);
      const copy = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
      copy.drawImage(canvas, 0, 0);
      const wide = Math.round(width * right) - from;
      const { data } = copy.getImageData(from, height * 0.12, wide, height * 0.66);
      let count = 0;
      for (let n = 0; n < data.length; n += 4) {
        const rgb = data.slice(n, n + 3);
        count += Math.max(...rgb) - Math.min(...rgb) > 40;
      }
      return count;
    }""",
            [left, right],
        )
    )


def test_live_keeps_what_was_and_figures_follow(page: Page, site: Site) -> None:
    dataset = _dataset(site, "Machine", [(n * MINUTE, n % 7) for n in range(2000)])
    page.goto(f"{site.url}/ui/datasets/{dataset}")
    note, rows = page.locator("[data-note]"), page.locator(".figure").first
    expect(note).to_contain_text("2,000 rows in")
    page.get_by_role("button", name="Live").click()
    expect(page.get_by_text("Live ·")).to_be_visible()
    # After an outage of two weeks; what was before it stays, and so do the buttons.
    _insert(site, dataset, [(14 * DAY + n, 3 + n) for n in range(10)])
    expect(rows).to_contain_text("2,010")
    expect(page.locator(".figure").last).to_contain_text("2026-01-19 00:00")
    expect(note).to_contain_text("2,010 rows in")
    assert _inked(page, 0.05, 0.2) > 0
    assert _inked(page, 0.3, 0.9) == 0
    shot(page, "chart-live-outage")
    page.get_by_role("button", name="1h", exact=True).click()
    expect(note).to_have_text("10 rows")
    _insert(site, dataset, [(14 * DAY + 20, 8)])
    expect(note).to_have_text("11 rows")
    shot(page, "chart-live-hour")
    # On other tabs, too.
    page.get_by_role("tab", name="Rows", exact=True).click()
    _insert(site, dataset, [(14 * DAY + 30, 99.5)])
    expect(rows).to_contain_text("2,012")
    expect(page.get_by_role("gridcell", name="99.5")).to_be_visible()
    expect(page.get_by_text("12 new rows")).to_be_visible()
    page.get_by_role("tab", name="Chart").click()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Live ·")).to_have_count(0)
    expect(rows).to_contain_text("2,012")


def test_the_wheel_scrolls_the_page(page: Page, site: Site, outages: int) -> None:
    page.set_viewport_size({"width": 1280, "height": 500})
    page.goto(f"{site.url}/ui/datasets/{outages}")
    note = page.locator("[data-note]")
    expect(note).to_contain_text("3,002 rows in")
    box = page.locator(".chart canvas").first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 20, box["y"] + 60)
    page.mouse.wheel(0, 120)
    expect(page.get_by_text("turn the wheel to zoom")).to_be_visible()
    shot(page, "chart-wheel-hint")
    page.wait_for_function("() => scrollY > 50")
    page.mouse.move(box["x"] + box["width"] / 20, box["y"] - 40)
    expect(note).to_contain_text("3,002 rows in")
    page.keyboard.down("Control")
    for _ in range(6):
        page.mouse.wheel(0, -240)
        page.wait_for_timeout(30)
    page.keyboard.up("Control")
    expect(note).not_to_contain_text("3,002 rows")
    expect(page.get_by_text("turn the wheel to zoom")).to_have_count(0)


def test_a_small_screen_asks_for_fewer_buckets(page: Page, site: Site, outages: int) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    with page.expect_request(lambda sent: "/aggregate/" in sent.url) as asked:
        page.goto(f"{site.url}/ui/datasets/{outages}")
    points = int(asked.value.url.split("points=")[1].split("&")[0])
    assert 60 <= points <= 195
    expect(page.locator("[data-note]")).to_contain_text("buckets")


def test_units_and_descriptions(page: Page, site: Site) -> None:
    """Said on the page of a dataset and of a table; shown where the column is."""
    dataset = _dataset(site, "Greenhouse", [(n * MINUTE, 20 + n % 7) for n in range(60)])
    page.goto(f"{site.url}/ui/datasets/{dataset}?tab=columns")
    page.get_by_role("button", name="Describe value").click()
    page.get_by_label("Unit", exact=True).fill("°C")
    page.get_by_label("What its values mean").fill("Mean of the minute, under the roof")
    shot(page, "column-note")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("cell", name="°C")).to_be_visible()
    shot(page, "columns-described")
    shot(page, "columns-described-phone", phone=True)
    page.get_by_role("tab", name="Chart").click()
    expect(page.get_by_title("Mean of the minute, under the roof")).to_be_visible()
    page.get_by_role("tab", name="Rows", exact=True).click()
    expect(page.get_by_role("columnheader", name="value (°C)")).to_be_visible()
    with site.client(site.people.owner) as client:
        done = client.post(
            "/api/v1/smart-import",
            data={"instruction": "Import into beds"},
            files={"file": ("beds.csv", b"name,length\nA,2.5\nB,4\n")},
        )
        assert done.status_code == 200, done.text
    page.goto(f"{site.url}/ui/tables/beds?tab=columns")
    page.get_by_role("button", name="Describe length").click()
    page.get_by_label("Unit", exact=True).fill("m")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("cell", name="m", exact=True)).to_be_visible()
    shot(page, "table-columns-described")
    page.get_by_role("tab", name="Rows").click()
    expect(page.get_by_role("columnheader", name="length (m)")).to_be_visible()
    page.goto(f"{site.url}/ui/ask?q=What is the average length in beds%3F&table=beds")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_text("The average length is 3.25 m.")).to_be_visible()
    shot(page, "ask-unit")


def test_series_are_lines_of_one_chart(page: Page, site: Site) -> None:
    """Five of three thousand symbols at first; others are found by typing, and removed by a click."""
    lines = ["timestamp,symbol,lot,price"]
    names = ["AAPL", "AMZN", "GOOG", "IBM", "MSFT", *(f"S{n:04}" for n in range(2995))]
    for n, name in enumerate(names):
        at = range(300) if n < 5 or name == "S2222" else range(2)
        lines += [f"{(START + timedelta(days=day)).isoformat()},{name},7,{n % 13 * 20 + day % 11}" for day in at]
    with site.client(site.people.owner) as client:
        dataset = int(client.post("/api/datasets/", json={"name": "Stocks", "keys": ["symbol"]}).json()["id"])
        client.post(
            f"/api/rows/bulk_insert/?dataset={dataset}", content="\n".join(lines), headers={"Content-Type": "text/csv"}
        ).raise_for_status()
    page.goto(f"{site.url}/ui/datasets/{dataset}")
    chart = page.get_by_label("Chart of AAPL, AMZN, GOOG, IBM, MSFT")
    expect(chart).to_be_visible()
    expect(page.locator("[data-series-note]")).to_have_text("5 of 3,000 series")
    expect(page.locator("[data-note]")).to_contain_text("1,500 rows in")
    # A number that is no key is a column to choose; the key is none.
    page.get_by_role("group", name="Column").get_by_role("button", name="price").click()
    shot(page, "chart-series")
    find = page.get_by_role("combobox", name="Find series")
    find.click()
    expect(page.get_by_text("2,940 more; type to find them")).to_be_visible()
    find.fill("222")
    page.get_by_role("option", name="S2222").click()
    shot(page, "chart-series-picker")
    expect(page.get_by_label("Chart of AAPL, AMZN, GOOG, IBM, MSFT, S2222")).to_be_visible()
    expect(page.locator("[data-note]")).to_contain_text("1,800 rows in")
    page.get_by_title("Remove IBM").click()
    expect(page.get_by_label("Chart of AAPL, AMZN, GOOG, MSFT, S2222")).to_be_visible()
    expect(page.locator("[data-note]")).to_contain_text("1,500 rows in")
    shot(page, "chart-series-phone", phone=True)
