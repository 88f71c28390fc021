"""Seconds until the start page of the web interface can be used, from an empty cache, with its bytes and requests.

    python dev.py run python bench/start_page.py [--rounds N] [--url URL --key KEY]

Without --url, starts its own server on a fresh embedded PostgreSQL. Opens the start page in headless Chromium
(`ATLAS_CHROMIUM` or one on the path), each time in a context of its own. Usable means that the heading of the page is
there; the time counts from the navigation.

Figures: `bench/record.py start_page` adds them to `bench/results/start_page.csv`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright
from timeseries import Server

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "chrome")
LOADED = """() => {
  const all = performance.getEntriesByType("resource");
  const page = performance.getEntriesByType("navigation")[0];
  return [all.reduce((sum, one) => sum + one.transferSize, page.transferSize), all.length + 1];
}"""


def opened(browser: Browser, url: str, key: str) -> tuple[float, int, int]:
    """Opens the start page once; returns seconds, bytes and requests."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    try:
        page = context.new_page()
        page.request.post(f"{url}/ui/session", data={"key": key}, headers={"X-Atlas-UI": "1"})
        page.goto(f"{url}/ui/", wait_until="commit")
        page.get_by_role("heading", name="Home", level=1).wait_for()
        seconds = page.evaluate("performance.now()") / 1000
        page.wait_for_load_state("networkidle")
        size, requests = page.evaluate(LOADED)
        return seconds, size, requests
    finally:
        context.close()


def measure(url: str, key: str, rounds: int) -> None:
    """Prints the figures of some rounds."""
    path = os.environ.get("ATLAS_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        opened(browser, url, key)  # the browser's own start
        found = [opened(browser, url, key) for _ in range(rounds)]
        browser.close()
    seconds = sorted(one[0] for one in found)
    print(f"usable: least {seconds[0]:.2f} s, median {statistics.median(seconds):.2f} s, most {seconds[-1]:.2f} s")
    print(f"transferred: {found[-1][1] / 1000:.0f} kB in {found[-1][2]} requests")


def main() -> None:
    """Reads the arguments and measures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--url")
    parser.add_argument("--key")
    given = parser.parse_args()
    if given.url:
        measure(given.url, given.key, given.rounds)
        return
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder))
        try:
            measure(server.url, server.client.headers["X-API-Key"], given.rounds)
        finally:
            server.stop()


if __name__ == "__main__":
    main()
