"""`make pdf`: the whole book as one file, printed by a browser, with an outline and page numbers."""

import argparse
import base64
import sys
import tempfile
from html import escape
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag

from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, DictionaryObject, FloatObject, NameObject, NumberObject
from rich.console import Console
from selenium import webdriver

from gdmbook.browser import NoBrowser, chromium
from gdmbook.chapters import ROOT, Page, pages
from gdmbook.previews import heading, read

PAPER = {"paperWidth": 8.27, "paperHeight": 11.69, "marginTop": 0.7, "marginBottom": 0.8}  # A4, in inches
# Code that draws, hints and the tests of the ledger stay folded, though who prints a single page gets them
# opened: of a window's listeners the first comes first, so this one is there before those of the page.
_FOLDED = 'window.addEventListener("beforeprint", (event) => event.stopImmediatePropagation());'
# Calls back once every picture is loaded and every formula drawn, with answers and second readings open.
_READY = """
const done = arguments[0];
document.querySelectorAll(".quiz-answer, .second-reading").forEach((box) => { box.open = true; });
document.querySelectorAll("img").forEach((image) => { image.loading = "eager"; });
const pictures = [...document.images].map((image) => image.decode().catch(() => null));
const formulas = window.MathJax?.startup?.promise ?? Promise.resolve();
Promise.all([...pictures, formulas, document.fonts.ready]).then(() => done());
"""
_STYLE = "<meta charset='utf-8'><style>body { font-family: serif } @page { size: A4 }</style>"


class NotBuilt(Exception):
    """There is no page to print: the message says which, and what to do."""


def main() -> int:
    """Print the book under `--root`; return 0, or 1 after saying what is wrong."""
    parser = argparse.ArgumentParser(prog="make pdf", description=__doc__)
    parser.add_argument("--root", type=Path, default=ROOT, help="where _toc.yml is")
    root = parser.parse_args().root.resolve()
    console, target = Console(), root / "_build/gdmcourse.pdf"
    try:
        with console.status("printing …"):
            count = print_book(root / "_build/html", pages(root), target)
    except (NoBrowser, NotBuilt) as error:
        console.print(f"✗ {error}", soft_wrap=True, highlight=False)
        return 1
    console.print(f"The book has {count} pages. Open {target}", soft_wrap=True, highlight=False)
    return 0


def print_book(site: Path, chosen: list[Page], target: Path) -> int:
    """Print the chosen pages of the built site into `target`; return the number of its pages.

    Links between the pages become links within the file. Raises NotBuilt without the book, and NoBrowser.
    """
    missing = [page.name for page in chosen if not (site / f"{page.name}.html").is_file()]
    if missing:
        raise NotBuilt(f"The book is not built ({missing[0]} is missing): run `make book` first.")
    titles = [heading(read(site / f"{page.name}.html")) for page in chosen]
    with chromium() as browser:
        browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": _FOLDED})
        printed = [PdfReader(BytesIO(_printed(browser, site / f"{page.name}.html"))) for page in chosen]
        # The list of contents has one page, so the numbers in it are known before it is printed.
        first, at = [], 2
        for part in printed:
            first.append(at)
            at += len(part.pages)
        front = PdfReader(BytesIO(_from_text(browser, _contents(site, chosen, titles, first))))
        numbers = PdfReader(BytesIO(_from_text(browser, _numbers(at - 1))))
    book = PdfWriter()
    for part, title in zip([front, *printed], ["Contents", *titles], strict=True):
        book.append(part, outline_item=title)
    names = ["", *(page.name for page in chosen)]
    parts = zip(names, zip([1, *first], [front, *printed], strict=True), strict=True)
    _join_links(book, site, dict(parts))
    for page, number in zip(book.pages, numbers.pages, strict=True):
        page.merge_page(number)
    book.compress_identical_objects()
    target.parent.mkdir(parents=True, exist_ok=True)
    book.write(target)
    return len(book.pages)


def _printed(browser: webdriver.Chrome, file: Path) -> bytes:
    browser.get(file.as_uri())
    browser.execute_async_script(_READY)
    options = PAPER | {"printBackground": True, "generateTaggedPDF": True, "generateDocumentOutline": True}
    return base64.b64decode(browser.execute_cdp_cmd("Page.printToPDF", options)["data"])


def _from_text(browser: webdriver.Chrome, html: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "page.html"
        file.write_text(_STYLE + html, encoding="utf-8")
        return _printed(browser, file)


def _contents(site: Path, chosen: list[Page], titles: list[str], first: list[int]) -> str:
    lines = "".join(
        f"<tr><td><a href='{(site / page.name).as_uri()}.html'>{escape(title)}</a><td>{at}"
        for page, title, at in zip(chosen, titles, first, strict=True)
    )
    style = (
        "<style>table { width: 100% } td { padding: 4px } td + td { text-align: right } a { color: inherit }"
    )
    return f"{style}</style><h1>{escape(chosen[0].title)}</h1><table>{lines}</table>"


def _numbers(count: int) -> str:
    """Return as many pages as the book has with nothing but their numbers, to lay over it."""
    style = (
        "<style>@page { margin: 0 } body { margin: 0 } p { box-sizing: border-box; height: 100vh; margin: 0;"
    )
    style += " padding-bottom: 1cm; display: flex; align-items: end; justify-content: center; font-size: 9pt;"
    style += " break-after: page } p:last-child { break-after: auto }"
    return f"{style}</style>" + "".join(f"<p>{number}</p>" for number in range(1, count + 1))


def _join_links(book: PdfWriter, site: Path, parts: dict[str, tuple[int, PdfReader]]) -> None:
    """Have links lead to places in the file: those between pages, and those within one of them."""
    for name, (first, part) in parts.items():
        for page in book.pages[first - 1 : first - 1 + len(part.pages)]:
            for reference in page.get("/Annots", []):
                link = reference.get_object()
                file, fragment = urldefrag(_address(link, f"{(site / name).as_uri()}.html"))
                target = file.removeprefix(f"{site.as_uri()}/").removesuffix(".html")
                if target in parts:
                    _lead(link, book, *parts[target], unquote(fragment))
                elif file.startswith("file:"):  # a download, which this file doesn't hold
                    link.pop("/A", None)


def _address(link: DictionaryObject, own: str) -> str:
    """Return where a link leads, as an address of the site, or nothing."""
    action = link.get("/A", {})
    if "/URI" in action:
        return str(action["/URI"])
    named = link.get("/Dest", action.get("/D"))
    return f"{own}#{str(named).lstrip('/')}" if isinstance(named, str) else ""


def _lead(link: DictionaryObject, book: PdfWriter, start: int, there: PdfReader, place: str) -> None:
    found: Any = there.named_destinations.get(place) or there.named_destinations.get(f"/{place}")
    at, top = 0, FloatObject(10_000)  # the top of its first page
    if found is not None:
        at, top = there.get_destination_page_number(found) or 0, FloatObject(found.top or 0)
    page = book.pages[start - 1 + at].indirect_reference
    link.pop("/A", None)
    link[NameObject("/Dest")] = ArrayObject([page, NameObject("/XYZ"), NumberObject(0), top, NumberObject(0)])


if __name__ == "__main__":
    sys.exit(main())
