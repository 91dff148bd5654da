"""What each page is asked once it is loaded, a function a question; none disturbs those below it.

To ask more of every page, write a function here and name it in AT_A_DESK or ON_A_PHONE: it costs no page load
of its own.
"""

from collections.abc import Callable
from pathlib import Path

import axe_core_python

from tests.site.browser import CHAPTERS, NARROW, WIDE, Browser
from tests.site.slider import (
    a_slider_moves_by_keyboard,
    a_slider_moves_by_mouse,
    a_slider_moves_by_touch,
    a_slider_says_what_it_is,
)

CONTRAST = (Path(__file__).parent / "contrast.js").read_text()
LOST = (Path(__file__).parent / "lost.js").read_text()
AXE = (Path(axe_core_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
SETTLED = "return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"

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


# The ledger's entries come from one template, and their formulas stand on their pages: each tenth is asked.
UNFOLD = """
if (!window.thinned) {
  const entries = [...document.querySelectorAll('details.ledger-entry')];
  entries.filter((_, place) => place % 10).forEach((entry) => entry.remove());
  window.thinned = true;
}
document.querySelectorAll('details').forEach((box) => { box.open = true; });
"""


def _unfold(browser: Browser) -> None:
    browser.js(UNFOLD)


def it_does_not_scroll_sideways(browser: Browser) -> None:
    _unfold(browser)
    assert browser.js("return document.documentElement.scrollWidth") <= NARROW


def text_stands_out_from_its_background(browser: Browser) -> None:
    _unfold(browser)
    weak = browser.js(CONTRAST)
    assert weak["looked"] > 20
    assert weak["found"] == []


def nothing_of_a_formula_or_a_figure_is_lost(browser: Browser) -> None:
    _unfold(browser)
    browser.js(SETTLED)
    assert browser.js(LOST) == []


def no_formula_is_a_stop_for_the_keyboard(browser: Browser) -> None:
    _unfold(browser)
    browser.js(SETTLED)
    assert browser.js("return document.querySelectorAll('mjx-container[tabindex]').length") == 0


FIRST = """
const pictures = [...document.querySelectorAll('.bd-article figure img')];
const box = pictures.find((image) => image.checkVisibility()).getBoundingClientRect();
const code = document.querySelector('.bd-article div.cell_input').getBoundingClientRect();
const title = document.querySelector('.bd-article h1').getBoundingClientRect();
return [box.top, box.bottom, code.top, title.bottom];
"""


def a_chapter_begins_with_a_picture_whole_on_the_first_screen(browser: Browser) -> None:
    if browser.page not in CHAPTERS or browser.page == "book/back/slips":
        return
    browser.resize(1440)
    top, bottom, code, title = browser.js(FIRST)
    browser.resize(WIDE)
    assert title < top
    assert bottom <= 900
    assert bottom < code


def no_line_of_code_only_keeps_a_number(browser: Browser) -> None:
    shown = browser.js(
        "return [...document.querySelectorAll('.bd-article div.cell_input pre')].map((box) => box.innerText)"
    )
    assert [code for code in shown if "glue(" in code or "use_style()" in code] == []


DARK = """
const TEXT = '.bd-article :is(h1, h2, h3, p, li, code span, figcaption, td, summary)';
return [...document.querySelectorAll(TEXT)]
  .filter((element) => element.checkVisibility() && element.textContent.trim())
  .filter((element) => {
    const [r, g, b] = getComputedStyle(element).color.match(/[\\d.]+/g).map(Number);
    return 0.3 * r + 0.6 * g + 0.1 * b > 140;
  })
  .map((element) => `${element.tagName} ${element.textContent.slice(0, 40)}`);
"""


def print_is_dark_on_white(browser: Browser) -> None:
    browser.command("Emulation.setEmulatedMedia", media="print", features=[])
    browser.js("window.dispatchEvent(new Event('beforeprint'))")
    weak, paper = browser.js(DARK), browser.js("return getComputedStyle(document.body).backgroundColor")
    browser.js("window.dispatchEvent(new Event('afterprint'))")
    browser.command("Emulation.setEmulatedMedia", media="", features=[])
    assert weak == []
    assert paper == "rgb(255, 255, 255)"


# The insides of formulas and the colours of code are thousands of elements without a role or a name; with
# them a page takes a minute. Contrast is looked at above, of every text in each theme and width.
BARE = """
document.querySelectorAll("mjx-math, mjx-assistive-mml").forEach((inside) => inside.remove());
document.querySelectorAll(".highlight pre").forEach((code) => { code.textContent = code.textContent; });
"""
RUN_AXE = """
const done = arguments[0];
const said = (rule) => rule.nodes.slice(0, 5).map((node) => `${rule.id}: ${node.html.slice(0, 150)}`);
const asked = { resultTypes: ["violations"], rules: { "color-contrast": { enabled: false } } };
axe.run(document, asked).then((found) => done(found.violations.flatMap(said)));
"""


def axe_finds_nothing(browser: Browser) -> None:
    """The last check of all: it takes the insides of formulas away."""
    _unfold(browser)
    browser.js(BARE + AXE)
    assert browser.driver.execute_async_script(RUN_AXE) == []


# One visit each, in the order of the themes; what a page is asked only once is asked in the first.
Visit = list[tuple[str, list[Callable[[Browser], None]]]]
AT_A_DESK: Visit = [
    (
        "light",
        [
            no_other_host_is_asked_and_the_console_is_silent,
            formulas_are_drawn,
            a_chapter_begins_with_a_picture_whole_on_the_first_screen,
            no_formula_is_cut_off,
            no_formula_is_a_stop_for_the_keyboard,
            figures_have_words_for_who_does_not_see_them,
            no_line_of_code_only_keeps_a_number,
            a_slider_says_what_it_is,
            a_slider_moves_by_keyboard,
            a_slider_moves_by_mouse,
            text_stands_out_from_its_background,
        ],
    ),
    ("dark", [text_stands_out_from_its_background, print_is_dark_on_white]),
    ("light", [axe_finds_nothing]),
]
ON_A_PHONE: Visit = [
    (
        "dark",
        [
            no_other_host_is_asked_and_the_console_is_silent,
            formulas_are_drawn,
            punctuation_stays_with_its_formula,
            it_does_not_scroll_sideways,
            nothing_of_a_formula_or_a_figure_is_lost,
            text_stands_out_from_its_background,
            a_slider_moves_by_touch,
        ],
    ),
    ("light", [text_stands_out_from_its_background]),
]
VISITS = {WIDE: AT_A_DESK, NARROW: ON_A_PHONE}
