"""The list of pages marks what was read to its end, and nothing else."""

MARKED = (
    "return [...document.querySelectorAll('nav.bd-links a:has(.read-mark)')].map((link) => link.textContent)"
)


def test_a_page_is_marked_once_its_end_was_seen(browser):
    browser.open("book/start/how_to")
    assert browser.js(MARKED) == []
    browser.js("window.scrollTo(0, document.documentElement.scrollHeight)")
    browser.wait("return document.querySelectorAll('.read-mark').length > 0")
    browser.open("book/start/notation")
    (marked,) = browser.js(MARKED)
    assert marked.startswith("How to use this book")
