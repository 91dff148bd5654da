"""What the tests ask of a browser: open a page, look at it, say what it requested and complained of."""

import json
from pathlib import Path
from typing import Any

from gdmbook.chapters import ROOT, chapters, pages
from selenium import webdriver
from selenium.webdriver.support.ui import WebDriverWait

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PAGES = [page.name for page in pages(ROOT)]
CHAPTERS = [page.name for page in chapters(ROOT)]
WIDE, NARROW = 1280, 360
STILL = "<style>* { animation: none !important; transition: none !important; }</style>"
PATIENCE = 600  # seconds that no machine takes: what runs into them hangs

# Calls back once the page's formulas are drawn; a page without formulas has no MathJax.
DRAWN = """
const done = arguments[0];
const look = () => {
  if (!document.querySelector("script[src*=mathjax]")) done();
  else if (window.MathJax?.startup?.promise) MathJax.startup.promise.then(done);
  else setTimeout(look, 50);
};
look();
"""


class Browser:
    """A page of the book, opened from the file system."""

    def __init__(self, driver: webdriver.Chrome, site: Path) -> None:
        self.driver, self.site, self.page = driver, site, ""
        driver.set_script_timeout(PATIENCE)
        driver.set_page_load_timeout(PATIENCE)

    def command(self, name: str, **arguments: Any) -> Any:
        """Send a command of the browser's own protocol."""
        return self.driver.execute_cdp_cmd(name, arguments)

    def reset(self) -> None:
        """Forget the theme, the size, the emulation, and what was logged."""
        self.command("Emulation.setScriptExecutionDisabled", value=False)
        self.command("Emulation.setEmulatedMedia", media="", features=[])
        self.command("Emulation.setTouchEmulationEnabled", enabled=False)
        self.resize(WIDE)
        self.driver.get((self.site / "_static/favicon.svg").as_uri())
        self.js("localStorage.clear()")
        self.log()

    def resize(self, width: int) -> None:
        """Set the width of the page."""
        self.command(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=width < 600,
        )

    def theme(self, name: str) -> None:
        """Have the next page open in `light` or `dark`."""
        self.js(
            "localStorage.setItem('mode', arguments[0]); localStorage.setItem('theme', arguments[0])", name
        )

    def switch(self, theme: str) -> None:
        """Give the page that is open another theme, as its button does."""
        self.js("document.documentElement.dataset.theme = arguments[0]", theme)

    def open(self, page: str, query: str = "") -> None:
        """Open a page and wait until its formulas are drawn; nothing on it fades in."""
        self.page = page
        self.driver.get((self.site / f"{page}.html").as_uri() + query)
        self.driver.execute_async_script(DRAWN)
        self.js("document.head.insertAdjacentHTML('beforeend', arguments[0])", STILL)

    def wait(self, script: str) -> Any:
        """Return what `script` returns once it is true."""
        return WebDriverWait(self.driver, PATIENCE).until(lambda driver: driver.execute_script(script))

    def js(self, script: str, *arguments: Any) -> Any:
        """Run a script in the page."""
        return self.driver.execute_script(script, *arguments)

    def log(self) -> tuple[list[str], list[str]]:
        """Return the addresses requested and the messages of the console since the last time."""
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        requested = [
            event["params"]["request"]["url"]
            for event in events
            if event["method"] == "Network.requestWillBeSent"
        ]
        said = [
            entry["message"]
            for entry in self.driver.get_log("browser")
            if entry["level"] in ("SEVERE", "WARNING")
        ]
        return requested, said
