"""Figures: ink on paper in the light; in the dark the lightness is inverted and the paper vanishes."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from selenium.webdriver.common.by import By


def _pictures(browser):
    shown = browser.driver.find_elements(By.CSS_SELECTOR, ".bd-article img")
    return [picture for picture in shown if picture.is_displayed()]


def _seen(browser, picture) -> np.ndarray:
    """The picture as it is on the screen, frame of the page included, as light values in [0, 1]."""
    browser.js("arguments[0].scrollIntoView({block: 'center'})", picture)
    return np.asarray(Image.open(BytesIO(picture.screenshot_as_png)).convert("L"), dtype=float) / 255


@pytest.mark.parametrize("page", ["book/start/notation", "book/likelihood/gaussian_mixtures"])
def test_paper_is_light_in_the_light_and_dark_in_the_dark_and_that_of_the_page(browser, page):
    seen = {}
    for theme in ("light", "dark"):
        browser.theme(theme)
        browser.open(page)
        seen[theme] = _seen(browser, _pictures(browser)[0])
        paper = browser.js(
            "return getComputedStyle(document.body).backgroundColor.match(/[\\d.]+/g).slice(0, 3).map(Number)"
        )
        assert abs(seen[theme][:4, :4].mean() - np.mean(paper) / 255) < 0.03
    corner = np.s_[:4, :4]
    assert seen["light"][corner].mean() > 0.95
    assert seen["dark"][corner].mean() < 0.15
    assert seen["dark"].max() > 0.6  # the ink is light there
