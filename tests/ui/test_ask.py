"""Asking: answers, SQL, charts, exports, ratings, conversations, verified questions and the glossary."""

from __future__ import annotations

import csv
import io
import random
import re
from datetime import date, timedelta

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.ui.conftest import Site, Watched, shot, sign_in

STATES = ["California", "Texas", "New York", "Florida", "Washington", "Oregon", "Colorado"]
STATUSES = ["new", "contacted", "won", "lost"]
NAMES = ["Acme", "Globex", "Initech", "Umbrella", "Hooli", "Stark", "Wayne", "Tyrell", "Cyberdyne", "Soylent"]


@pytest.fixture(scope="module", autouse=True)
def leads(site: Site) -> None:
    """Leads of a sales team, and a dataset of prices."""
    noise = random.Random(7)
    lines = ["company,email,state,status,deal_value,added_on"]
    for n in range(400):
        state = STATES[min(int(abs(noise.gauss(0, 2.4))), len(STATES) - 1)]
        company = f"{noise.choice(NAMES)} {noise.choice(['Ltd', 'Inc', 'Group', 'Labs'])} {n}"
        added = date(2026, 1, 1) + timedelta(days=noise.randrange(180))
        value = noise.lognormvariate(8.5, 0.6)
        status = noise.choice(STATUSES)
        lines.append(f"{company},buyer{n}@example.com,{state},{status},{value:.2f},{added}")
    with site.client(site.people.owner) as client:
        form = {"instruction": "Import into leads, the email is the key"}
        done = client.post("/api/v1/smart-import", data=form, files={"file": ("leads.csv", "\n".join(lines).encode())})
        assert done.json()["status"] == "success", done.text
        made = client.post("/api/datasets/", json={"name": "Temperature Zurich"}).json()["id"]
        rows = "\n".join(
            ["timestamp,celsius", *(f"2026-03-{d:02d}T12:00:00Z,{8 + noise.gauss(0, 3):.1f}" for d in range(1, 29))]
        )
        client.post(f"/api/rows/bulk_insert/?dataset={made}", content=rows, headers={"Content-Type": "text/csv"})


def ask(page: Page, text: str) -> Locator:
    """Asks as a person would, and gives the turn."""
    page.get_by_label("Your question").fill(text)
    page.keyboard.press("Enter")
    turn = page.get_by_role("article", name=text, exact=True).last
    expect(turn.locator(".turn-answer")).to_have_attribute("aria-busy", "false")
    return turn


def test_a_conversation(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/ui/ask")
    expect(page.get_by_role("button", name="How many leads are there?", exact=True)).to_be_visible()
    shot(page, "ask-empty")
    for text in (
        "What is the average celsius in temperature zurich?",
        "What is the highest celsius in temperature zurich?",
    ):
        expect(page.get_by_role("button", name=text)).to_be_visible()
        with site.client(site.people.owner) as client:
            assert client.post("/api/v1/generate-sql", json={"prompt": text}).json()["success"]
    page.get_by_role("button", name="How many leads are there?", exact=True).click()
    turn = page.get_by_role("article", name="How many leads are there?")
    expect(turn.locator(".big-figure")).to_contain_text("400")
    expect(page.get_by_label("Your question")).to_be_focused()
    turn = ask(page, "How many leads are there per state?")
    expect(turn.get_by_role("img", name="Chart of")).to_be_visible()
    expect(turn.get_by_role("textbox", name="SQL")).to_contain_text("SELECT")
    shot(page, "ask-chart")
    shot(page, "ask-chart-dark", dark=True)
    shot(page, "ask-chart-phone", phone=True)
    turn.get_by_role("button", name="Line").click()
    turn.get_by_role("button", name="Pie").click()
    shot(page, "ask-pie")
    with page.expect_download() as waiting:
        turn.get_by_role("button", name="PNG").click()
    assert waiting.value.path().read_bytes().startswith(b"\x89PNG")
    assert waiting.value.suggested_filename == "how-many-leads-are-there-per-state.png"
    with page.expect_download() as waiting:
        turn.get_by_role("button", name="CSV").click()
    found = list(csv.reader(io.StringIO(waiting.value.path().read_text())))
    assert sum(int(row[1]) for row in found[1:]) == 400
    turn.get_by_role("button", name="Table", exact=True).click()
    expect(turn.get_by_role("gridcell", name="California")).to_be_visible()
    assert "ag-right-aligned-cell" in (turn.get_by_role("gridcell").nth(1).get_attribute("class") or "")
    # A question that follows on, in the same thread; Shift+Enter is a new line.
    thread = page.url.split("thread=")[1]
    follow = ask(page, "Only those we won")
    assert page.url.endswith(thread)
    expect(follow.get_by_role("textbox", name="SQL")).to_contain_text("won")
    # It is listed; a new conversation starts empty, and the old one comes back with its rows.
    past = page.get_by_role("complementary", name="Past conversations")
    expect(past.get_by_role("button", name="3 questions")).to_be_visible()
    past.get_by_role("button", name="New").click()
    expect(page.get_by_role("article")).to_have_count(0)
    past.get_by_role("button", name="3 questions").click()
    expect(page.get_by_role("article")).to_have_count(3)
    expect(page.get_by_role("article").last.get_by_role("region", name="Result")).to_be_visible()
    page.get_by_role("article").first.get_by_role("button", name="Show the rows").click()
    expect(page.get_by_role("article").first.locator(".big-figure")).to_contain_text("400")
    page.reload()
    expect(page.get_by_role("article")).to_have_count(3)
    shot(page, "ask-past")
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_what_is_not_understood(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/ui/ask?table=leads")
    expect(page.get_by_label("About")).to_have_value("leads")
    turn = ask(page, "Which wombats frobnicate the leads?")
    expect(turn.get_by_text("Not understood:")).to_be_visible()
    expect(turn.get_by_text("wombats", exact=True)).to_be_visible()
    shot(page, "ask-unclear")
    turn.get_by_role("button", name="How many leads are there?").click()
    expect(page.get_by_role("article", name="How many leads are there?").locator(".big-figure")).to_contain_text("400")


def write(page: Page, editor: Locator, text: str) -> None:
    """Replaces an editor's text as people do. `fill` selects behind its back, which its focus may undo."""
    expect(editor).to_have_class(re.compile("cm-content"))
    editor.click()
    editor.press("ControlOrMeta+a")
    page.keyboard.insert_text(text)
    expect(editor).to_have_text(text)


def test_sql_and_rating(page: Page, site: Site, watched: Watched) -> None:
    watched.expected = ["400 (Bad Request)"]
    page.goto(f"{site.url}/ui/ask")
    turn = ask(page, "What is the average deal value by status?")
    editor = turn.get_by_role("textbox", name="SQL")
    write(page, editor, "SELECT nothing FROM leads")
    turn.get_by_role("button", name="Run SQL").click()
    expect(turn.get_by_role("alert")).to_contain_text("nothing")
    shot(page, "ask-sql-error")
    shot(page, "ask-sql-error-dark", dark=True)
    sql = "SELECT status, round(avg(deal_value)) AS average FROM leads GROUP BY status ORDER BY average DESC"
    write(page, editor, sql)
    expect(turn.get_by_role("button", name="Run SQL")).to_be_enabled()
    editor.press("Control+Enter")
    expect(turn.get_by_role("alert")).to_have_count(0)
    expect(turn.get_by_role("region", name="Result").get_by_text("4 rows")).to_be_visible()
    turn.get_by_role("button", name="My SQL is right").click()
    turn.get_by_role("button", name="Verify it now").click()
    expect(turn.get_by_text("Verified", exact=True)).to_be_visible()
    with site.client(site.people.owner) as client:
        kept = client.get("/api/v1/verified-questions?status=verified").json()["verified_questions"]
    assert kept[0]["question"] == "What is the average deal value by status?"
    assert "ROUND(AVG" in kept[0]["sql"]
    again = ask(page, "What is the average deal value by status?")
    expect(again.get_by_text("Verified question", exact=True)).to_be_visible()
    # An answer that is wrong, with the right SQL typed into the form.
    turn = ask(page, "How many leads are there per status?")
    turn.get_by_role("button", name="The answer is right").click()
    expect(turn.get_by_role("button", name="The answer is right")).to_have_attribute("aria-pressed", "true")
    turn.get_by_role("button", name="The answer is wrong").click()
    turn.get_by_label("What is wrong with it?").fill("Lost ones should not count")
    sql = "SELECT status, count(*) FROM leads WHERE status <> 'lost' GROUP BY status"
    write(page, turn.get_by_role("textbox", name="The right SQL"), sql)
    shot(page, "ask-rate")
    turn.get_by_role("button", name="Send").click()
    expect(turn.get_by_role("button", name="The answer is wrong")).to_have_attribute("aria-pressed", "true")
    with site.client(site.people.owner) as client:
        asked = client.get("/api/v1/questions?limit=1").json()["questions"][0]
    assert (asked["rating"], asked["rating_comment"], asked["corrected_sql"]) == (
        "down",
        "Lost ones should not count",
        sql,
    )


def test_cancel_and_failures(page: Page, site: Site, watched: Watched) -> None:
    watched.expected = ["503"]
    page.goto(f"{site.url}/ui/ask")
    page.route("**/api/v1/query", lambda route: None)
    page.get_by_label("Your question").fill("How many leads are there per state?")
    page.get_by_role("button", name="Ask", exact=True).click()
    turn = page.get_by_role("article")
    expect(turn.get_by_text("Reading your question")).to_be_visible()
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_disabled()
    turn.get_by_role("button", name="Cancel").click()
    expect(turn.get_by_text("You cancelled this question.")).to_be_visible()
    page.unroute("**/api/v1/query")
    page.route("**/api/v1/query", lambda route: route.fulfill(status=503, json={"detail": "The query took too long"}))
    turn = ask(page, "How many leads are there per status?")
    expect(turn.get_by_role("alert")).to_contain_text("took too long")
    # What was typed is not lost.
    expect(page.get_by_label("Your question")).to_have_value("How many leads are there per status?")
    page.unroute("**/api/v1/query")
    turn.get_by_role("button", name="Ask again").click()
    expect(page.get_by_role("article").last.get_by_role("region", name="Result")).to_be_visible()


def test_verified_questions_and_glossary(page: Page, site: Site, watched: Watched) -> None:
    watched.expected = ["400 (Bad Request)"]
    page.goto(f"{site.url}/ui/ask?tab=verified")
    page.get_by_role("button", name="Add a question").click()
    page.get_by_label("Question", exact=True).fill("What is our win rate?")
    editor = page.get_by_role("textbox", name="SQL that answers it")
    editor.fill("SELECT wrong FROM leads")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("wrong")
    expect(page.get_by_label("Question", exact=True)).to_have_value("What is our win rate?")
    editor.fill("SELECT avg(CASE WHEN status = 'won' THEN 1.0 ELSE 0 END) AS win_rate FROM leads")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("row", name="What is our win rate?")).to_be_visible()
    with site.client(site.people.owner) as client:
        body = {"question": "Leads of Texas", "sql": "SELECT * FROM leads WHERE state = 'Texas'", "status": "suggested"}
        client.post("/api/v1/verified-questions", json=body)
    page.get_by_role("button", name="Suggested").click()
    page.get_by_role("button", name="Accept Leads of Texas").click()
    expect(page.get_by_text("From now on this question gets that answer")).to_be_visible()
    page.get_by_role("button", name="All", exact=True).click()
    shot(page, "ask-verified")
    page.get_by_role("button", name="Edit Leads of Texas").click()
    page.get_by_label("Question", exact=True).fill("Leads from Texas")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Delete Leads from Texas").click()
    page.get_by_role("button", name="Delete it").click()
    expect(page.get_by_role("row", name="Leads from Texas")).to_have_count(0)

    page.get_by_role("tab", name="Glossary").click()
    page.get_by_role("button", name="Add a term").click()
    page.get_by_label("Term", exact=True).fill("open")
    page.get_by_label("Table", exact=True).select_option("leads")
    page.get_by_label("Meaning").fill("status in ('new', ")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Meaning").fill("status in ('new', 'contacted')")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("cell", name="status in ('new', 'contacted')")).to_be_visible()
    page.get_by_role("button", name="Edit open").click()
    page.get_by_label("Meaning").fill("status = 'new'")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("cell", name="status = 'new'")).to_be_visible()
    shot(page, "ask-glossary")
    page.get_by_role("tab", name="Conversation").click()
    turn = ask(page, "How many open leads are there?")
    expect(turn.get_by_role("textbox", name="SQL")).to_contain_text("status = 'new'")


def test_others_see_only_their_own(visitor: Page, site: Site, watched: Watched) -> None:
    watched.expected = ["401"]
    sign_in(visitor, site, site.people.stranger, "/ui/ask")
    expect(visitor.get_by_text("There are no tables or datasets yet")).to_be_visible()
    expect(visitor.get_by_text("What you ask appears here")).to_be_visible()
    visitor.get_by_role("tab", name="Glossary").click()
    expect(visitor.get_by_role("heading", name="No terms yet")).to_be_visible()
    visitor.get_by_role("tab", name="Verified questions").click()
    expect(visitor.get_by_role("heading", name="No verified questions yet")).to_be_visible()
