"""A browser without a window, for what only a browser can do: print a page as it looks."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from selenium import webdriver
from selenium.webdriver.chrome.service import Service


class NoBrowser(Exception):
    """There is none on this machine; the message says how to get one."""


@contextmanager
def chromium() -> Iterator[webdriver.Chrome]:
    """A fresh Chromium with a profile of its own; raises NoBrowser where there is none."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if not program or not driver:
        raise NoBrowser(
            "There is no browser: `apt-get install chromium chromium-driver` gives one on Debian."
        )
    options = webdriver.ChromeOptions()
    options.binary_location = program
    with tempfile.TemporaryDirectory() as profile:
        for flag in ("--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}"):
            options.add_argument(flag)
        chrome = webdriver.Chrome(options=options, service=Service(driver))
        chrome.set_script_timeout(300)
        try:
            yield chrome
        finally:
            chrome.quit()
