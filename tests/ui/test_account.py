"""Keys, usage, the model provider, webhooks and administration."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from tests.ui.conftest import Site, Watched, shot, sign_in

CONTACTS = b"name,email\nAda Lovelace,ada@example.com\nAlan Turing,alan@example.com\n"


pytestmark = pytest.mark.usefixtures("operator")


class _Receiver(http.server.BaseHTTPRequestHandler):
    status = 200

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(type(self).status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def receiver() -> Iterator[str]:
    """The address of something that takes webhooks."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Receiver)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hooks/atlas"
    server.shutdown()
    server.server_close()
    thread.join(5)


def test_own_keys(page: Page, site: Site, watched: Watched) -> None:
    watched.expected = ["401 (Unauthorized)", "400 (Bad Request)"]
    page.goto(f"{site.url}/ui/keys")
    row = page.get_by_role("row").filter(has_text="This session")
    expect(row).to_have_count(1)
    page.get_by_role("button", name="New key").click()
    page.get_by_role("textbox", name="Name").fill("laptop")
    page.get_by_label("Expires").select_option("date")
    page.get_by_label("Last day").fill("2030-06-30")
    shot(page, "keys-new")
    page.get_by_role("button", name="Create key").click()
    dialog = page.get_by_role("dialog", name="Copy your new key")
    first = dialog.locator("pre").inner_text()
    assert first.startswith("atlas_live_sk_")
    shot(page, "keys-shown")
    shot(page, "keys-shown-phone", phone=True, dark=True)
    dialog.get_by_role("button", name="I have kept it").click()
    expect(page.get_by_role("row").filter(has_text="laptop")).to_contain_text("2030-06-30")
    assert first not in page.content()
    page.get_by_role("button", name="Rotate laptop").click()
    page.get_by_role("button", name="Rotate it").click()
    second = page.get_by_role("dialog", name="Copy your new key").locator("pre").inner_text()
    page.keyboard.press("Escape")
    with site.client(first) as client:
        assert client.get("/api/v1/me").status_code == 401
    with site.client(second) as client:
        assert client.get("/api/v1/me").json()["key"]["name"] == "laptop"
    page.get_by_role("button", name="Revoke laptop").click()
    page.get_by_role("button", name="Revoke it").click()
    expect(page.get_by_role("row").filter(has_text="laptop")).to_have_count(0)
    page.get_by_label("revoked or expired").check()
    expect(page.get_by_role("row").filter(has_text="laptop")).to_have_count(2)
    shot(page, "keys")
    shot(page, "keys-dark", dark=True)
    shot(page, "keys-phone", phone=True)
    with site.client(second) as client:
        assert client.get("/api/v1/me").status_code == 401


def test_the_key_of_the_session(visitor: Page, site: Site, watched: Watched) -> None:
    """Rotating it keeps the session; revoking it ends it."""
    watched.expected = ["401 (Unauthorized)"]
    with site.client(site.people.owner) as client:
        key = client.post("/api/v1/keys", json={"name": "browser"}).json()["key"]
    sign_in(visitor, site, key, "/ui/keys")
    visitor.get_by_role("button", name="Rotate browser").click()
    expect(visitor.get_by_text("You stay signed in here")).to_be_visible()
    visitor.get_by_role("button", name="Rotate it").click()
    visitor.get_by_role("button", name="I have kept it").click()
    visitor.reload()
    row = visitor.get_by_role("row").filter(has_text="This session")
    expect(row).to_contain_text("browser")
    row.get_by_role("button", name="Revoke browser").click()
    visitor.get_by_role("button", name="Revoke it").click()
    expect(visitor.get_by_role("heading", name="Sign in")).to_be_visible()


def test_usage_and_how_to_connect(page: Page, site: Site) -> None:
    with site.client(site.people.owner) as client:
        made = client.post("/api/datasets/", json={"name": "Load of server 7"}).json()["id"]
        rows = [{"timestamp": f"2026-01-05T10:{n:02d}:00Z", "values": {"load": n / 7}} for n in range(60)]
        client.post("/api/rows/bulk_insert/", json={"dataset": made, "rows": rows})
        for _ in range(30):
            client.get("/api/datasets/")
        for _ in range(40):
            if sum(day["rows_written"] for day in client.get("/api/v1/usage").json()["days"]) >= 60:
                break
            time.sleep(0.25)
    page.goto(f"{site.url}/ui/keys?tab=usage")
    expect(page.get_by_role("img", name="Requests by day")).to_be_visible()
    expect(page.locator(".figure").filter(has_text="rows written")).to_contain_text("60")
    expect(page.get_by_role("table", name="Usage by key").get_by_role("row").nth(1)).to_be_visible()
    expect(page.get_by_text("1 dataset of yours, 60 rows")).to_be_visible()
    shot(page, "usage")
    shot(page, "usage-dark", dark=True)
    shot(page, "usage-phone", phone=True)
    page.get_by_role("button", name="7 days").click()
    page.get_by_role("button", name="Data", exact=True).click()
    expect(page.get_by_role("img", name="Data by day")).to_be_visible()
    page.get_by_role("tab", name="Connect").click()
    expect(page.locator("pre")).to_contain_text(f"atlas login --url {site.url}")
    for name, text in (("Python", "from atlas import Client"), ("curl", "X-API-Key")):
        page.get_by_role("button", name=name, exact=True).click()
        expect(page.locator("pre")).to_contain_text(text)
    shot(page, "connect")


def test_model_provider(page: Page, site: Site, watched: Watched) -> None:
    watched.expected = ["400 (Bad Request)"]
    page.goto(f"{site.url}/ui/keys?tab=model")
    expect(page.get_by_text("No model", exact=True)).to_be_visible()
    page.get_by_label("Model", exact=True).fill("qwen2.5-coder-7b-instruct")
    page.get_by_label("Address").fill("https://127.0.0.1/v1")
    page.get_by_label("API key").fill("sk-test-4711-abcdefgh-wxyz")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("base_url")
    expect(page.get_by_label("Model", exact=True)).to_have_value("qwen2.5-coder-7b-instruct")
    page.get_by_label("Address").fill("")
    page.get_by_label("Values of cells may be sent").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Set by your organization")).to_be_visible()
    expect(page.get_by_text("it ends in …wxyz")).to_be_visible()
    expect(page.get_by_label("API key")).to_have_value("")
    shot(page, "model")
    with site.client(site.people.owner) as client:
        found = client.get("/api/v1/settings/model").json()
    assert (found["model"], found["samples"], found["api_key_set"]) == ("qwen2.5-coder-7b-instruct", True, True)
    # The call itself is not made: no request leaves this machine.
    page.route(
        "**/settings/model/test",
        lambda route: route.fulfill(json={"success": False, "seconds": 0.1, "error": "connection refused"}),
    )
    page.get_by_role("button", name="Test").click()
    expect(page.get_by_role("alert")).to_contain_text("connection refused")
    page.get_by_label("Remove the stored key").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Stored encrypted")).to_be_visible()
    page.get_by_role("button", name="Forget").click()
    page.get_by_role("button", name="Forget them").click()
    expect(page.get_by_text("No model", exact=True)).to_be_visible()


def test_webhooks_and_jobs(page: Page, site: Site, receiver: str) -> None:
    form = {"instruction": "Import into contacts, key is email", "callback_url": receiver}
    with site.client(site.people.owner) as client:
        _Receiver.status = 500
        client.post("/api/v1/smart-import", data=form, files={"file": ("contacts.csv", CONTACTS)})
        for _ in range(300):
            found = client.get("/api/v1/webhooks/deliveries").json()["deliveries"]
            if found and found[0]["attempts"]:
                break
            time.sleep(0.1)
        secret = client.get("/api/v1/webhooks/secret").json()["secret"]
    page.goto(f"{site.url}/ui/keys?tab=webhooks")
    assert secret not in page.content()
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("pre")).to_have_text(secret)
    page.get_by_role("button", name="Attempts to").click()
    expect(page.locator(".attempts")).to_contain_text("500")
    shot(page, "webhooks")
    page.get_by_role("button", name="Rotate").click()
    page.get_by_role("button", name="Rotate it").click()
    expect(page.locator("pre")).not_to_have_text(secret)
    # The next attempt waits as a job; an operator sees it and can call it off.
    page.goto(f"{site.url}/ui/admin?tab=jobs")
    job = page.get_by_role("row").filter(has_text="Webhook")
    expect(job).to_contain_text("waiting")
    shot(page, "admin-jobs")
    job.get_by_role("button", name="Cancel job").click()
    page.get_by_role("button", name="Cancel it").click()
    expect(job).to_contain_text("cancelled")
    page.get_by_role("button", name="Failed", exact=True).click()
    expect(page.get_by_role("heading", name="No failed jobs")).to_be_visible()
    _Receiver.status = 200
    page.get_by_role("tab", name="Webhooks").click()
    page.get_by_role("button", name="Send again").click()
    expect(page.get_by_role("row").filter(has_text=receiver)).to_contain_text("delivered")


def test_administration(page: Page, site: Site, watched: Watched) -> None:
    watched.expected = ["400 (Bad Request)"]
    page.goto(f"{site.url}/ui/admin")
    expect(page.get_by_role("row").filter(has_text="owner")).to_contain_text("You")
    page.get_by_role("button", name="New user").click()
    page.get_by_role("textbox", name="Name").fill("owner")
    page.get_by_role("button", name="Create user").click()
    expect(page.get_by_role("alert")).to_contain_text("taken")
    page.get_by_role("textbox", name="Name").fill("carol")
    page.get_by_label("Role", exact=True).select_option("admin")
    page.get_by_role("button", name="Create user").click()
    page.get_by_role("dialog", name="New key").get_by_label("Name").fill("first")
    page.get_by_role("button", name="Create key").click()
    key = page.get_by_role("dialog", name="Copy your new key").locator("pre").inner_text()
    page.get_by_role("button", name="I have kept it").click()
    with site.client(key) as client:
        assert client.get("/api/v1/me").json()["user"]["role"] == "admin"
    page.get_by_label("Role of carol").select_option("member")
    expect(page.get_by_text("carol is member now")).to_be_visible()
    shot(page, "admin-users")
    shot(page, "admin-users-dark", dark=True)
    shot(page, "admin-users-phone", phone=True)
    # The last operator keeps the role, and the list shows what is so.
    page.get_by_label("Role of owner").select_option("member")
    page.get_by_role("button", name="Change it").click()
    expect(page.get_by_text("last operator")).to_be_visible()
    expect(page.get_by_label("Role of owner")).to_have_value("operator")
    page.get_by_role("searchbox").fill("caro")
    expect(page.get_by_role("row")).to_have_count(2)
    page.get_by_role("button", name="Disable carol").click()
    page.get_by_role("button", name="End them").click()
    expect(page.get_by_text("1 key of carol ended")).to_be_visible()
    with site.client(key) as client:
        assert client.get("/api/v1/me").status_code == 401

    page.get_by_role("tab", name="Keys").click()
    page.get_by_role("button", name="New key").click()
    page.get_by_label("User").select_option("carol")
    page.get_by_role("textbox", name="Name").fill("second")
    page.get_by_role("button", name="Create key").click()
    page.get_by_role("button", name="I have kept it").click()
    page.get_by_role("button", name="Revoke second of carol").click()
    page.get_by_role("button", name="Revoke it").click()
    expect(page.get_by_text("The key was revoked")).to_be_visible()
    page.get_by_label("Also revoked").check()
    expect(page.get_by_role("row").filter(has_text="second")).to_contain_text("revoked")
    shot(page, "admin-keys")


def test_tags_organizations_and_the_audit_log(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/ui/admin?tab=tags")
    page.get_by_role("button", name="New tag").click()
    page.get_by_role("textbox", name="Name").fill("gold")
    page.get_by_label("Description").fill("For customers with the gold plan")
    page.get_by_role("textbox", name="Secret").fill("open sesame")
    page.get_by_role("button", name="Create tag").click()
    expect(page.get_by_role("row").filter(has_text="gold")).to_contain_text("needs a secret")
    with site.client(site.people.stranger) as client:
        refused = client.post("/api/tags/acquire/", json={"tag_name": "gold", "secret": "x"})
        assert refused.status_code == 403
        assert client.post("/api/tags/acquire/", json={"tag_name": "gold", "secret": "open sesame"}).status_code == 200
    shot(page, "admin-tags")
    expect(page.get_by_role("button", name="Delete public")).to_have_count(0)
    page.reload()
    page.get_by_role("button", name="Delete gold").click()
    page.get_by_label("Type gold to confirm").fill("gold")
    page.get_by_role("button", name="Delete it").click()
    expect(page.get_by_role("row").filter(has_text="gold")).to_have_count(0)

    page.get_by_role("tab", name="Organizations").click()
    shot(page, "admin-organizations")
    page.get_by_role("link", name="Users of other").click()
    expect(page.get_by_role("row").filter(has_text="stranger")).to_be_visible()
    expect(page.get_by_label("Organization")).to_have_value("other")
    page.get_by_role("tab", name="Audit log").click()
    page.get_by_role("button", name="Changes").click()
    page.get_by_label("User").fill("owner")
    expect(page.get_by_role("cell", name="POST /api/v1/admin/tags").first).to_be_visible()
    shot(page, "admin-audit")


def test_members_and_admins(visitor: Page, site: Site, watched: Watched) -> None:
    watched.expected = ["401", "403"]
    sign_in(visitor, site, site.people.holder, "/ui/admin")
    expect(visitor.get_by_role("heading", name="For administrators only")).to_be_visible()
    shot(visitor, "admin-refused")
    expect(visitor.get_by_role("navigation", name="Main").get_by_role("link", name="Administration")).to_have_count(0)
    with site.client(site.people.owner) as client:
        users = client.get("/api/v1/admin/users").json()["users"]
        holder = next(user["id"] for user in users if user["name"] == "holder")
        client.patch(f"/api/v1/admin/users/{holder}", json={"role": "admin"})
    visitor.reload()
    # An admin manages the organization, but neither operators, nor tags, nor other organizations.
    expect(visitor.get_by_label("Role of owner")).to_be_disabled()
    expect(visitor.get_by_label("Role of holder").get_by_role("option", name="Operator")).to_have_count(0)
    expect(visitor.get_by_role("tab", name="Organizations")).to_have_count(0)
    visitor.get_by_role("tab", name="Tags").click()
    expect(visitor.get_by_role("cell", name="premium")).to_be_visible()
    expect(visitor.get_by_role("button", name="New tag")).to_have_count(0)
    expect(visitor.get_by_role("button", name="Delete premium")).to_have_count(0)
    visitor.get_by_role("tab", name="Tags").press("ArrowRight")
    expect(visitor.get_by_role("tab", name="Jobs")).to_be_focused()
    # A member again for the tests behind.
    with site.client(site.people.owner) as client:
        client.patch(f"/api/v1/admin/users/{holder}", json={"role": "member"})


def test_members_see_what_administrators_set(visitor: Page, site: Site, watched: Watched) -> None:
    """A member is told who answers, changes neither model nor webhook secret, and may sign out of all browsers."""
    watched.expected = ["401 (Unauthorized)"]
    sign_in(visitor, site, site.people.holder, "/ui/keys?tab=model")
    expect(visitor.get_by_text("Only administrators of your organization change the model")).to_be_visible()
    expect(visitor.get_by_role("button", name="Save")).to_have_count(0)
    visitor.goto(f"{site.url}/ui/keys?tab=webhooks")
    expect(visitor.get_by_text("Only administrators of your organization see and rotate it")).to_be_visible()
    expect(visitor.get_by_role("button", name="Rotate")).to_have_count(0)
    with site.client(site.people.holder) as client:
        dataset = client.post("/api/datasets/", json={"name": "salaries"}).json()["id"]
    visitor.goto(f"{site.url}/ui/datasets/{dataset}?tab=share")
    visitor.get_by_label("Models that may be sent values of cells").select_option("organization")
    expect(visitor.get_by_text("Saved")).to_be_visible()
    with site.client(site.people.holder) as client:
        assert client.get(f"/api/datasets/{dataset}/samples/").json()["samples"] == "organization"
    copied = {"Cookie": "; ".join(f"{one['name']}={one['value']}" for one in visitor.context.cookies())}
    with site.client("") as client:
        client.headers.pop("X-API-Key")
        assert client.get("/api/v1/me", headers=copied).status_code == 200
        visitor.goto(f"{site.url}/ui/keys")
        visitor.get_by_role("button", name="Sign out everywhere").click()
        visitor.get_by_role("dialog").get_by_role("button", name="Sign out", exact=True).click()
        expect(visitor.get_by_label("API key")).to_be_visible()
        assert client.get("/api/v1/me", headers=copied).status_code == 401
