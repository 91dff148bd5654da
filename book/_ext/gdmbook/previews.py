"""Previews of links: what an equation, a word of the glossary or a citation says, before one goes there.

`book/_static/preview.js` shows them.
"""

import copy
from html import escape
from pathlib import Path

from bs4 import BeautifulSoup, Tag


def read(file: Path) -> BeautifulSoup:
    """Return a rendered page."""
    return BeautifulSoup(file.read_text(encoding="utf-8"), "html.parser")


def previews(uri: str, soup: BeautifulSoup) -> dict[str, dict[str, str]]:
    """Return what each place on the page at `uri` shows in short: `{address: {title, html}}`."""
    title = heading(soup)
    found = {}
    for box in soup.select('div.math[id^="equation-"]'):
        number, formula = _equation(box)
        found[f"{uri}#{box['id']}"] = {"title": f"{number} · {title}", "html": _math(formula)}
    for term in soup.select('dl.glossary > dt[id^="term-"]'):
        if meaning := term.find_next_sibling("dd"):
            found[f"{uri}#{term['id']}"] = {"title": _text(term), "html": _inner(meaning)}
    for work in soup.select("div.citation[id]"):
        found[f"{uri}#{work['id']}"] = {"title": "", "html": "".join(_inner(p) for p in work.select("p"))}
    return found


def heading(soup: BeautifulSoup) -> str:
    """Return the page's title with its number, as the page shows it."""
    first = soup.select_one("article h1, h1")
    return _text(first) if first else ""


def _equation(box: Tag) -> tuple[str, str]:
    box = copy.copy(box)
    number = box.select_one(".eqno")
    said = _text(number.extract()) if number else ""
    return said, box.get_text().strip()


def _math(formula: str) -> str:
    return f'<div class="math">{escape(formula)}</div>'


def _text(tag: Tag) -> str:
    tag = copy.copy(tag)
    for link in tag.select(".headerlink"):
        link.decompose()
    return tag.get_text().strip()


def _inner(tag: Tag) -> str:
    """Return the HTML inside `tag`; links become text, for they are relative to their own page."""
    tag = copy.copy(tag)
    for link in tag.select("a"):
        link.unwrap()
    return tag.decode_contents().strip()
