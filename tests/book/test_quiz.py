"""A quiz: what its source has to hold, and how it stands in a notebook."""

import pytest
from gdmbook.quiz import as_markdown, read_quiz

BODY = """What is two and two?
Think first.

- [ ] Three.
  That is one short.
- [x] Four.
  Count them, as in
  {eq}`eq-sum`.
"""


def test_question_and_choices_are_read():
    question, (three, four) = read_quiz(BODY)
    assert question == "What is two and two?\nThink first."
    assert (three.text, three.right, three.sentence) == ("Three.", False, "That is one short.")
    assert (four.text, four.right, four.sentence) == ("Four.", True, "Count them, as in {eq}`eq-sum`.")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("- [x] Four.\n  Yes.\n- [ ] Five.\n  No.", "a quiz has a question"),
        ("What?\n\n- [x] Four.\n  Yes.", "at least two choices"),
        ("What?\n\n- [ ] Three.\n  No.\n- [ ] Four.\n  No.", "exactly one choice"),
        ("What?\n\n- [x] Three.\n  Yes.\n- [x] Four.\n  Yes.", "exactly one choice"),
        ("What?\n\n- [ ] Three.\n- [x] Four.\n  Yes.", "'Three.' has none"),
    ],
)
def test_a_quiz_that_can_not_be_asked_is_refused(body, said):
    with pytest.raises(ValueError, match=said):
        read_quiz(body)


def test_a_notebook_shows_the_question_and_folds_the_answer():
    asked, _, folded = as_markdown(BODY).partition("<details>")
    assert "**Predict, then see.** What is two and two?" in asked
    assert "- **A.** Three.\n- **B.** Four." in asked
    assert "It is B." in folded
    assert "That is one short." in folded
    assert "one short" not in asked
