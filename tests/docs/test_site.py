"""The documentation builds without a warning, its notebook runs, and its pages ask no other host for anything."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from atlas.settings import Settings

ROOT = Path(__file__).parents[2]
# What a browser fetches by itself: (tag, attribute). A link that somebody may click is none.
FETCHED = {
    ("script", "src"),
    ("img", "src"),
    ("img", "srcset"),
    ("iframe", "src"),
    ("source", "src"),
    ("video", "src"),
    ("audio", "src"),
    ("embed", "src"),
    ("object", "data"),
    ("link", "href"),
    ("use", "href"),
    ("form", "action"),
}
CSS_URL = re.compile(r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)")


class Page(HTMLParser):
    """What a page fetches, links to, and names."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.links: list[str] = []
        self.names: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value is None:
                continue
            if name in ("id", "name"):
                self.names.add(value)
            if (tag, name) in FETCHED:
                self.fetched.append(value)
            if (tag, name) == ("a", "href"):
                self.links.append(value)
            if name == "style":
                self.fetched += [first or second for first, second in CSS_URL.findall(value)]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "--nitpicky", "--quiet", "--conf-dir", "docs"]
    command += ["--doctree-dir", str(folder / "doctrees"), ".", str(folder / "html")]
    built = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "MPLCONFIGDIR": str(folder)}, capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return folder / "html"


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}


def test_links_and_anchors_lead_somewhere(site: Path, pages: dict[Path, Page]) -> None:
    assert len(pages) > 20
    broken = []
    for path, page in pages.items():
        for link in [*page.links, *page.fetched]:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            named = pages[target].names if target in pages else set()
            if not target.exists() or (parts.fragment and unquote(parts.fragment) not in named):
                broken.append(f"{path.relative_to(site)}: {link}")
    assert not broken


def test_no_page_asks_another_host(site: Path, pages: dict[Path, Page]) -> None:
    asked = {url for page in pages.values() for url in page.fetched if urlsplit(url).netloc}
    for sheet in site.rglob("*.css"):
        for first, second in CSS_URL.findall(sheet.read_text(encoding="utf-8")):
            if urlsplit(first or second).netloc:
                asked.add(first or second)
    assert not asked


def test_notebook_shows_what_it_did(site: Path) -> None:
    text = (site / "docs" / "notebooks" / "tour.html").read_text(encoding="utf-8")
    assert "Inserted(rows=672, batches=1" in text
    assert "1,560.50 for Texas" in text
    assert re.search(r'<img[^>]+src="[^"]+\.png"', text)
    assert "Traceback" not in text


def test_reference_is_written_from_the_code(site: Path) -> None:
    reference = site / "docs" / "reference"
    http = (reference / "http.html").read_text(encoding="utf-8")
    assert http.count("<h3>") > 60
    settings = (reference / "settings.html").read_text(encoding="utf-8")
    assert all(f"ATLAS_{name.upper()}" in settings for name in Settings.model_fields)
    assert "atlas admin backup" in (reference / "commands.html").read_text(encoding="utf-8")
    assert "atlas.client.Client" in (reference / "python.html").read_text(encoding="utf-8")
