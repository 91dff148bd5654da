"""A figure is enlarged by a click, a tap or the Enter key, and put back by Escape or a click."""

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.site.browser import NARROW

PAGE = "book/diffusion/forward_process"
OPEN = "return document.querySelector('.figure-view').open"


def button(browser):
    found = browser.driver.find_element(By.CSS_SELECTOR, "#fig-fwd-schedules .figure-open")
    browser.js("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", found)
    return found


def test_a_click_enlarges_and_a_click_puts_back(browser):
    browser.open(PAGE)
    button(browser).click()
    assert browser.js(OPEN)
    large = browser.driver.find_element(By.CSS_SELECTOR, ".figure-view img")
    small = browser.driver.find_element(By.CSS_SELECTOR, "#fig-fwd-schedules img")
    assert large.size["width"] > small.size["width"]
    assert large.get_attribute("alt") == small.get_attribute("alt")
    large.click()
    assert not browser.js(OPEN)


def test_enter_enlarges_and_escape_puts_back_where_one_was(browser):
    browser.open(PAGE)
    figure = button(browser)
    browser.js("arguments[0].focus()", figure)
    figure.send_keys(Keys.ENTER)
    assert browser.js(OPEN)
    ActionChains(browser.driver).send_keys(Keys.ESCAPE).perform()
    assert not browser.js(OPEN)
    assert browser.js("return document.activeElement === arguments[0]", figure)


def test_on_a_phone_the_large_figure_is_wider_than_the_screen_and_scrolls(browser):
    browser.resize(NARROW)
    browser.open(PAGE)
    button(browser).click()
    shown, room = browser.js(
        "const view = document.querySelector('.figure-view');"
        "return [view.querySelector('img').getBoundingClientRect().width, view.scrollWidth]"
    )
    assert shown > NARROW
    assert room >= shown


def test_a_figure_has_a_name_for_who_does_not_see_it(browser):
    browser.open(PAGE)
    assert button(browser).accessible_name.strip()
