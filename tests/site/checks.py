"""What each page is asked once it is loaded, a function a question; none disturbs those below it.

To ask more of every page, write a function here and name it in CHECKS: it costs no page load of its own.
"""

from collections.abc import Callable
from pathlib import Path

from tests.site.browser import NARROW, WIDE, Browser

CONTRAST = (Path(__file__).parent / "contrast.js").read_text()

# The formulas that are wider than the space left of their number.
TOO_WIDE = """
return [...document.querySelectorAll('.bd-article div.math')].flatMap((box) => {
  const formula = box.querySelector('mjx-math')?.getBoundingClientRect();
  const number = box.querySelector('.eqno');
  const end = (number || box).getBoundingClientRect()[number ? 'left' : 'right'];
  return formula && formula.right > end + 1 ? [`${box.id} ${box.textContent.slice(0, 60)}`] : [];
});
"""


def no_other_host_is_asked_and_the_console_is_silent(browser: Browser) -> None:
    requested, said = browser.log()
    assert requested
    assert [url for url in requested if not url.startswith(("file:", "data:", "blob:"))] == []
    assert said == []


def formulas_are_drawn(browser: Browser) -> None:
    written, drawn, failed = browser.js(
        "const count = (query) => document.querySelectorAll(query).length;"
        "return [count('.math'), count('.math mjx-container'), count('mjx-merror, [data-mjx-error]')]"
    )
    assert failed == 0
    assert drawn >= written
    invisible = browser.js(
        "return [...document.querySelectorAll('.math mjx-container')]"
        ".filter((box) => box.checkVisibility() && box.getBoundingClientRect().width < 2).length"
    )
    assert invisible == 0


def no_formula_is_cut_off(browser: Browser) -> None:
    assert browser.js(TOO_WIDE) == []


def figures_have_words_for_who_does_not_see_them(browser: Browser) -> None:
    silent = browser.js(
        "return [...document.querySelectorAll('.bd-article img')]"
        ".filter((image) => !(image.alt || '').trim()).map((image) => image.src.slice(-40))"
    )
    assert silent == []


def punctuation_stays_with_its_formula(browser: Browser) -> None:
    alone = browser.js(
        "return [...document.querySelectorAll('.bd-article span.math')].filter((formula) =>"
        " /^[.,;:!?)]/.test(formula.nextSibling?.data || '') && !formula.closest('.together'))"
        ".map((formula) => formula.parentElement.textContent.slice(0, 60))"
    )
    assert alone == []


def _unfold(browser: Browser) -> None:
    browser.js("document.querySelectorAll('details').forEach((box) => { box.open = true; })")


def it_does_not_scroll_sideways(browser: Browser) -> None:
    _unfold(browser)
    assert browser.js("return document.documentElement.scrollWidth") <= NARROW


def text_stands_out_from_its_background(browser: Browser) -> None:
    _unfold(browser)
    weak = browser.js(CONTRAST)
    assert weak["looked"] > 20
    assert weak["found"] == []


CHECKS: dict[int, list[Callable[[Browser], None]]] = {
    WIDE: [
        no_other_host_is_asked_and_the_console_is_silent,
        formulas_are_drawn,
        no_formula_is_cut_off,
        figures_have_words_for_who_does_not_see_them,
        text_stands_out_from_its_background,
    ],
    NARROW: [
        no_other_host_is_asked_and_the_console_is_silent,
        formulas_are_drawn,
        punctuation_stays_with_its_formula,
        it_does_not_scroll_sideways,
        text_stands_out_from_its_background,
    ],
}
