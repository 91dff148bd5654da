"""Every page, from the file system: no other host, no complaint, formulas drawn, narrow screens, contrast."""

from pathlib import Path

import pytest
from selenium.webdriver.common.by import By

from tests.site.browser import NARROW, PAGES

CONTRAST = (Path(__file__).parent / "contrast.js").read_text()
ALL = [*PAGES, "search", "genindex"]


@pytest.mark.parametrize("page", ALL)
def test_page_asks_no_other_host_and_the_console_is_silent(browser, page):
    browser.open(page)
    requested, said = browser.log()
    assert requested
    assert [url for url in requested if not url.startswith(("file:", "data:", "blob:"))] == []
    assert said == []


def test_a_request_to_another_host_would_be_seen(browser):
    browser.open("book/start/index")
    browser.js("new Image().src = 'https://elsewhere.invalid/x.png'")
    browser.js("console.error('trouble')")
    browser.wait("return true")
    requested, said = browser.log()
    assert any("elsewhere.invalid" in url for url in requested)
    assert any("trouble" in message for message in said)


@pytest.mark.parametrize("page", PAGES)
def test_formulas_are_drawn(browser, page):
    browser.open(page)
    written, drawn, failed = browser.js(
        "const count = (query) => document.querySelectorAll(query).length;"
        "return [count('.math'), count('.math mjx-container'), count('mjx-merror, [data-mjx-error]')]"
    )
    assert failed == 0
    assert drawn >= written
    assert (
        browser.js(
            "return [...document.querySelectorAll('.math mjx-container')]"
            ".filter((box) => box.checkVisibility() && box.getBoundingClientRect().width < 2).length"
        )
        == 0
    )


# The formulas that are wider than the space left of their number.
TOO_WIDE = """
return [...document.querySelectorAll('.bd-article div.math')].flatMap((box) => {
  const formula = box.querySelector('mjx-math')?.getBoundingClientRect();
  const number = box.querySelector('.eqno');
  const end = (number || box).getBoundingClientRect()[number ? 'left' : 'right'];
  return formula && formula.right > end + 1 ? [`${box.id} ${box.textContent.slice(0, 60)}`] : [];
});
"""


@pytest.mark.parametrize("page", PAGES)
def test_no_formula_of_a_wide_page_is_cut_off(browser, page):
    browser.open(page)
    assert browser.js(TOO_WIDE) == []


@pytest.mark.parametrize("page", PAGES)
def test_punctuation_stays_with_its_formula(browser, page):
    browser.resize(NARROW)
    browser.open(page)
    alone = browser.js(
        "return [...document.querySelectorAll('.bd-article span.math')].filter((formula) =>"
        " /^[.,;:!?)]/.test(formula.nextSibling?.data || '') && !formula.closest('.together'))"
        ".map((formula) => formula.parentElement.textContent.slice(0, 60))"
    )
    assert alone == []


def test_formulas_are_there_at_all(browser):
    browser.open("book/start/notation")
    assert len(browser.driver.find_elements(By.CSS_SELECTOR, "mjx-container")) > 50


@pytest.mark.parametrize("page", ALL)
def test_narrow_page_does_not_scroll_sideways(browser, page):
    browser.resize(NARROW)
    browser.open(page)
    browser.js("document.querySelectorAll('details').forEach((box) => { box.open = true; })")
    assert browser.js("return document.documentElement.scrollWidth") <= NARROW


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("page", PAGES)
def test_text_stands_out_from_its_background(browser, page, theme):
    browser.theme(theme)
    browser.open(page)
    assert browser.js("return document.documentElement.dataset.theme") == theme
    browser.js("document.querySelectorAll('details').forEach((box) => { box.open = true; })")
    weak = browser.js(CONTRAST)
    assert weak["looked"] > 20
    assert weak["found"] == []


def test_weak_text_would_be_seen(browser):
    browser.theme("light")
    browser.open("book/start/index")
    weak, strong = "color: #999; background: #fff", "color: #fff; background: #000"
    text = f'<p style="{weak}">weak</p><p style="{strong}">strong</p>'
    browser.js("document.querySelector('.bd-article').insertAdjacentHTML('afterbegin', arguments[0])", text)
    found = " ".join(browser.js(CONTRAST)["found"])
    assert "weak" in found
    assert "strong" not in found
