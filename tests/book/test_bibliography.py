"""Citations name one work each."""

from collections import Counter

from gdmbook.bibliography import authors, set_apart
from pybtex.database import parse_file, parse_string

from tests.book.tiny import ROOT

TWINS = """
@misc{one, author = {Lu, Cheng and Zhou, Yuhao and Bao, Fan}, title = {A solver}, year = {2022}}
@misc{two, author = {Lu, Cheng and Zhou, Yuhao}, title = {Two authors}, year = {2022}}
@misc{three, author = {Lu, Cheng and Bao, Fan and Zhou, Yuhao}, title = {A faster solver}, year = {2022}}
@misc{four, author = {van den Oord, A{\\"a}ron}, title = {Waves}, year = {2016}}
@misc{five, author = {van den Oord, A{\\"a}ron}, title = {No year}}
"""


def cited(entries):
    return [f"{authors(entry)}, {entry.fields.get('year')}" for entry in entries.values()]


def test_works_that_would_be_cited_alike_get_letters_by_title_and_only_once():
    entries = parse_string(TWINS, "bibtex").entries
    for _ in range(2):  # Sphinx keeps what it has read, and the next build sets it apart again
        set_apart(entries)
        assert cited(entries) == [
            "Lu et al., 2022b",
            "Lu and Zhou, 2022",
            "Lu et al., 2022a",
            "van den Oord, 2016",
            "van den Oord, None",
        ]


def test_no_two_works_of_the_book_are_cited_alike():
    entries = parse_file(str(ROOT / "book/references.bib")).entries
    dated = {key: entry for key, entry in entries.items() if "year" in entry.fields}
    assert any(count > 1 for count in Counter(cited(dated)).values())
    set_apart(dated)
    assert [name for name, count in Counter(cited(dated)).items() if count > 1] == []
