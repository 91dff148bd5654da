"""Figures: ink on paper in the light; in the dark the lightness is inverted and the paper vanishes."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from selenium.webdriver.common.by import By

from tests.site.browser import CHAPTERS


def _pictures(browser):
    shown = browser.driver.find_elements(By.CSS_SELECTOR, ".bd-article img")
    return [picture for picture in shown if picture.is_displayed()]


def _seen(browser, picture) -> np.ndarray:
    """The picture as it is on the screen, frame of the page included, as light values in [0, 1]."""
    browser.js("arguments[0].scrollIntoView({block: 'center'})", picture)
    return np.asarray(Image.open(BytesIO(picture.screenshot_as_png)).convert("L"), dtype=float) / 255


@pytest.mark.parametrize("page", CHAPTERS)
def test_figures_have_words_for_who_does_not_see_them(browser, page):
    browser.open(page)
    silent = browser.js(
        "return [...document.querySelectorAll('.bd-article img')]"
        ".filter((image) => !(image.alt || '').trim()).map((image) => image.src.slice(-40))"
    )
    assert silent == []


@pytest.mark.parametrize("page", ["book/start/notation", "book/likelihood/gaussian_mixtures"])
def test_paper_is_light_in_the_light_and_dark_in_the_dark(browser, page):
    seen = {}
    for theme in ("light", "dark"):
        browser.theme(theme)
        browser.open(page)
        seen[theme] = _seen(browser, _pictures(browser)[0])
    corner = np.s_[:4, :4]
    assert seen["light"][corner].mean() > 0.95
    assert seen["dark"][corner].mean() < 0.15
    assert seen["dark"].max() > 0.6  # the ink is light there


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_paper_is_the_page(browser, theme):
    browser.theme(theme)
    browser.open("book/start/notation")
    picture = _pictures(browser)[0]
    page = browser.js(
        "return getComputedStyle(document.body).backgroundColor.match(/[\\d.]+/g).slice(0, 3).map(Number)"
    )
    assert abs(_seen(browser, picture)[:4, :4].mean() - np.mean(page) / 255) < 0.03
