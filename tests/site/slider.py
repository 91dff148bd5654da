"""The first slider of a page: what it says of itself, and each way to move it."""

from gdmbook.chapters import ROOT
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.site.browser import CHAPTERS, Browser

SLIDERS = [name for name in CHAPTERS if "frames(" in (ROOT / f"{name}.md").read_text()]


class Slider:
    """The first slider of the page that is open."""

    def __init__(self, browser: Browser) -> None:
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


def a_slider_says_what_it_is(browser: Browser) -> None:
    if browser.page not in SLIDERS:
        return
    slider = Slider(browser)
    assert slider.range.accessible_name.strip()
    assert slider.range.aria_role == "slider"
    assert slider.range.size["height"] >= 24


def a_slider_moves_by_keyboard(browser: Browser) -> None:
    if browser.page not in SLIDERS:
        return
    slider = Slider(browser)
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


def a_slider_moves_by_mouse(browser: Browser) -> None:
    if browser.page not in SLIDERS:
        return
    slider = Slider(browser)
    width = slider.range.size["width"]
    ActionChains(browser.driver).move_to_element_with_offset(
        slider.range, int(0.49 * width), 0
    ).click().perform()
    assert slider.shown() == slider.last()
    ActionChains(browser.driver).click_and_hold().move_by_offset(-int(0.97 * width), 0).release().perform()
    shown = slider.shown()
    browser.command("Input.dispatchMouseEvent", type="mouseMoved", x=0, y=0)  # it points at nothing any more
    assert shown == 0


def a_slider_moves_by_touch(browser: Browser) -> None:
    if browser.page not in SLIDERS:
        return
    browser.command("Emulation.setTouchEmulationEnabled", enabled=True)
    slider = Slider(browser)
    for kind, share in (("touchStart", 0.1), ("touchMove", 0.5), ("touchMove", 0.98)):
        x, y = slider.point(share)
        browser.command("Input.dispatchTouchEvent", type=kind, touchPoints=[{"x": x, "y": y}])
    browser.command("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
    shown, last = slider.shown(), slider.last()
    browser.command("Emulation.setTouchEmulationEnabled", enabled=False)
    assert shown == last
