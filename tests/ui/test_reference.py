"""The reference at /docs: of the document, complete, accessible, interactive, without another host."""

from __future__ import annotations

import re
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.conformance import document
from tests.ui.accessibility import violations
from tests.ui.conftest import Site, Watched

from atlas.ui.api_reference_page import page as written


def problems(page: Page) -> list[str]:
    """What axe finds, rule by rule, with the first elements."""
    return [f"{rule['id']}: {[node['target'] for node in rule['nodes'][:3]]}" for rule in violations(page)]


def test_everything_of_the_document_is_in_it() -> None:
    shown = written(document())
    for item in document()["paths"].values():
        for operation in item.values():
            assert f'id="{operation["operationId"]}"' in shown
    for name in document()["components"]["schemas"]:
        assert f'id="shape-{name}"' in shown
    assert all(f"<code>{name}</code>" in shown for name in document()["webhooks"])
    # Links lead somewhere, and no two elements share an id.
    names = re.findall(r'\bid="([^"]+)"', shown)
    assert len(names) == len(set(names))
    assert set(re.findall(r'href="#([^"]+)"', shown)) <= set(names)


def test_what_a_document_says_is_text() -> None:
    evil = '<img src=x onerror="alert(1)">'
    changed = {**document(), "info": {"title": evil, "version": evil, "description": evil}}
    changed["tags"] = [{**tag, "description": evil} for tag in document()["tags"]]
    assert "<img src=x" not in written(changed)


@pytest.mark.parametrize(("scheme", "widths"), [("light", (1440, 390)), ("dark", (390, 1440))])
def test_axe_finds_nothing(
    visitor: Page, site: Site, watched: Watched, scheme: Literal["light", "dark"], widths: tuple[int, ...]
) -> None:
    visitor.set_viewport_size({"width": widths[0], "height": 900})
    visitor.emulate_media(color_scheme=scheme)
    answer = visitor.goto(f"{site.url}/docs")
    assert answer is not None
    assert "unsafe" not in answer.headers["content-security-policy"]
    expect(visitor.locator("html[data-ready]")).to_be_attached()
    if scheme == "light":
        # Once, as it takes axe five seconds: all of it but the absence of forms stays below.
        assert problems(visitor) == []
    for name in ("rows_bulk_insert", "imports_run", "rows_query", "webhook_import_failed", "shape-ImportView"):
        visitor.evaluate("name => { document.getElementById(name).open = true; }", name)
    expect(visitor.locator("#rows_bulk_insert form, #imports_run form, #rows_query form")).to_have_count(3)
    for width in widths:
        visitor.set_viewport_size({"width": width, "height": 900})
        assert problems(visitor) == [], f"{width} wide"
        assert visitor.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_request_is_sent(visitor: Page, site: Site, watched: Watched) -> None:
    visitor.goto(f"{site.url}/docs#datasets_create")
    operation = visitor.locator("#datasets_create")
    expect(operation.get_by_role("heading", name="Try it")).to_be_visible()
    visitor.get_by_label("Your API key").fill(site.people.owner)
    operation.get_by_label("Body, application/json").fill('{"name": "from the reference"}')
    operation.get_by_role("button", name="Send").press("Enter")
    expect(operation.get_by_role("status")).to_contain_text("201")
    expect(operation.locator("pre").last).to_contain_text('"name": "from the reference"')
    visitor.get_by_label("Find an operation").fill("rows latest")
    links = visitor.get_by_role("navigation").get_by_role("link")
    expect(links.filter(has_text="Latest row")).to_be_visible()
    expect(links.filter(has_text="Create a dataset")).to_be_hidden()
    links.filter(has_text="Latest row").click()
    latest = visitor.locator("#rows_latest")
    expect(latest.locator("summary")).to_be_focused()
    latest.get_by_label("dataset, required").fill("1")
    watched.expected.append("404")
    latest.get_by_role("button", name="Send").click()
    expect(latest.get_by_role("status")).to_contain_text(re.compile("/api/rows/latest/\\?dataset=1: (200|404)"))


def test_it_can_be_read_without_scripts(browser: Browser, site: Site) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site.url}/docs")
    page.locator("#imports_run summary").click()
    expect(page.locator("#imports_run")).to_contain_text("multipart/form-data")
    context.close()
