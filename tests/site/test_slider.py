"""The frame slider on the static page: keyboard, mouse, touch; no kernel; motion reduced; scripts off."""

import pytest
from gdmbook.chapters import ROOT
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.site.browser import CHAPTERS, NARROW

SLIDERS = [name for name in CHAPTERS if "frames(" in (ROOT / f"{name}.md").read_text()]

STOP_AT_2 = """
const [play, range, done] = arguments;
const look = () => { if (Number(range.value) < 2) setTimeout(look, 10); else { play.click(); done(); } };
look();
"""


class Slider:
    """The first slider of a page."""

    def __init__(self, browser, page: str) -> None:
        browser.open(page)
        self.browser = browser
        self.root = browser.driver.find_element(By.CSS_SELECTOR, ".frames")
        self.range = self.root.find_element(By.CSS_SELECTOR, "input[type=range]")
        browser.js("arguments[0].scrollIntoView({block: 'center'})", self.range)

    def shown(self) -> int:
        """The place of the one picture that is shown."""
        pictures = self.root.find_elements(By.CSS_SELECTOR, ".frames-stage img")
        places = [place for place, picture in enumerate(pictures) if picture.is_displayed()]
        assert len(places) == 1
        return places[0]

    def said(self) -> tuple[str, str]:
        """What the slider says beside itself and to a screen reader."""
        return self.root.find_element(By.TAG_NAME, "output").text, self.range.get_attribute("aria-valuetext")

    def last(self) -> int:
        return int(self.range.get_attribute("max"))

    def point(self, share: float) -> tuple[float, float]:
        """The place on the screen at `share` of the slider's length."""
        box = self.browser.js(
            "const b = arguments[0].getBoundingClientRect(); return [b.x, b.y, b.width, b.height]", self.range
        )
        return box[0] + share * box[2], box[1] + box[3] / 2


def test_some_chapter_has_a_slider():
    assert SLIDERS


@pytest.mark.parametrize("page", SLIDERS)
def test_slider(browser, subtests, page):
    """One load of the page: what the slider says of itself, then each way to move it."""
    slider = Slider(browser, page)
    for use in (says_what_it_is, keyboard, mouse, touch):
        with subtests.test(use.__name__):
            use(browser, slider)


def says_what_it_is(browser, slider):
    assert slider.range.accessible_name.strip()
    assert slider.range.aria_role == "slider"
    assert slider.range.size["height"] >= 24


def keyboard(browser, slider):
    browser.js("arguments[0].focus()", slider.range)
    slider.range.send_keys(Keys.HOME)
    assert slider.shown() == 0
    first = slider.said()
    slider.range.send_keys(Keys.ARROW_RIGHT)
    assert slider.shown() == 1
    assert slider.said() != first
    assert slider.said()[0] == slider.said()[1]
    slider.range.send_keys(Keys.END)
    assert slider.shown() == slider.last()


def mouse(browser, slider):
    width = slider.range.size["width"]
    ActionChains(browser.driver).move_to_element_with_offset(
        slider.range, int(0.49 * width), 0
    ).click().perform()
    assert slider.shown() == slider.last()
    ActionChains(browser.driver).click_and_hold().move_by_offset(-int(0.97 * width), 0).release().perform()
    assert slider.shown() == 0


def touch(browser, slider):
    browser.resize(NARROW)
    browser.command("Emulation.setTouchEmulationEnabled", enabled=True)
    browser.js("arguments[0].scrollIntoView({block: 'center'})", slider.range)
    for kind, share in (("touchStart", 0.1), ("touchMove", 0.5), ("touchMove", 0.98)):
        x, y = slider.point(share)
        browser.command("Input.dispatchTouchEvent", type=kind, touchPoints=[{"x": x, "y": y}])
    browser.command("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
    assert slider.shown() == slider.last()


def test_play_runs_and_stops(browser):
    slider = Slider(browser, SLIDERS[0])
    browser.js("arguments[0].focus()", slider.range)
    slider.range.send_keys(Keys.HOME)
    play = slider.root.find_element(By.CSS_SELECTOR, ".frames-play")
    play.click()
    # Stopped by the page itself: a click that comes late would find the last frame, and start anew.
    browser.driver.execute_async_script(STOP_AT_2, play, slider.range)
    place = slider.shown()
    browser.js("window.later = false; setTimeout(() => { window.later = true; }, 1500)")
    browser.wait("return window.later")
    assert slider.shown() == place


def test_reduced_motion_takes_the_play_button_away(browser):
    browser.command(
        "Emulation.setEmulatedMedia", features=[{"name": "prefers-reduced-motion", "value": "reduce"}]
    )
    slider = Slider(browser, SLIDERS[0])
    assert not slider.root.find_element(By.CSS_SELECTOR, ".frames-play").is_displayed()
    assert slider.range.is_displayed()


@pytest.mark.parametrize("page", SLIDERS)
def test_without_scripts_the_first_frame_and_its_caption_stand(browser, page):
    browser.command("Emulation.setScriptExecutionDisabled", value=True)
    browser.driver.get((browser.site / f"{page}.html").as_uri())
    root = browser.driver.find_element(By.CSS_SELECTOR, ".frames")
    assert [
        picture.is_displayed() for picture in root.find_elements(By.CSS_SELECTOR, ".frames-stage img")
    ].count(True) == 1
    assert not root.find_element(By.CSS_SELECTOR, ".frames-controls").is_displayed()
    figure = root.find_element(By.XPATH, "./ancestor::figure[1]")
    assert figure.find_element(By.TAG_NAME, "figcaption").is_displayed()
