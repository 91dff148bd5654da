"""`{quiz}`: a question between two sections, to answer before one reads on; it needs no kernel.

    :::{quiz}
    What happens to the mean when the scale is doubled?

    - [ ] It stays.
      No: the shift is proportional to the scale.
    - [x] It moves twice as far.
      So says {eq}`eq-guided-mean`.
    :::

Each choice has a sentence below it, which `book/_static/quiz.js` shows when the choice is taken. Without
scripts the sentences stand folded under "The answer".
"""

import re
from dataclasses import dataclass
from string import ascii_uppercase

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from gdmbook.folded import folded

_CHOICE = re.compile(r"^- \[(?P<mark>[ x])\] (?P<text>.+)$")


@dataclass(frozen=True)
class Choice:
    """One answer: its text, whether it is the right one, and the sentence on it."""

    text: str
    right: bool
    sentence: str


def read_quiz(body: str) -> tuple[str, list[Choice]]:
    """Return the question and its choices; raises ValueError that says what is wrong with them."""
    question: list[str] = []
    blocks: list[tuple[re.Match[str], list[str]]] = []
    for line in body.splitlines():
        start = _CHOICE.match(line)
        if start:
            blocks.append((start, []))
        elif blocks:
            blocks[-1][1].append(line.strip())
        else:
            question.append(line)
    choices = [
        Choice(start["text"], start["mark"] == "x", " ".join(lines).strip()) for start, lines in blocks
    ]
    if not "".join(question).strip() or len(choices) < 2:
        raise ValueError("a quiz has a question and at least two choices, each as `- [ ] text`")
    if sum(choice.right for choice in choices) != 1:
        raise ValueError("exactly one choice of a quiz is right: mark it `- [x]`")
    if silent := [choice.text for choice in choices if not choice.sentence]:
        raise ValueError(f"a quiz says a sentence on each choice, indented below it; {silent[0]!r} has none")
    return "\n".join(question).strip(), choices


def as_markdown(body: str) -> str:
    """Return a quiz as any notebook viewer shows it, the answer folded."""
    question, choices = read_quiz(body)
    letters = list(zip(ascii_uppercase, choices, strict=False))
    listed = "\n".join(f"- **{letter}.** {choice.text}" for letter, choice in letters)
    right = next(letter for letter, choice in letters if choice.right)
    said = "\n".join(f"- **{letter}.** {choice.sentence}" for letter, choice in letters)
    folded_up = f"<details><summary>The answer</summary>\n\nIt is {right}.\n\n{said}\n\n</details>"
    return f"**Predict, then see.** {question}\n\n{listed}\n\n{folded_up}"


class Quiz(SphinxDirective):
    """A question with choices."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return the box: question, choices, and the answer folded."""
        try:
            question, choices = read_quiz("\n".join(self.content))
        except ValueError as error:
            raise self.error(str(error)) from error
        box = nodes.container(classes=["quiz"])
        box += nodes.rubric("", "Predict, then see", classes=["quiz-title"])
        box += self._parsed(question)
        box += self._list([choice.text for choice in choices], "quiz-choices")
        at = next(at for at, choice in enumerate(choices) if choice.right)
        answer = nodes.paragraph("", f"It is {ascii_uppercase[at]}.", classes=["quiz-right"])
        sentences = self._list([choice.sentence for choice in choices], "quiz-sentences")
        box += folded([nodes.Text("The answer")], [answer, sentences], "quiz-answer")
        return [box]

    def _list(self, texts: list[str], kind: str) -> nodes.enumerated_list:
        items = (nodes.list_item("", *self._parsed(text)) for text in texts)
        return nodes.enumerated_list("", *items, enumtype="upperalpha", classes=[kind])

    def _parsed(self, text: str) -> list[nodes.Node]:
        into = nodes.container()
        lines = StringList(text.splitlines(), source=self.env.doc2path(self.env.docname))
        self.state.nested_parse(lines, self.content_offset, into)
        return list(into.children)


def setup(app: Sphinx) -> None:
    """Register the directive."""
    app.add_directive("quiz", Quiz)
