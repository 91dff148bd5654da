"""What a reader sees first: where to begin, and no code that only draws."""


def test_the_landing_page_says_where_to_begin(browser):
    browser.command(
        "Emulation.setDeviceMetricsOverride", width=1440, height=900, deviceScaleFactor=1, mobile=False
    )
    browser.open("book/start/index")
    seen = browser.js(
        "return [...document.querySelectorAll('.bd-article a')]"
        ".filter((link) => link.getBoundingClientRect().bottom < 900).map((link) => link.textContent)"
    )
    assert any(text.startswith("Start here") for text in seen)
    assert any(text.startswith("See how an image") for text in seen)
    slider = browser.js("return document.querySelector('.frames input').getBoundingClientRect().bottom")
    assert slider < 900


def test_code_that_draws_is_folded_and_opens(browser):
    browser.open("book/diffusion/guidance")
    folded = "[...document.querySelectorAll('.bd-article details.hide')]"
    closed = browser.js(
        f"return {folded}.map((box) => [box.open, box.querySelector('pre').checkVisibility()])"
    )
    assert len(closed) >= 5
    assert all(state == [False, False] for state in closed)
    browser.js(f"{folded}[0].querySelector('summary').click()")
    assert browser.js(f"return {folded}[0].querySelector('pre').checkVisibility()")
