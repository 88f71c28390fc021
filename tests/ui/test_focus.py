"""Where the keyboard is: after dialogs, after questions, and on a page that was just opened."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.ui.conftest import Site, Watched, sign_in


def _opens_and_returns(page: Page, opener: Locator) -> None:
    """A dialog opened by Enter gives the focus back when Escape, its button or a click beside it closes it."""
    expect(opener).to_be_enabled()
    for close in ("Escape", "Cancel", "beside"):
        opener.focus()
        page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog")
        expect(dialog).to_be_visible()
        assert page.evaluate("document.querySelector('dialog').contains(document.activeElement)")
        if close == "Escape":
            page.keyboard.press("Escape")
        elif close == "Cancel":
            dialog.get_by_role("button", name="Cancel").focus()
            page.keyboard.press("Enter")
        else:
            page.mouse.click(4, 4)
        expect(dialog).to_be_hidden()
        expect(opener).to_be_focused()


@pytest.mark.parametrize(
    ("path", "name"),
    [("datasets", "New dataset"), ("keys", "New key"), ("admin?tab=users", "New user"), ("admin?tab=keys", "New key")],
)
@pytest.mark.usefixtures("operator")
def test_a_dialog_gives_the_focus_back(page: Page, site: Site, path: str, name: str) -> None:
    page.goto(f"{site.url}/ui/{path}")
    _opens_and_returns(page, page.get_by_role("button", name=name, exact=True).first)


def test_a_menu_and_a_question_give_the_focus_back(page: Page, site: Site) -> None:
    with site.client(site.people.owner) as client:
        made = client.post("/api/datasets/", json={"name": "Focused"}).json()["id"]
    page.goto(f"{site.url}/ui/datasets/{made}?tab=chart")
    more = page.get_by_role("button", name="More")
    for item in ("Edit details", "Delete"):
        more.focus()
        page.keyboard.press("Enter")
        page.get_by_role("menuitem", name=item).focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("dialog")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_be_hidden()
        expect(more).to_be_focused()
    # What opened a dialog is gone once it is done: the page's heading has the focus, not nothing.
    more.focus()
    page.keyboard.press("Enter")
    page.get_by_role("menuitem", name="Delete").press("Enter")
    page.get_by_label("Type Focused to confirm").fill("Focused")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Datasets", level=1)).to_be_focused()


def test_a_second_dialog_comes_back_to_what_opened_the_first(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/ui/keys")
    opener = page.get_by_role("button", name="New key", exact=True)
    opener.focus()
    page.keyboard.press("Enter")
    page.get_by_label("Name", exact=True).fill("second")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Copy your new key")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(opener).to_be_focused()


def test_pages_announce_themselves(page: Page, site: Site) -> None:
    """After a link the heading has the focus; the title is told politely and stands in the window's title."""
    with site.client(site.people.owner) as client:
        made = client.post("/api/datasets/", json={"name": "Announced", "metadata": {"a": "b"}}).json()["id"]
    page.goto(f"{site.url}/ui/datasets")
    told = page.locator("[data-announcement]")
    assert told.get_attribute("aria-live") == "polite"
    navigation = page.get_by_role("navigation", name="Main")
    for name in ("Tags", "Imports", "Tables", "Ask", "Keys and usage", "Datasets"):
        navigation.get_by_role("link", name=name, exact=True).press("Enter")
        expect(page.get_by_role("heading", name=name, level=1)).to_be_focused()
        expect(told).to_have_text(name)
        expect(page).to_have_title(f"{name} · Atlas")
    # A page whose title comes with its data, and back by the browser's button.
    page.get_by_role("link", name="Announced").press("Enter")
    expect(page.get_by_role("heading", name="Announced", level=1)).to_be_focused()
    expect(page).to_have_title("Announced · Atlas")
    expect(told).to_have_text("Announced")
    page.go_back()
    expect(page.get_by_role("heading", name="Datasets", level=1)).to_be_focused()
    expect(told).to_have_text("Datasets")
    # A tab within a page keeps the focus, and so does a search that changes the address.
    page.goto(f"{site.url}/ui/datasets/{made}?tab=chart")
    page.get_by_role("tab", name="Columns").press("Enter")
    expect(page).to_have_url(re.compile("tab=columns"))
    expect(page.get_by_role("tab", name="Columns")).to_be_focused()
    # What is not there says so by its heading, too.
    page.goto(f"{site.url}/ui/nowhere")
    expect(page.get_by_role("heading", name="There is no such page", level=1)).to_be_visible()
    expect(page).to_have_title("No such page · Atlas")


def test_skip_link_and_sign_in(visitor: Page, site: Site, watched: Watched) -> None:
    watched.expected = ["401"]
    visitor.goto(f"{site.url}/ui/tags")
    expect(visitor.get_by_label("API key")).to_be_focused()
    expect(visitor).to_have_title("Sign in · Atlas")
    sign_in(visitor, site, site.people.owner, "/ui/tags")
    expect(visitor.get_by_role("heading", name="Tags", level=1)).to_be_focused()
    visitor.reload()
    expect(visitor.get_by_role("heading", name="Tags", level=1)).to_be_visible()
    visitor.keyboard.press("Tab")
    skip = visitor.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    visitor.keyboard.press("Enter")
    expect(visitor.get_by_role("main")).to_be_focused()
