"""What is for a second reading is folded, section by section, and counted in its minutes alone."""

import pytest
from docutils import nodes
from docutils.utils import new_document
from gdmbook.folded import Folded, Summary
from gdmbook.reading import CLAIM, LINES, WORDS, Fold, Mark, ReadingTime, minutes

LONG = " ".join(["word"] * 1000)


def section(title: str, *body: nodes.Node) -> nodes.section:
    return nodes.section("", nodes.title("", title), *body, ids=[title])


def page(*parts: nodes.Node) -> nodes.document:
    made = new_document("test")
    made += section("Title", ReadingTime(), *parts)
    return made


def code(lines: int, kind: str) -> nodes.container:
    return nodes.container("", nodes.literal_block("", "\n".join(["x = 1"] * lines)), classes=[kind])


def test_a_marked_section_is_folded_with_each_of_its_subsections():
    sub = section("Sub", nodes.paragraph("", "deep"))
    made = page(
        section("Open", nodes.paragraph("", LONG)), section("Skipped", Mark(), nodes.paragraph("", LONG), sub)
    )
    Fold(made).apply()
    titles = [part.parent.next_node(nodes.title).astext() for part in made.findall(Folded)]
    assert titles == ["Skipped", "Sub"]
    assert not list(made.findall(Mark))
    assert [one.astext() for one in made.findall(Summary)] == [
        "For a second reading, about 10 minutes",
        "For a second reading, about 5 minutes",
    ]


@pytest.mark.parametrize(
    ("skip", "said"),
    [
        (True, "Reading: about 10 minutes at first, 20 with all that is folded."),
        (False, "Reading: about 20 minutes."),
    ],
)
def test_both_times_stand_below_the_title(skip, said):
    mark = [Mark()] if skip else []
    made = page(section("A", nodes.paragraph("", LONG)), section("B", *mark, nodes.paragraph("", LONG)))
    Fold(made).apply()
    (line,) = (part for part in made.findall(nodes.paragraph) if "reading-time" in part["classes"])
    assert line.astext() == said


def test_words_code_and_claims_are_counted_and_output_is_not():
    text = nodes.paragraph("", " ".join(["word"] * 50))
    claim, definition = (nodes.math_block("", "a = b", label=label) for label in ("eq-a", "def-a"))
    parts = [text, code(20, "cell_input"), code(99, "cell_output"), claim, definition]
    assert minutes(parts) == pytest.approx(50 / WORDS + 20 / LINES + CLAIM)
