"""A page begins with a picture: whole on the first screen of a usual window, before any code."""

import pytest

from tests.site.browser import CHAPTERS

FIRST = """
const pictures = [...document.querySelectorAll('.bd-article figure img')];
const box = pictures.find((image) => image.checkVisibility()).getBoundingClientRect();
const code = document.querySelector('.bd-article div.cell_input').getBoundingClientRect();
const title = document.querySelector('.bd-article h1').getBoundingClientRect();
return [box.top, box.bottom, code.top, title.bottom];
"""


@pytest.mark.parametrize("page", [name for name in CHAPTERS if name != "book/back/slips"])
def test_the_first_picture_is_on_the_first_screen(browser, page):
    browser.command(
        "Emulation.setDeviceMetricsOverride", width=1440, height=900, deviceScaleFactor=1, mobile=False
    )
    browser.open(page)
    top, bottom, code, title = browser.js(FIRST)
    assert title < top
    assert bottom <= 900
    assert bottom < code


def test_the_landing_page_says_where_to_begin(browser):
    browser.command(
        "Emulation.setDeviceMetricsOverride", width=1440, height=900, deviceScaleFactor=1, mobile=False
    )
    browser.open("book/start/index")
    seen = browser.js(
        "return [...document.querySelectorAll('.bd-article a')]"
        ".filter((link) => link.getBoundingClientRect().bottom < 900).map((link) => link.textContent)"
    )
    assert any(text.startswith("Start here") for text in seen)
    assert any(text.startswith("Read chapter 2") for text in seen)
    slider = browser.js("return document.querySelector('.frames input').getBoundingClientRect().bottom")
    assert slider < 900


def test_code_that_draws_is_folded_and_opens(browser):
    browser.open("book/diffusion/guidance")
    folded = "[...document.querySelectorAll('.bd-article details.hide')]"
    closed = browser.js(
        f"return {folded}.map((box) => [box.open, box.querySelector('pre').checkVisibility()])"
    )
    assert len(closed) >= 5
    assert all(state == [False, False] for state in closed)
    browser.js(f"{folded}[0].querySelector('summary').click()")
    assert browser.js(f"return {folded}[0].querySelector('pre').checkVisibility()")


@pytest.mark.parametrize("page", CHAPTERS)
def test_no_line_of_code_only_keeps_a_number(browser, page):
    browser.open(page)
    shown = browser.js(
        "return [...document.querySelectorAll('.bd-article div.cell_input pre')].map((box) => box.innerText)"
    )
    assert [code for code in shown if "glue(" in code or "use_style()" in code] == []
