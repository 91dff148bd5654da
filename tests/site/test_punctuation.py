"""The stops of a sentence as they are built: none twice, none lost."""

import re
from copy import copy
from pathlib import Path

import pytest

from tests.site.browser import PAGES
from tests.site.html import soup

TWICE = re.compile(r"[.,;:]\s*[,;]|,\s*[.:]|(?<!\.)\.\s?\.(?!\.)|\s[,;](?=\s)")
# A word that begins a sentence where none has ended; a sentence may end in a formula that has its own stop.
FIRST = "The|This|That|These|It|In|We|One|By|For|But|And|So|With|Here|Then|There|What"
LOST = re.compile(rf"(?<=[a-z0-9)\]])(?<![.?!]\)) (?=(?:{FIRST}) [a-z])")
SKIPPED = "pre, script, .headerlink, .eqno, .section-number, .caption-number, .frames, .admonition-title"


def paragraphs(path: Path) -> list[str]:
    """The running text of a page, a formula or name as ¤."""
    article = copy(soup(path).article)
    for part in article.select(".math"):
        part.replace_with("¤")
    for part in article.select(SKIPPED):
        part.decompose()
    for part in article.select("a, code"):
        part.replace_with("¤")
    return [" ".join(part.get_text().split()) for part in article.select("p, figcaption, dd")]


@pytest.mark.parametrize("name", PAGES)
def test_no_stop_is_doubled_or_lost(site, name):
    wrong = []
    for text in paragraphs(site / f"{name}.html"):
        wrong += [f"twice: {text[max(0, at.start() - 40) : at.end() + 20]}" for at in TWICE.finditer(text)]
        wrong += [f"lost: {text[max(0, at.start() - 40) : at.end() + 30]}" for at in LOST.finditer(text)]
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [("so ¤.. Then", TWICE), ("¤,, and", TWICE), ("is 0.55 The denoiser", LOST), ("by (4.10) So we", LOST)],
)
def test_such_faults_would_be_seen(text, fault):
    assert fault.search(text)


@pytest.mark.parametrize("name", PAGES)
def test_no_place_of_a_number_is_left_empty(site, name):
    article = copy(soup(site / f"{name}.html").article)
    for code in article.select("pre, code"):
        code.decompose()
    assert "%s" not in article.get_text()
