"""The numbers that reports name are those that a reader of the page sees."""

import re
from pathlib import Path

import pytest

from gdmcourse.grading.equations import numbers
from gdmcourse.grading.key import read_key

ROOT = Path(__file__).parents[2]
KEYS = sorted((ROOT / "solutions" / "key").glob("*.json"))
NUMBERS = numbers(ROOT)
SHOWN = re.compile(r'class="eqno">\(([\d.]+)\)<a[^>]*href="#equation-([^"]+)"')


@pytest.mark.parametrize("path", KEYS, ids=lambda path: path.stem)
def test_the_rendered_page_has_the_same_numbers(path):
    page = read_key(path).page
    html = ROOT / "_build" / "html" / f"{page}.html"
    if not html.exists():
        pytest.skip("the book isn't built; run `make book`")
    shown = {label: number for number, label in SHOWN.findall(html.read_text())}
    assert shown == {label: number for label, (place, number) in NUMBERS.items() if place == page}


@pytest.mark.parametrize("path", KEYS, ids=lambda path: path.stem)
def test_the_key_has_the_number_of_today(path):
    key = read_key(path)
    for question in key.questions:
        known = NUMBERS[question.teaches] if question.teaches else (None, None)
        assert (question.page, question.number) == known, "run `gdmcourse release` and commit the keys"


def test_chapters_without_a_number_count_from_one(tmp_path):
    (tmp_path / "_toc.yml").write_text(
        "root: a\nparts:\n  - caption: A\n    chapters:\n      - file: book/one\n"
        "  - caption: B\n    numbered: true\n    chapters:\n      - file: book/two\n"
        "      - file: book/three\n"
    )
    (tmp_path / "book").mkdir()
    for name in ("one", "three"):
        (tmp_path / "book" / f"{name}.md").write_text(
            f"$$\nx\n$$ (eq-{name})\n\n$$\ny\n$$\n\n$$\nv\n$$ (def-{name})\n"
        )
    found = numbers(tmp_path)
    assert (found["eq-one"], found["def-one"]) == (("book/one", "1"), ("book/one", "2"))
    assert (found["eq-three"], found["def-three"]) == (("book/three", "2.1"), ("book/three", "2.2"))
