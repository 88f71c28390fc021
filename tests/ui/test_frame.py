"""Signing in, the frame, themes, phones, and what protects the session."""

from __future__ import annotations

import httpx
from playwright.sync_api import Page, expect
from tests.ui.conftest import Site, Watched, shot, sign_in


def test_sign_in_and_out(visitor: Page, site: Site, watched: Watched) -> None:
    watched.expected = ["401"]
    visitor.goto(f"{site.url}/")
    expect(visitor.get_by_role("heading", name="Sign in")).to_be_visible()
    shot(visitor, "sign-in")
    visitor.get_by_label("API key").fill("atlas_live_sk_wrong")
    visitor.get_by_role("button", name="Sign in").click()
    expect(visitor.get_by_role("alert")).to_contain_text("unknown, revoked or expired")
    sign_in(visitor, site, site.people.holder)
    expect(visitor.get_by_role("heading", name="Datasets", exact=True)).to_be_visible()
    expect(visitor.locator(".user")).to_contain_text("holder")
    cookie = next(c for c in visitor.context.cookies() if c["name"] == "atlas_session")
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Strict"
    assert site.people.holder not in cookie["value"]
    # Signing in acquires the public tag.
    with site.client(site.people.holder) as client:
        assert client.get("/api/v1/me").json()["tags"] == ["public"]
    visitor.reload()
    expect(visitor.locator(".user")).to_contain_text("holder")
    visitor.get_by_role("button", name="Sign out").click()
    expect(visitor.get_by_role("heading", name="Sign in")).to_be_visible()
    assert not visitor.context.cookies()


def test_theme_and_phone(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/ui/")
    page.get_by_role("navigation").get_by_role("button", name="Theme").click()
    page.get_by_role("menuitem", name="Dark").click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.set_viewport_size({"width": 390, "height": 844})
    expect(page.get_by_role("link", name="Tags", exact=True)).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    expect(page.get_by_role("link", name="Tags", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Tags", exact=True)).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_what_the_session_does_not_do(site: Site) -> None:
    """The cookie counts only from our own pages; a revoked key ends it."""
    with httpx.Client(base_url=site.url) as client:
        signed = client.post("/ui/session", json={"key": site.people.owner}, headers={"X-Atlas-UI": "1"})
        assert signed.status_code == 200
        assert client.get("/api/v1/me").status_code == 200
        body = {"name": "made by another site"}
        assert client.post("/api/datasets/", json=body).status_code == 401
        evil = {"X-Atlas-UI": "1", "Sec-Fetch-Site": "same-site"}
        assert client.post("/api/datasets/", json=body, headers=evil).status_code == 401
        assert client.get("/api/v1/me", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 401
        assert client.post("/api/datasets/", json=body, headers={"X-Atlas-UI": "1"}).status_code == 201
        client.cookies.set("atlas_session", "AQ" + "x" * 80)
        assert client.get("/api/v1/me").status_code == 401
    for key in ("", "nonsense", site.people.revoked, site.people.expired):
        ours = {"X-Atlas-UI": "1"}
        assert httpx.post(f"{site.url}/ui/session", json={"key": key}, headers=ours).status_code == 401
    # Another site cannot sign a browser in or out.
    for headers in ({}, {"X-Atlas-UI": "1", "Sec-Fetch-Site": "cross-site"}):
        body = {"key": site.people.owner}
        assert httpx.post(f"{site.url}/ui/session", json=body, headers=headers).status_code == 403
        assert httpx.delete(f"{site.url}/ui/session", headers=headers).status_code == 403


def test_pages_carry_a_strict_policy(site: Site) -> None:
    answer = httpx.get(f"{site.url}/ui/anything")
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert answer.headers["x-frame-options"] == "DENY"
    for path in ("/ui/static/main.js", "/ui/lib/vue/index.js", "/ui/lib/aggrid/index.js"):
        script = httpx.get(f"{site.url}{path}")
        assert script.headers["content-type"].startswith("text/javascript")
        again = httpx.get(f"{site.url}{path}", headers={"If-None-Match": script.headers["etag"]})
        assert again.status_code == 304


def test_reference_pages_ask_no_other_host(visitor: Page, site: Site, watched: Watched) -> None:
    # ReDoc wants its maker's logo; the policy blocks that before it leaves the browser.
    watched.expected = ["cdn.redoc.ly/redoc/logo-mini.svg"]
    visitor.goto(f"{site.url}/docs")
    expect(visitor.get_by_role("heading", name="Atlas")).to_be_visible()
    visitor.goto(f"{site.url}/redoc")
    expect(visitor.get_by_role("heading", name="Atlas").first).to_be_visible()
