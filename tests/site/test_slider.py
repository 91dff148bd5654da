"""The frame slider on the static page: play, and motion reduced; each way to move it is in `slider.py`."""

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.site.slider import SLIDERS, Slider

STOP_AT_2 = """
const [play, range, done] = arguments;
const look = () => { if (Number(range.value) < 2) setTimeout(look, 10); else { play.click(); done(); } };
look();
"""


def test_some_chapter_has_a_slider():
    assert SLIDERS


def test_play_runs_and_stops(browser):
    browser.open(SLIDERS[0])
    slider = Slider(browser)
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
    browser.open(SLIDERS[0])
    slider = Slider(browser)
    assert not slider.root.find_element(By.CSS_SELECTOR, ".frames-play").is_displayed()
    assert slider.range.is_displayed()
