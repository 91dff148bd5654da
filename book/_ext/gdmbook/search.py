"""The texts that the search looks through: each section and each word of the glossary with its place.

`book/_static/search.js` looks through them and shows where the words stand.
"""

import copy
import re
import unicodedata

from bs4 import BeautifulSoup, Tag
from sphinx.application import Sphinx

_COMMAND = re.compile(r"\\([A-Za-z]+|.)\s*")
_APART = (
    ".headerlink, span.label, script, style, noscript, details.ledger-entry, .frames-controls, dl.glossary"
)
_BLOCKS = "p, li, dt, dd, td, th, pre, div, figcaption, summary"
_SIGNS = {
    "leftarrow": " ← ",
    "to": " → ",
    "le": " ≤ ",
    "ge": " ≥ ",
    "ne": " ≠ ",
    "approx": " ≈ ",
    "sim": " ∼ ",
}
_SIGNS |= {
    "sqrt": "√",
    "sum": "∑",
    "int": "∫",
    "nabla": "∇",
    "infty": "∞",
    "cdot": "·",
    "times": "×",
    "mid": " | ",
}
_NAMED = {"log", "exp", "min", "max", "det"}


def passages(uri: str, soup: BeautifulSoup) -> list[dict[str, str]]:
    """Return `{page, title, href, text}` of each section of the page at `uri`, in the order of the page."""
    article = soup.select_one("article") or soup
    heading = article.select_one("h1")
    page = _words(heading) if heading else uri
    found = []
    for section in article.select("section[id]"):
        title = section.find(re.compile("^h[1-6]$"), recursive=False)
        where = uri if title is heading else f"{uri}#{section['id']}"
        said = _words(title) if title else ""
        found.append({"page": page, "title": said, "href": where, "text": _own_words(section)})
    for term in article.select("dl.glossary > dt[id]"):
        meaning = term.find_next_sibling("dd")
        said = _words(meaning) if meaning else ""
        found.append({"page": page, "title": _words(term), "href": f"{uri}#{term['id']}", "text": said})
    return found


def _own_words(section: Tag) -> str:
    section = copy.copy(section)
    for inner in section.select("section, h1, h2, h3, h4, h5, h6"):
        inner.decompose()
    return _words(section)


def _words(tag: Tag) -> str:
    tag = copy.copy(tag)
    for part in tag.select(_APART):
        part.decompose()
    for block in tag.select(_BLOCKS):
        block.append(" ")
    for formula in tag.select("span.math, div.math, .ledger-formula"):
        formula.replace_with(" … " if formula.name == "div" else letters(formula.get_text()))
    return " ".join(tag.get_text().split())


def letters(formula: str) -> str:
    """Return an inline formula as a line of text: Greek letters by their signs, everything else bare."""
    bare = _COMMAND.sub(_letter, formula.strip().removeprefix(r"\(").removesuffix(r"\)"))
    return re.sub(r"[\\{}$^_]", "", bare)


def _letter(command: re.Match[str]) -> str:
    name = command[1]
    try:
        return unicodedata.lookup(f"GREEK SMALL LETTER {name}")
    except KeyError:
        return _SIGNS.get(name, f"{name} " if name in _NAMED else "")


def add_script(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: object) -> None:
    """Load our search on the page that shows its results."""
    if pagename == "search":
        app.add_js_file("search.js")


def setup(app: Sphinx) -> None:
    """Register the script."""
    app.connect("html-page-context", add_script)
