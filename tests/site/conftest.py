"""A real browser, and the book as `make book` left it."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from gdmbook.chapters import ROOT
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from tests.site.browser import FLAGS, Browser

pytest.register_assert_rewrite("tests.site.checks", "tests.site.slider")


def _without(reason: str) -> NoReturn:
    """Skip on a reader's machine, fail in continuous integration."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def site() -> Path:
    """The folder of the rendered book."""
    folder = ROOT / "_build/html"
    if not (folder / "index.html").is_file():
        _without("the book is not built: run `make book`")
    return folder


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """One headless browser for all tests."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if not program or not driver:
        _without("there is no browser: `apt-get install chromium chromium-driver` gives one on Debian")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for flag in FLAGS:
        options.add_argument(flag)
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('profile')}")
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    chrome = webdriver.Chrome(options=options, service=Service(driver))
    yield chrome
    chrome.quit()


@pytest.fixture
def browser(chromium: webdriver.Chrome, site: Path) -> Browser:
    """The browser at its ordinary size, with nothing in its logs."""
    view = Browser(chromium, site)
    view.reset()
    return view
