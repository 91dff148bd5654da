"""The search shows sections with the words in their place, from the index that ships."""

import pytest

FOUND = "return document.querySelector('#search-results .search-summary')?.textContent.includes('found')"
RESULTS = """
return [...document.querySelectorAll('#search-results li')].map((item) => ({
  title: item.querySelector('a').textContent, href: item.querySelector('a').getAttribute('href'),
  said: item.querySelector('p').textContent,
  marked: [...item.querySelectorAll('mark')].map((mark) => mark.textContent),
}));
"""


def search(browser, words: str) -> list[dict]:
    browser.open("search", f"?q={words}")
    browser.wait(FOUND)
    return browser.js(RESULTS)


def test_an_abbreviation_is_found_where_it_is_explained(browser):
    found = search(browser, "EMA")
    assert found[0]["href"].endswith("#term-EMA")
    section = next(item for item in found if "the-average-of-the-weights" in item["href"])
    assert "EMA" in section["marked"]
    assert "moving average" in section["said"]


@pytest.mark.parametrize("words", ["exponential moving average", "responsibilities", "guided mean"])
def test_every_result_shows_its_words_or_has_them_in_its_title(browser, words):
    found = search(browser, words)
    assert found
    assert all("#" in item["href"] or item["href"].endswith(".html") for item in found)
    stems = [word[:4].lower() for word in words.split()]
    for item in found:
        assert any(stem in f"{item['title']} {item['said']}".lower() for stem in stems)


def test_a_result_leads_to_its_place(browser):
    href = search(browser, "within-class spread")[0]["href"]
    browser.js("document.querySelector('#search-results li a').click()")
    browser.wait("return location.hash.length > 1")
    assert browser.js(
        "return document.getElementById(decodeURIComponent(location.hash.slice(1))) !== null"
    ), href
