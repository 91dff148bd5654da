"""A printed page: dark on white whatever the theme, nothing scrolls, what is folded is open."""

import pytest

from tests.site.browser import CHAPTERS

CHAPTER = "book/diffusion/forward_process"
DARK = """
const TEXT = '.bd-article :is(h1, h2, h3, p, li, code span, figcaption, td, summary)';
return [...document.querySelectorAll(TEXT)]
  .filter((element) => element.checkVisibility() && element.textContent.trim())
  .filter((element) => {
    const [r, g, b] = getComputedStyle(element).color.match(/[\\d.]+/g).map(Number);
    return 0.3 * r + 0.6 * g + 0.1 * b > 140;
  })
  .map((element) => `${element.tagName} ${element.textContent.slice(0, 40)}`);
"""


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


@pytest.mark.parametrize("page", CHAPTERS)
def test_print_is_dark_on_white(browser, paper, page):
    paper(page)
    assert browser.js(DARK) == []
    assert browser.js("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


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
    assert titles[0].startswith("2.")


def test_figures_and_boxes_stay_on_one_page(browser, paper):
    paper(CHAPTER)
    torn = browser.js(
        "return [...document.querySelectorAll('.bd-article :is(figure, .claim, .cell_input)')]"
        ".filter((box) => getComputedStyle(box).breakInside !== 'avoid').length"
    )
    assert torn == 0
