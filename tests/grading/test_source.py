"""The form of a source: what is read, and errors that name the file, the cell and the fix."""

from pathlib import Path

import pytest

from gdmcourse.grading.exercise import SourceError, stub
from gdmcourse.grading.source import read_source

SOURCE = Path(__file__).parent / "course" / "solutions" / "tiny.md"


def test_the_tiny_source_is_read_whole():
    exercise = read_source(SOURCE)
    assert (exercise.chapter, exercise.points) == ("tiny", 10)
    assert exercise.title == "Exercises: noise in one dimension"
    assert exercise.setup == ("import math",)
    first = exercise.questions[0]
    assert (first.id, first.title, first.points) == ("q1", "How much signal is left", 3)
    assert first.teaches == "eq-forward-marginal"
    assert [probe.hidden for probe in first.probes] == [False, True]
    assert len(first.hints) == 3
    assert [wrong.hint[:9] for wrong in first.wrong] == ["ᾱ scales ", "That is t"]


def test_a_stub_keeps_what_surrounds_the_answer_and_says_what_to_do():
    head = 'class A:\n    """Doc."""\n    def f(self):\n        '
    answer = head + "### BEGIN SOLUTION\n        x = 1\n        return x\n        ### END SOLUTION"
    expected = f'# answer: q9\n{head}raise NotImplementedError("q9: replace this line by your answer")'
    assert stub(answer, "q9") == expected


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("# Exercises: noise", "Exercises: noise", "first cell must be markdown"),
        ("tags: [setup]", "tags: [set-up]", r"cell 2 \(set-up\): is a code cell.*one of the tags"),
        (
            "### q1. How much signal is left (3 points)",
            "### q1. Signal",
            r"cell 3 \(statement, q1\): must start with",
        ),
        ("is left (3 points)", "is left (4 points)", "says 4 points, and those of q1 add up to 3"),
        ("### BEGIN SOLUTION", "# begin", r"cell 7 \(answer, q1\): enclose"),
        (
            "    return math.sqrt(alpha_bar)\n    ###",
            "    return (\n    ###",
            r"cell 7 \(answer, q1\): line \d+ isn't",
        ),
        ("tags: [probe]", "tags: [probe, hidden]", "q1: needs a visible probe"),
        ("points: 1\n", "", r"cell 8 \(probe, q1\): has no `points`"),
        ("points: 1\n", "points: -1\n", "points must be a positive number"),
        ("probe([signal(0.25), signal(1.0)])", "print(1)", r"calls probe\(…\) nowhere"),
        ("hint: ᾱ scales the variance. The image is scaled by its square root.\n", "", "has no `hint`"),
        ("tags: [wrong]", "tags: [other]", r"cell 10 \(other, q1\)"),
        ("tags: [wrong]", "tags: [wrong, probe]", "more than one of the tags"),
        ("tags: [hint]\nquestion: q1", "tags: [hint]\nquestion: q2", "q1: has 2 cells tagged hint"),
        ("tags: [hint]\nquestion: q1", "tags: [hint]", "has no `question`"),
    ],
)
def test_what_breaks_the_form_is_named(tmp_path, old, new, message):
    text = SOURCE.read_text()
    assert old in text
    path = tmp_path / "broken.md"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(SourceError, match=message) as error:
        read_source(path)
    assert "broken.md" in str(error.value)


def test_a_file_that_is_no_notebook_is_named(tmp_path):
    path = tmp_path / "no.md"
    path.write_text("---\njupytext: [\n---\n# x\n")
    with pytest.raises(SourceError, match=r"no\.md"):
        read_source(path)
