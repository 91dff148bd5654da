"""On paper: a slider prints three frames with their values; the whole book becomes one file."""

import pytest
from gdmbook.chapters import ROOT, Page
from gdmbook.pdf import NotBuilt, print_book
from pypdf import PdfReader

FRAMES = """
const stage = document.querySelector('.frames-stage');
return [...stage.querySelectorAll('img')].filter((image) => image.checkVisibility()).length;
"""


def test_a_slider_prints_its_first_middle_and_last_frame(browser):
    browser.open("book/diffusion/guidance")
    assert browser.js(FRAMES) == 1
    browser.command("Emulation.setEmulatedMedia", media="print")
    assert browser.js(FRAMES) == 3
    values = "return [...document.querySelector('.frames-stage').querySelectorAll('.frames-printed')].map("
    said = browser.js(values + "(frame) => getComputedStyle(frame, '::before').content)")
    assert said == ['"scale s: 0"', '"scale s: 2"', '"scale s: 8"']


def test_pages_are_joined_with_outline_numbers_and_links(site, tmp_path, chromium):
    names = ["book/start/how_to", "book/back/bibliography"]
    target = tmp_path / "book.pdf"
    count = print_book(site, [Page(ROOT, name) for name in names], target)
    pdf = PdfReader(target)
    assert len(pdf.pages) == count > 3
    titles = [item.title for item in pdf.outline if not isinstance(item, list)]
    assert titles == ["Contents", "How to use this book", "Bibliography"]
    numbers = [page.extract_text().split()[-1] for page in pdf.pages]
    assert numbers == [str(number) for number in range(1, count + 1)]
    links = [link.get_object() for page in pdf.pages for link in page.get("/Annots", [])]
    addresses = [str(link["/A"]["/URI"]) for link in links if "/URI" in link.get("/A", {})]
    assert not [address for address in addresses if address.startswith("file:")]
    assert sum("/Dest" in link for link in links) >= len(names)


def test_the_tests_of_the_ledger_stay_folded(site, tmp_path, chromium):
    """Opened they are a quarter of the book, with formulas as TeX, which are drawn on demand."""
    print_book(site, [Page(ROOT, "book/back/ledger")], tmp_path / "book.pdf")
    text = "".join(page.extract_text() for page in PdfReader(tmp_path / "book.pdf").pages)
    assert "Equation" in text
    assert "assert" not in text
    assert r"\begin" not in text


def test_a_book_that_is_not_built_is_said_to_be_missing(tmp_path):
    with pytest.raises(NotBuilt, match="run `make book` first"):
        print_book(tmp_path, [Page(ROOT, "book/start/how_to")], tmp_path / "book.pdf")
