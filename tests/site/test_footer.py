"""The end of a page says its version, where its source is, how to cite it; its head describes it."""

import datetime
from types import SimpleNamespace

import pytest
from gdmbook.footer import footer

from tests.site.browser import PAGES
from tests.site.html import soup

DAY = datetime.date(2026, 1, 2)
PROJECT = {"version": "1.2.3"}


def config(url: str) -> SimpleNamespace:
    return SimpleNamespace(html_title="The book", author="Us", html_theme_options={"repository_url": url})


def test_the_report_names_page_and_version():
    said = footer(PROJECT, config("https://code.invalid/us/book/"), "book/a", "A & B", DAY)
    assert said["report"] == (
        "https://code.invalid/us/book/issues/new?title=A+%26+B+%28book%2Fa%2C+version+1.2.3%29"
    )
    assert said["cite"] == "Us. The book. Version 1.2.3, 2026."
    assert said["date"] == "2026-01-02"


def test_the_address_of_the_package_is_taken_where_the_book_has_none():
    project = PROJECT | {"urls": {"Repository": "https://code.invalid/us/book"}}
    assert footer(project, config(""), "p", "P", DAY)["report"].startswith(
        "https://code.invalid/us/book/issues"
    )


def test_without_an_address_there_is_no_link():
    assert footer(PROJECT, config(""), "p", "P", DAY)["report"] == ""


@pytest.mark.parametrize("page", PAGES)
def test_page_has_footer_description_and_icon(site, page):
    path = site / f"{page}.html"
    page = soup(path)
    end = page.select_one(".bd-footer-content")
    assert "version 0." in end.get_text()
    assert end.select_one("details.cite")
    source = next(link for link in end.select("a") if "Source" in link.get_text())
    assert (path.parent / source["href"]).resolve().is_file()
    described = page.select_one('meta[name="description"]')["content"]
    assert 40 <= len(described) <= 200
    assert (path.parent / page.select_one('link[rel="icon"]')["href"]).resolve().is_file()
