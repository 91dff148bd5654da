"""The ledger's page: light until an entry is opened, and a mark opens the entry that it leads to."""

from selenium.webdriver.common.by import By

PAGE = "book/back/ledger"


def test_no_formula_is_drawn_before_it_is_asked_for(browser):
    browser.open(PAGE)
    assert browser.js("return document.querySelectorAll('mjx-container').length") == 0
    assert browser.js("return document.querySelectorAll('details.ledger-entry[open]').length") == 0
    entry = browser.driver.find_element(By.CSS_SELECTOR, "details.ledger-entry")
    entry.find_element(By.TAG_NAME, "summary").click()
    browser.wait("return document.querySelectorAll('details.ledger-entry[open] mjx-container').length === 1")
    assert browser.js("return document.querySelectorAll('mjx-container').length") == 1


def test_a_mark_lands_on_its_open_entry(browser):
    browser.open("book/diffusion/guidance")
    browser.js("document.querySelector('a.ledger-mark[href$=\"#ledger-eq-guided-mean\"]').click()")
    browser.wait(
        "return location.pathname.endsWith('ledger.html')"
        " && document.querySelector('details[open] mjx-container')"
    )
    place = browser.driver.find_element(By.ID, "ledger-eq-guided-mean")
    assert place.is_displayed()
    assert browser.js("return arguments[0].closest('details').getBoundingClientRect().top", place) < 900
    assert browser.js("return document.querySelectorAll('details.ledger-entry[open]').length") == 1


def test_without_scripts_a_mark_still_opens_its_entry(browser):
    browser.command("Emulation.setScriptExecutionDisabled", value=True)
    browser.driver.get((browser.site / f"{PAGE}.html").as_uri() + "#ledger-eq-guided-mean")
    place = browser.driver.find_element(By.ID, "ledger-eq-guided-mean")
    assert place.is_displayed()
    assert "mathcal" in place.find_element(By.CSS_SELECTOR, ".ledger-formula").text
