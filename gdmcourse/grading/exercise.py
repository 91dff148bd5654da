"""The exercises of a chapter with everything that belongs to them, as their source holds it."""

from dataclasses import dataclass

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
TO_WRITE = "*Write your answer here; your teacher marks it.*"


class SourceError(ValueError):
    """A source of exercises breaks the form: says the file, the cell, and what to do."""


@dataclass(frozen=True)
class Probe:
    """A cell that computes values at given inputs; students never see a hidden one."""

    id: str
    source: str
    points: float
    hidden: bool


@dataclass(frozen=True)
class Wrong:
    """A plausible wrong answer, and the sentence that would help the student who wrote it.

    ``hidden_only`` says why no visible probe can show that it is wrong; None where one does.
    """

    source: str
    hint: str
    hidden_only: str | None = None


@dataclass(frozen=True)
class Item:
    """A line of an open question's rubric, and the points that a teacher gives for it."""

    points: float
    text: str


@dataclass(frozen=True)
class Question:
    """One question with everything that belongs to it; ``teaches`` is the label of the equation behind it.

    An open question has a ``rubric`` for the teacher, and may have neither an answer in code nor probes.
    """

    id: str
    title: str
    statement: str
    hints: tuple[str, ...]
    answer: str
    teaches: str | None
    probes: tuple[Probe, ...]
    wrong: tuple[Wrong, ...]
    rubric: tuple[Item, ...] = ()

    @property
    def marked_points(self) -> float:
        """The points that a teacher gives."""
        return sum((item.points for item in self.rubric), 0.0)

    @property
    def points(self) -> float:
        """The points of all probes, hidden ones too, and of the rubric."""
        return sum((probe.points for probe in self.probes), self.marked_points)

    @property
    def stub(self) -> str:
        """What a student finds in the answer cell."""
        return stub(self.answer, self.id) if self.answer else ""


@dataclass(frozen=True)
class Exercise:
    """The exercises of one chapter.

    ``forbid`` names the modules that an answer may not import, ``files`` those that lie beside the notebook.
    """

    chapter: str
    title: str
    introduction: str
    setup: tuple[str, ...]
    questions: tuple[Question, ...]
    forbid: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    @property
    def points(self) -> float:
        """The points of all questions."""
        return sum((question.points for question in self.questions), 0.0)


def stub(answer: str, question: str) -> str:
    """The answer with what lies between the solution markers replaced by ``raise NotImplementedError``."""
    lines = [f"# answer: {question}"]
    inside = False
    for line in answer.splitlines():
        if line.strip() == BEGIN:
            inside = True
            indent = line[: len(line) - len(line.lstrip())]
            lines.append(f'{indent}raise NotImplementedError("{question}: replace this line by your answer")')
        elif line.strip() == END:
            inside = False
        elif not inside:
            lines.append(line)
    return "\n".join(lines)


def edited(answer: str, edits: tuple[tuple[str, str], ...]) -> str:
    """The reference answer with pieces of its text replaced; each must be there exactly once."""
    lines = [line for line in answer.splitlines() if line.strip() not in (BEGIN, END)]
    text = "\n".join(lines)
    for old, new in edits:
        if text.count(old) != 1:
            raise SourceError(
                f"`{old}` is in the reference {text.count(old)} times; name a text that is there once"
            )
        text = text.replace(old, new)
    return text
