"""A server and a headless Chromium. Every page must stay within its content security policy and log no error."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psycopg
import pytest
import uvicorn
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright
from pydantic import SecretStr
from tests.conftest import People, application, clone

from atlas.settings import Settings

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Where screenshots go that a person wants to look at: ATLAS_SCREENSHOTS=folder pytest tests/ui
SHOTS = os.environ.get("ATLAS_SCREENSHOTS")


@dataclass
class Site:
    """A running server with its people."""

    url: str
    people: People
    app: object = field(repr=False)

    def client(self, key: str) -> httpx.Client:
        """An HTTP client with a key, to prepare and to check what the page does."""
        return httpx.Client(base_url=self.url, headers={"X-API-Key": key}, timeout=60)


@pytest.fixture(scope="module")
def site(postgres_url: str, inhabited: tuple[str, People]) -> Iterator[Site]:
    """A server on a fresh database for the tests of one file."""
    name, people = inhabited
    with clone(postgres_url, name) as url:
        yield from _served(url, people)


def _served(url: str, people: People) -> Iterator[Site]:
    settings = Settings(
        database_url=url,
        log_level="error",
        jobs=1,
        webhook_loopback=True,
        secret_key=SecretStr("a secret for tests alone"),
    )
    app = application(settings)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield Site(f"http://127.0.0.1:{port}", people, app)
    server.should_exit = True
    thread.join(20)


@pytest.fixture(scope="module")
def operator(site: Site) -> None:
    """The owner operates the server."""
    with psycopg.connect(site.app.state.settings.database_url) as connection:  # type: ignore[attr-defined]
        connection.execute("UPDATE atlas.users SET role = 'operator' WHERE name = 'owner'")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium; where none is installed the tests are left out, but never in CI.

    Not for the session: Playwright's event loop would run on, beside those of other tests.
    """
    found = os.environ.get("ATLAS_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("no Chromium; .ci/run should have installed it")
        pytest.skip("needs Chromium; set ATLAS_CHROMIUM to its path")
    # The machine may be busy with other tests.
    expect.set_options(timeout=15_000)
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        launched = playwright.chromium.launch(
            executable_path=found, args=FLAGS, headless=True, env={**os.environ, "HOME": folder}
        )
        yield launched
        launched.close()


@dataclass
class Watched:
    """What a page did that it must not, and requests that have no answer yet.

    `expected`: parts of console errors that a test causes itself.
    """

    problems: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)
    under_way: set[Request] = field(default_factory=set)


def _watch(page: Page, site: Site, seen: Watched) -> None:
    def console(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            seen.problems.append(f"console: {message.text} ({message.location.get('url', '')})")

    def request(sent: Request) -> None:
        if not sent.url.startswith((site.url, "data:", "blob:")):
            seen.problems.append(f"request to another host: {sent.url}")
        seen.under_way.add(sent)

    # Playwright marks its handlers, which a method of a built-in type does not let it.
    def ended(sent: Request) -> None:
        seen.under_way.discard(sent)

    page.on("console", console)
    page.on("pageerror", lambda error: seen.problems.append(f"exception: {error}"))
    page.on("request", request)
    page.on("requestfinished", ended)
    page.on("requestfailed", ended)
    # Requests of the page before get no answer.
    page.on("framenavigated", lambda _: seen.under_way.clear())


# Resolved once nothing was drawn anew, and no transition ran, for longer than an answer takes to bring forth a request.
STILL = """() => new Promise((resolve) => {
  let last = performance.now();
  const changes = new MutationObserver(() => { last = performance.now(); });
  changes.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
  const ends = (one) => one.playState === "running" && one.effect.getComputedTiming().endTime !== Infinity;
  const look = () => {
    if (document.getAnimations().some(ends)) last = performance.now();
    if (performance.now() - last < 100) return setTimeout(look, 10);
    changes.disconnect();
    resolve();
  };
  look();
})"""


def settle(page: Page, watched: Watched) -> None:
    """Waits until a page has all that it asks for, and nothing in it moves."""
    page.get_by_role("heading", level=1).first.wait_for()
    for _ in range(100):
        page.evaluate(STILL)
        if not watched.under_way and not page.locator(".loading").count():
            return
    raise AssertionError(f"goes on: {[sent.url for sent in watched.under_way]}")


@pytest.fixture
def watched() -> Watched:
    return Watched()


def sign_in(page: Page, site: Site, key: str, path: str = "/ui/datasets") -> None:
    """Signs in by the form and opens a page."""
    page.goto(f"{site.url}{path}")
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("navigation", name="Main").wait_for(state="attached")


@pytest.fixture
def visitor(site: Site, browser: Browser, watched: Watched) -> Iterator[Page]:
    """A page of somebody who is not signed in."""
    context = browser.new_context(viewport={"width": 1280, "height": 860}, accept_downloads=True, locale="en-US")
    page = context.new_page()
    page.set_default_timeout(15_000)
    _watch(page, site, watched)
    yield page
    context.close()
    assert [p for p in watched.problems if not any(part in p for part in watched.expected)] == []


@pytest.fixture
def page(visitor: Page, site: Site) -> Page:
    """A page of the owner, signed in by cookie."""
    made = visitor.request.post(f"{site.url}/ui/session", data={"key": site.people.owner}, headers={"X-Atlas-UI": "1"})
    assert made.ok, made.text()
    return visitor


def shot(page: Page, name: str, *, dark: bool = False, phone: bool = False) -> None:
    """Keeps a screenshot if ATLAS_SCREENSHOTS names a folder."""
    if SHOTS is None:
        return
    Path(SHOTS).mkdir(parents=True, exist_ok=True)
    size = page.viewport_size
    if phone:
        page.set_viewport_size({"width": 390, "height": 844})
    if dark:
        page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(400)
    page.screenshot(path=Path(SHOTS) / f"{name}.png")
    if dark:
        page.emulate_media(color_scheme="light")
    if phone and size:
        page.set_viewport_size(size)
