"""On a phone nothing of a page is lost: what is wide scrolls, by finger and by keyboard, and shows it."""

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.site.browser import NARROW, WIDE
from tests.site.checks import LOST, SETTLED


def narrow(browser, page: str) -> None:
    browser.resize(NARROW)
    browser.open(page)
    browser.js("document.querySelectorAll('details').forEach((box) => { box.open = true; })")
    browser.js(SETTLED)


def test_a_formula_that_is_cut_would_be_seen(browser):
    narrow(browser, "book/start/notation")
    browser.js("for (const box of document.querySelectorAll('mjx-container')) box.style.overflow = 'hidden'")
    assert len(browser.js(LOST)) > 10


@pytest.mark.parametrize("page", ["book/start/notation", "book/diffusion/denoising"])
def test_number_and_mark_stand_below_their_equation(browser, page):
    narrow(browser, page)
    beside = browser.js(
        "return [...document.querySelectorAll('.bd-article div.math > .eqno')].filter((number) =>"
        " number.getBoundingClientRect().top + 1 < number.parentElement.querySelector('mjx-container')"
        ".getBoundingClientRect().bottom).map((number) => number.textContent)"
    )
    assert beside == []
    assert (
        browser.js(
            "return [...document.querySelectorAll('.claim')].filter((claim) => {"
            " const mark = claim.querySelector('.ledger-mark').getBoundingClientRect();"
            " const number = claim.querySelector('.eqno').getBoundingClientRect();"
            " return mark.left < number.right || mark.bottom < number.top || mark.right > innerWidth;"
            "}).length"
        )
        == 0
    )


def test_the_keyboard_scrolls_a_wide_formula(browser):
    narrow(browser, "book/start/notation")
    box = browser.driver.find_element(By.CSS_SELECTOR, "mjx-container.scrolls")
    browser.js("arguments[0].scrollIntoView({block: 'center'}); arguments[0].focus()", box)
    for _ in range(40):
        box.send_keys(Keys.ARROW_RIGHT)
    browser.wait("return document.querySelector('mjx-container.scrolls').scrollLeft > 0")
    assert browser.js("return arguments[0].classList.contains('more-before')", box)


def test_a_formula_that_fits_again_does_not_fade(browser):
    narrow(browser, "book/likelihood/hidden_markov")
    faded = "return document.querySelectorAll('.bd-article span.math > mjx-container.more-after').length"
    assert browser.js(faded) > 0
    browser.resize(WIDE)
    browser.js(SETTLED)
    assert browser.js(faded) == 0
    assert browser.js("return document.querySelectorAll('.bd-article span.math > [tabindex]').length") == 0
