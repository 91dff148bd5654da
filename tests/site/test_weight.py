"""How much a page weighs before it is painted, and what no page asks for."""

import pytest

from benchmarks.weight import bytes_before_paint
from tests.site.browser import PAGES

TEACHING = [page for page in PAGES if not page.startswith("book/back/")]


@pytest.mark.parametrize("page", TEACHING)
def test_a_page_is_painted_before_a_megabyte_is_loaded(site, page):
    assert bytes_before_paint(site / f"{page}.html") < 1_000_000


@pytest.mark.parametrize("page", ["book/start/index", "book/diffusion/denoising"])
def test_no_font_of_icons_is_asked_for(browser, page):
    browser.open(page)
    assert [url for url in browser.log()[0] if "awesome" in url] == []
    flat = browser.js(
        "return [...document.querySelectorAll('.fa-solid, .fas')].filter((icon) => icon.checkVisibility())"
        ".filter((icon) => !getComputedStyle(icon).maskImage.includes('svg')).map((icon) => icon.className)"
    )
    assert flat == []
