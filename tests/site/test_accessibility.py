"""axe-core finds nothing on any page, in either theme; what one has to hit is large enough."""

from pathlib import Path

import axe_core_python
import pytest
from selenium.webdriver.common.by import By

from tests.site.browser import PAGES

AXE = (Path(axe_core_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
# The insides of formulas and the colours of code are thousands of elements without a role or a name; with
# them a page takes a minute. Their contrast is looked at in test_pages.py.
BARE = """
document.querySelectorAll("details").forEach((box) => { box.open = true; });
document.querySelectorAll("mjx-math, mjx-assistive-mml").forEach((inside) => inside.remove());
document.querySelectorAll(".highlight pre").forEach((code) => { code.textContent = code.textContent; });
"""
RUN = """
const done = arguments[0];
const said = (rule) => rule.nodes.slice(0, 5).map((node) => `${rule.id}: ${node.html.slice(0, 150)}`);
axe.run(document, { resultTypes: ["violations"] }).then((found) => done(found.violations.flatMap(said)));
"""


def violations(browser) -> list[str]:
    browser.js(BARE + AXE)
    return browser.driver.execute_async_script(RUN)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("page", [*PAGES, "search", "genindex"])
def test_axe_finds_nothing(browser, page, theme):
    browser.theme(theme)
    browser.open(page)
    assert violations(browser) == []


def test_axe_would_find_a_picture_without_words(browser):
    browser.open("book/start/how_to")
    browser.js("document.querySelector('.bd-article').append(new Image())")
    assert any(found.startswith("image-alt") for found in violations(browser))


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
