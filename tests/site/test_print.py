"""A printed page: dark on white whatever the theme, nothing scrolls, what is folded is open."""

import re

import pytest

CHAPTER = "book/diffusion/forward_process"


@pytest.fixture
def paper(browser):
    """Opens a page in the dark theme as a printer gets it."""

    def lay(page: str) -> None:
        browser.theme("dark")
        browser.open(page)
        assert browser.js("return document.documentElement.dataset.theme") == "dark"
        browser.command("Emulation.setEmulatedMedia", media="print", features=[])
        browser.js("window.dispatchEvent(new Event('beforeprint'))")

    return lay


def test_nothing_that_is_printed_scrolls(browser, paper):
    paper(CHAPTER)
    scrolling = browser.js(
        "return [...document.querySelectorAll('.bd-article *')].filter((box) => box.checkVisibility()"
        " && /auto|scroll/.test(getComputedStyle(box).overflowX) && box.scrollWidth > box.clientWidth + 1)"
        ".map((box) => box.className)"
    )
    assert scrolling == []


def test_hints_are_open_on_paper_and_closed_again_on_the_screen(browser, paper):
    paper(CHAPTER)
    closed = "return document.querySelectorAll('.bd-article details:not([open])').length"
    assert browser.js(closed) == 0
    browser.js("window.dispatchEvent(new Event('afterprint'))")
    assert browser.js(closed) > 0
    assert browser.js("return document.documentElement.dataset.theme") == "dark"


def test_the_number_of_the_chapter_is_printed_once(browser, paper):
    paper(CHAPTER)
    titles = browser.js(
        "return [...document.querySelectorAll('h1')].filter((title) => title.checkVisibility())"
        ".map((title) => title.innerText)"
    )
    assert len(titles) == 1
    assert re.match(r"\d+\. The forward process", titles[0])


def test_figures_and_boxes_stay_on_one_page(browser, paper):
    paper(CHAPTER)
    torn = browser.js(
        "return [...document.querySelectorAll('.bd-article :is(figure, .claim, .cell_input)')]"
        ".filter((box) => getComputedStyle(box).breakInside !== 'avoid').length"
    )
    assert torn == 0
