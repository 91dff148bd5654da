"""Every page, from the file system, in each theme and width; and that the checks can find a fault."""

import pytest
from selenium.webdriver.common.by import By

from tests.site.browser import NARROW, PAGES
from tests.site.checks import (
    CONTRAST,
    VISITS,
    axe_finds_nothing,
    it_does_not_scroll_sideways,
    no_other_host_is_asked_and_the_console_is_silent,
)


@pytest.mark.parametrize("width", VISITS)
@pytest.mark.parametrize("page", PAGES)
def test_page(browser, subtests, page, width):
    """One load a width, and then every check of it, theme by theme; a reader chose the first."""
    visit = VISITS[width]
    browser.resize(width)
    browser.theme(visit[0][0])
    browser.open(page)
    assert browser.js("return document.documentElement.dataset.theme") == visit[0][0]
    for theme, checks in visit:
        browser.switch(theme)
        for check in checks:
            with subtests.test(check.__name__, width=width, theme=theme):
                check(browser)


@pytest.mark.parametrize("page", ["search", "genindex"])
def test_page_of_the_builder(browser, page):
    browser.resize(NARROW)
    browser.open(page)
    no_other_host_is_asked_and_the_console_is_silent(browser)
    it_does_not_scroll_sideways(browser)
    axe_finds_nothing(browser)


def test_formulas_are_there_at_all(browser):
    browser.open("book/start/notation")
    assert len(browser.driver.find_elements(By.CSS_SELECTOR, "mjx-container")) > 50


def test_a_request_to_another_host_would_be_seen(browser):
    browser.open("book/start/index")
    browser.js("new Image().src = 'https://elsewhere.invalid/x.png'")
    browser.js("console.error('trouble')")
    requested, said = [], []
    while not (requested and said):
        more, words = browser.log()
        requested += [url for url in more if "elsewhere.invalid" in url]
        said += [message for message in words if "trouble" in message]


def test_weak_text_would_be_seen(browser):
    browser.theme("light")
    browser.open("book/start/index")
    weak, strong = "color: #999; background: #fff", "color: #fff; background: #000"
    text = f'<p style="{weak}">weak</p><p style="{strong}">strong</p>'
    browser.js("document.querySelector('.bd-article').insertAdjacentHTML('afterbegin', arguments[0])", text)
    found = " ".join(browser.js(CONTRAST)["found"])
    assert "weak" in found
    assert "strong" not in found
