"""What axe finds on a page."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

# Only rules on sound and on locked orientation, which no page has, need the contents of media and sheets, which take
# half of the time.
_OPTIONS = {"resultTypes": ["violations"], "preload": False}


def violations(page: Page) -> list[dict[str, Any]]:
    """Each violated rule with its elements, as axe gives them. A document gets the script once."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found: list[dict[str, Any]] = page.evaluate("options => axe.run(options).then(all => all.violations)", _OPTIONS)
    return found
