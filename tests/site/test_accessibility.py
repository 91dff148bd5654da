"""axe-core would find a fault, and what one has to hit is large enough."""

import pytest
from selenium.webdriver.common.by import By

from tests.site.checks import axe_finds_nothing


def test_axe_would_find_a_picture_without_words(browser):
    browser.open("book/start/how_to")
    browser.js("document.querySelector('.bd-article').append(new Image())")
    with pytest.raises(AssertionError, match="image-alt"):
        axe_finds_nothing(browser)


@pytest.mark.parametrize(("touch", "least"), [(False, 24), (True, 44)])
def test_hints_are_high_enough_to_hit(browser, touch, least):
    browser.command("Emulation.setTouchEmulationEnabled", enabled=touch)
    browser.resize(360 if touch else 1280)
    browser.open("book/diffusion/forward_process")
    heights = browser.js(
        "return [...document.querySelectorAll('details.hint > summary')]"
        ".map((row) => row.getBoundingClientRect().height)"
    )
    assert heights
    assert min(heights) >= least


RING = """
const [slider] = arguments;
slider.focus({ focusVisible: true });
const style = getComputedStyle(slider);
if (style.outlineStyle === "none") return "there is no ring";
const ring = parseFloat(style.outlineWidth) + parseFloat(style.outlineOffset);
const seen = slider.getBoundingClientRect();
for (let box = slider.parentElement; box !== document.body; box = box.parentElement) {
  if (getComputedStyle(box).overflowX === "visible") continue;
  const edge = box.getBoundingClientRect();
  const across = seen.left - ring < edge.left || seen.right + ring > edge.right;
  if (across || seen.bottom + ring > edge.bottom) return `cut by ${box.className}`;
}
return "";
"""


def test_the_ring_around_a_slider_in_focus_is_not_cut(browser):
    browser.open("book/diffusion/forward_process")
    slider = browser.driver.find_element(By.CSS_SELECTOR, ".frames input[type=range]")
    assert browser.js(RING, slider) == ""
