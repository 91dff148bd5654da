"""How long the ledger, the page with the most claims and tests, loads from the file system."""

import sys
from pathlib import Path

from benchmarks.row import row

ROOT = Path(__file__).parents[1]
SECONDS = 2.0
LOADED = "return performance.getEntriesByType('navigation')[0].loadEventEnd / 1000"


def rows() -> list[dict[str, str | float]]:
    """One row: the best of five loads of the built page; the peer is its budget."""
    sys.path.insert(0, str(ROOT / "book/_ext"))
    from gdmbook.browser import chromium

    page = ROOT / "_build/html/book/back/ledger.html"
    if not page.is_file():
        raise FileNotFoundError("the book is not built: run `make book` first")
    with chromium() as browser:
        found = []
        for _ in range(5):
            browser.get(page.as_uri())
            found.append(browser.execute_script(LOADED))
    return [row("ledger page, load from file (peer: budget)", min(found), SECONDS, "s")]
