"""Links within the book lead somewhere: pages, places on pages, downloads, the ledger both ways."""

from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import Tag
from gdmbook.chapters import ROOT, pages
from gdmbook.claims import claims

from tests.site.browser import PAGES
from tests.site.html import soup


@cache
def places(path: Path) -> dict[str, Tag]:
    return {element["id"]: element for element in soup(path).find_all(id=True)}


@cache
def marks(path: Path) -> list[Tag]:
    return soup(path).select("a.ledger-mark")


@pytest.mark.parametrize("name", PAGES)
def test_links_within_the_book_resolve(site, name):
    page = site / f"{name}.html"
    broken = []
    for link in soup(page).find_all("a", href=True):
        parts = urlsplit(link["href"])
        if parts.scheme:
            continue
        target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
        if not target.is_file() or (
            parts.fragment and target.suffix == ".html" and unquote(parts.fragment) not in places(target)
        ):
            broken.append(link["href"])
    assert broken == []


@pytest.mark.parametrize("name", PAGES)
def test_no_place_is_named_twice(site, name):
    ids = [element["id"] for element in soup(site / f"{name}.html").find_all(id=True)]
    assert len(ids) == len(set(ids)), sorted({i for i in ids if ids.count(i) > 1})


def test_first_page_leads_into_the_book(site):
    refresh = soup(site / "index.html").find("meta", attrs={"http-equiv": "refresh"})["content"]
    assert (site / refresh.partition("url=")[2]).is_file()


@pytest.mark.parametrize("claim", claims(pages(ROOT)), ids=lambda claim: claim.label)
def test_claim_has_a_mark_that_leads_to_its_tests(site, claim):
    page = site / f"{claim.page.name}.html"
    found = [mark for mark in marks(page) if mark["href"].endswith(f"#ledger-{claim.label}")]
    assert len(found) == 1
    assert found[0]["aria-label"].startswith("Checked by")
    entry = places(site / "book/back/ledger.html")[f"ledger-{claim.label}"]
    assert entry.select("details.ledger-test pre")
    assert any(link["href"].endswith(f"#equation-{claim.label}") for link in entry.find_all("a", href=True))
