"""A link to an equation, a term or a citation shows what it leads to: by mouse, keys and touch, offline."""

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.site.browser import NARROW

PAGE = "book/diffusion/guidance"
LINKS = {
    "equation": "a[href*='score_and_sde.html#equation-eq-tweedie']",
    "term": "a[href*='#term-guidance-scale']",
    "citation": "a[href*='bibliography.html#']",
}
SHOWN = "return document.getElementById('preview')?.checkVisibility({visibilityProperty: true})"
HEIGHT = "return document.documentElement.scrollHeight"


def link(browser, kind: str):
    found = browser.driver.find_element(By.CSS_SELECTOR, f".bd-article {LINKS[kind]}")
    browser.js("arguments[0].scrollIntoView({block: 'center'})", found)
    return found


def text(browser) -> str:
    return browser.js("return document.getElementById('preview').textContent")


@pytest.mark.parametrize("kind", LINKS)
def test_pointing_shows_and_nothing_moves(browser, kind):
    browser.open(PAGE)
    target = link(browser, kind)
    before = browser.js(HEIGHT)
    ActionChains(browser.driver).move_to_element(target).perform()
    browser.wait(SHOWN)
    assert len(text(browser)) > 10
    assert browser.js(
        "const has = (query) => document.querySelector(`#preview ${query}`) !== null;"
        "return !has('.math') || has('mjx-container')"
    )
    assert browser.js(HEIGHT) == before
    requested, said = browser.log()
    assert [url for url in requested if not url.startswith(("file:", "data:", "blob:"))] == []
    assert said == []


def test_it_says_what_stands_at_the_other_end(browser):
    browser.open(PAGE)
    ActionChains(browser.driver).move_to_element(link(browser, "equation")).perform()
    browser.wait(SHOWN)
    assert "Scores and stochastic equations" in text(browser)
    ActionChains(browser.driver).move_to_element(link(browser, "term")).perform()
    browser.wait("return document.querySelector('#preview .preview-title')?.textContent === 'guidance scale'")


def test_focus_shows_and_escape_closes(browser):
    browser.open(PAGE)
    target = link(browser, "term")
    browser.js("arguments[0].focus({focusVisible: true})", target)
    browser.wait(SHOWN)
    assert target.get_attribute("aria-describedby") == "preview"
    target.send_keys(Keys.ESCAPE)
    assert not browser.js(SHOWN)
    assert target.get_attribute("aria-describedby") is None


def test_the_first_tap_shows_and_the_second_goes(browser):
    browser.resize(NARROW)
    browser.command("Emulation.setTouchEmulationEnabled", enabled=True)
    browser.open(PAGE)
    target = link(browser, "term")

    def tap():
        box = browser.js(
            "const b = arguments[0].getClientRects()[0]; return [b.x + b.width / 2, b.y + b.height / 2]",
            target,
        )
        points = [{"x": box[0], "y": box[1]}]
        browser.command("Input.dispatchTouchEvent", type="touchStart", touchPoints=points)
        browser.command("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    tap()
    browser.wait(SHOWN)
    assert "tap again" in text(browser)
    tap()
    browser.wait("return location.pathname.endsWith('glossary.html')")
