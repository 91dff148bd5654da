"""A quiz on the page: a click shows its sentence."""

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

PAGE = "book/diffusion/guidance"


def quiz(browser):
    browser.open(PAGE)
    box = browser.driver.find_element(By.CSS_SELECTOR, ".quiz")
    browser.js("arguments[0].scrollIntoView({block: 'center'})", box)
    return box


def said(box) -> str:
    return box.find_element(By.CSS_SELECTOR, "[role=status]").text


def test_a_wrong_choice_and_the_right_one_say_why(browser):
    box = quiz(browser)
    choices = box.find_elements(By.CSS_SELECTOR, "label")
    assert said(box) == ""
    assert not box.find_element(By.CSS_SELECTOR, ".quiz-answer").is_displayed()
    choices[0].click()
    assert said(box).startswith("✗ Not this one.")
    wrong = said(box)
    choices[2].click()
    assert said(box).startswith("✓ Right.")
    assert said(box) != wrong
    assert box.find_element(By.CSS_SELECTOR, ".quiz-answer").is_displayed()


def test_the_keyboard_chooses(browser):
    box = quiz(browser)
    buttons = box.find_elements(By.CSS_SELECTOR, "input[type=radio]")
    browser.js("arguments[0].focus()", buttons[0])
    buttons[0].send_keys(Keys.SPACE)
    assert said(box).startswith("✗")
    browser.driver.switch_to.active_element.send_keys(Keys.ARROW_DOWN)
    assert buttons[1].is_selected()
