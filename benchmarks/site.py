"""The built book in a browser, from file: first paint, and bytes before it, against their budgets."""

import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from benchmarks.row import row
from benchmarks.weight import bytes_before_paint

ROOT = Path(__file__).parents[1]
SITE = ROOT / "_build/html"
REPEATS, SECONDS, MEGABYTES, LEDGER = 5, 0.5, 1.0, 2.0
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync")

# When the page was painted for the first time, and when all of it was there, formulas included.
PAINTED = """
const done = arguments[0];
new PerformanceObserver(list => {
  const first = list.getEntriesByName("first-contentful-paint")[0];
  if (first) done(first.startTime / 1000);
}).observe({ type: "paint", buffered: true });
"""
READY = """
const done = arguments[0], say = () => done(performance.now() / 1000);
const look = () => {
  if (document.readyState !== "complete") setTimeout(look, 10);
  else if (window.MathJax?.startup?.promise) MathJax.startup.promise.then(say);
  else say();
};
look();
"""


def rows() -> list[dict[str, str | float]]:
    """The slowest page and the heaviest one, of medians; and the ledger, which is by far the longest page."""
    sys.path.insert(0, str(ROOT / "book/_ext"))
    from gdmbook.chapters import pages

    files = {page.path.stem: SITE / f"{page.name}.html" for page in pages(ROOT)}
    if not all(file.is_file() for file in files.values()):
        raise FileNotFoundError("the book is not built: run `make book`")
    driver = browser()
    try:
        painted = {name: median(driver, file, PAINTED) for name, file in files.items()}
        ledger = median(driver, files["ledger"], READY)
    finally:
        driver.quit()
    slowest = max(painted, key=lambda name: painted[name])
    teaching = {name: file for name, file in files.items() if file.parent.name != "back"}
    weights = {name: bytes_before_paint(file) / 1e6 for name, file in teaching.items()}
    heaviest = max(weights, key=lambda name: weights[name])
    return [
        row(f"page {slowest}, the slowest, first paint (peer: budget)", painted[slowest], SECONDS, "s"),
        row(f"page {heaviest}, the heaviest (peer: budget)", weights[heaviest], MEGABYTES, "MB"),
        row("page ledger, complete (peer: budget)", ledger, LEDGER, "s"),
    ]


def browser() -> webdriver.Chrome:
    """Chromium without a window, with a profile of its own."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or shutil.which("google-chrome") or ""
    for flag in (*FLAGS, f"--user-data-dir={tempfile.mkdtemp()}"):
        options.add_argument(flag)
    return webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))


def median(driver: webdriver.Chrome, page: Path, script: str) -> float:
    """The median of what `script` says of the page, freshly loaded."""
    found = []
    for _ in range(REPEATS):
        driver.get("about:blank")
        driver.get(page.as_uri())
        found.append(driver.execute_async_script(script))
    return statistics.median(found)


if __name__ == "__main__":
    for measured in rows():
        print(measured)
