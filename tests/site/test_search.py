"""Search works from the file system."""

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

RESULTS = "return [...document.querySelectorAll('#search-results ul.search li a')].map((link) => link.href)"


@pytest.mark.parametrize(
    ("term", "page"), [("responsibilities", "gaussian_mixtures"), ("schedule", "forward_process")]
)
def test_term_is_found_on_its_page(browser, term, page):
    browser.open("search", f"?q={term}")
    browser.wait(
        "return document.querySelector('#search-results p.search-summary')?.textContent.includes('found')"
    )
    links = browser.wait(RESULTS)
    assert any(page in link for link in links)
    assert all(link.startswith("file:") for link in links)
    requested, said = browser.log()
    assert said == []
    assert [url for url in requested if not url.startswith(("file:", "data:"))] == []


def test_field_on_a_page_leads_to_results(browser):
    browser.open("book/start/index")
    button = next(
        b for b in browser.driver.find_elements(By.CSS_SELECTOR, ".search-button__button") if b.is_displayed()
    )
    button.click()
    field = browser.driver.find_element(
        By.CSS_SELECTOR, "dialog input[type=search], .search-button__search-container input"
    )
    field.send_keys("mixture", Keys.ENTER)
    assert browser.wait(RESULTS)


def test_a_word_that_is_nowhere_is_said_to_be_nowhere(browser):
    browser.open("search", "?q=xyzzyplugh")
    browser.wait("return document.querySelector('#search-results')?.textContent.includes('did not match')")
    assert browser.js(RESULTS) == []
