"""Every page at the widths of desk and phone: axe finds nothing, nothing leaves the screen; the start is quick."""

from __future__ import annotations

import os

import pytest
from playwright.sync_api import Page, Response
from tests.ui.accessibility import violations
from tests.ui.conftest import Site, Watched, settle, shot

pytestmark = pytest.mark.usefixtures("operator")
SIZES = {"desk": (1440, 900), "phone": (390, 844)}
# Of a quiet machine these take a third at most; a bound that only a new defect reaches.
FIRST_PAGE_SECONDS, FIRST_PAGE_BYTES, FIRST_PAGE_REQUESTS = 3.0, 300_000, 60


@pytest.fixture(autouse=True)
def _axe_styles(watched: Watched) -> None:
    """For colours axe sets styles, which the policy refuses."""
    watched.expected = ["Applying inline style"]


@pytest.fixture(scope="module")
def pages(site: Site) -> dict[str, str]:
    """Addresses of all pages and their tabs, with something on each."""
    with site.client(site.people.owner) as client:
        body = {"name": "Weather", "description": "Of a station", "metadata": {"city": "Zürich", "every": "10m"}}
        dataset = client.post("/api/datasets/", json=body).json()["id"]
        lines = "timestamp,temperature,wind\n" + "".join(
            f"2026-01-{day:02}T{hour:02}:00:00Z,{10 + hour / 2},{day % 7}\n"
            for day in range(1, 20)
            for hour in range(24)
        )
        client.post(f"/api/rows/bulk_insert/?dataset={dataset}", content=lines, headers={"Content-Type": "text/csv"})
        csv = "name,email,amount\n" + "".join(f"n{n},n{n}@x.com,{n if n % 9 else 'n/a'}\n" for n in range(60))
        sent = {
            "files": {"file": ("deals.csv", csv)},
            "data": {"instruction": "Import this into deals, email is the key"},
        }
        done = client.post("/api/v1/smart-import", **sent).json()
        client.post("/api/v1/saved-queries", json={"name": "All deals", "sql": "SELECT * FROM deals", "shared": True})
        client.put(f"/api/v1/favourites/dataset/{dataset}")
        client.put("/api/v1/favourites/table/deals")
        client.post("/api/v1/glossary", json={"term": "large", "meaning": "amount > 40", "table_name": "deals"})
    found = {
        "home": "",
        "datasets": "datasets",
        "tags": "tags",
        "import": "import",
        "imports": "imports",
        "tables": "tables",
        "ask": "ask",
        "ask-verified": "ask?tab=verified",
        "ask-glossary": "ask?tab=glossary",
        "missing": "nowhere",
        "sql": "sql?sql=SELECT+name+FROM+deals",
        "review": f"imports/{done['import_id']}",
        "table": "tables/deals",
    }
    found |= {f"dataset-{tab}": f"datasets/{dataset}?tab={tab}" for tab in ("chart", "rows", "columns", "share", "add")}
    found |= {f"table-{tab}": f"tables/deals?tab={tab}" for tab in ("columns", "imports")}
    found |= {f"keys-{tab}": f"keys?tab={tab}" for tab in ("keys", "usage", "connect", "model", "webhooks")}
    found |= {
        f"admin-{tab}": f"admin?tab={tab}"
        for tab in ("users", "keys", "tags", "jobs", "deliveries", "audit", "organizations")
    }
    return found


def _problems(page: Page) -> list[str]:
    """What axe finds, a line for each element."""
    return [f"{one['id']}: {node['html'][:160]}" for one in violations(page) for node in one["nodes"]]


def test_no_page_has_a_violation(page: Page, site: Site, watched: Watched, pages: dict[str, str]) -> None:
    """Each page is opened at one width and then turned to the other, as opening takes as long as looking at it."""
    wrong: dict[str, object] = {}
    for number, (name, path) in enumerate(pages.items()):
        # Every other page on the phone first, so that pages are opened there as well.
        for opens, size in enumerate(reversed(SIZES) if number % 2 else SIZES):
            width, height = SIZES[size]
            page.set_viewport_size({"width": width, "height": height})
            if not opens:
                page.goto(f"{site.url}/ui/{path}")
            settle(page, watched)
            found: list[object] = [*_problems(page)]
            if not page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
                found.append("wider than the screen")
            shot(page, f"{name}-{size}")
            shot(page, f"{name}-{size}-dark", dark=True)
            if found:
                wrong[f"{name} on the {size}"] = found
    assert wrong == {}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_lies_over_pages_has_no_violation(
    page: Page, site: Site, watched: Watched, pages: dict[str, str], theme: str
) -> None:
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    wrong: dict[str, object] = {}
    for name, path, opens in (
        ("palette", "tags", "Control+k"),
        ("help", "tags", "?"),
        ("new dataset", "datasets?new=1", ""),
    ):
        page.goto(f"{site.url}/ui/{path}")
        settle(page, watched)
        if opens:
            page.keyboard.press(opens)
        page.get_by_role("dialog").wait_for()
        settle(page, watched)
        shot(page, f"over-{name}-{theme}")
        if found := _problems(page):
            wrong[name] = found
    for name in ("home", "datasets", "sql", "review", "keys-keys", "admin-users"):
        page.goto(f"{site.url}/ui/{pages[name]}")
        settle(page, watched)
        if found := _problems(page):
            wrong[name] = found
    assert wrong == {}


def test_the_first_page_is_quick(page: Page, site: Site) -> None:
    """The start page from an empty cache: seconds until it can be used, bytes and requests."""
    sizes: list[int] = []

    def arrived(response: Response) -> None:
        if response.url.startswith(site.url):
            sizes.append(int(response.headers.get("content-length") or 0))

    page.on("response", arrived)
    times = []
    for _ in range(3):
        sizes.clear()
        page.goto(f"{site.url}/ui/", wait_until="commit")
        page.get_by_role("heading", name="Home", level=1).wait_for()
        times.append(page.evaluate("performance.now()") / 1000)
        page.wait_for_load_state("networkidle")
        transferred = page.evaluate(
            "performance.getEntriesByType('resource').reduce((sum, one) => sum + one.transferSize, 0)"
        )
        requests = page.evaluate("performance.getEntriesByType('resource').length")
        if len(times) == 1:
            first = (transferred, requests)
    print(f"\nfirst page: {min(times):.2f} s, {first[0] / 1000:.0f} kB in {first[1]} requests")
    assert min(times) < FIRST_PAGE_SECONDS * (3 if os.environ.get("CI") else 1)
    assert first[0] < FIRST_PAGE_BYTES
    assert first[1] < FIRST_PAGE_REQUESTS
