"""A formula is kept together with the punctuation beside it, and no letter of the text is changed by that."""

import pytest
from docutils import nodes
from docutils.utils import new_document
from gdmbook.formulas import KeepTogether
from hypothesis import given
from hypothesis import strategies as st


def document(parts: list[str]) -> nodes.document:
    """A paragraph in which `$…$` is a formula and all else text."""
    made = new_document("test")
    paragraph = nodes.paragraph()
    for part in parts:
        paragraph += nodes.math("", part.strip("$")) if part.startswith("$") else nodes.Text(part)
    made += paragraph
    return made


def kept(parts: list[str]) -> nodes.document:
    made = document(parts)
    KeepTogether(made).run()
    return made


def test_equal_texts_are_told_apart():
    made = kept(["by ", "$a$", ". ", "$b$", ". ", "$c$", ". End"])
    assert made.astext() == "by a. b. c. End"
    together = [node.astext() for node in made.findall(nodes.inline)]
    assert together == ["a.", "b.", "c."]


PARTS = ["$x$", "$y$", ". ", ", ", " (", ") and ", "word", ".", "-th "]


@given(st.lists(st.sampled_from(PARTS), max_size=12))
def test_the_text_stays_letter_for_letter(parts):
    assert kept(parts).astext() == document(parts).astext()


@pytest.mark.parametrize(("after", "expected"), [(". So", "x."), ("-th step", "x-th"), (" and", None)])
def test_only_punctuation_is_kept(after, expected):
    found = [node.astext() for node in kept(["at ", "$x$", after]).findall(nodes.inline)]
    assert found == ([expected] if expected else [])
