"""What a teacher decides: marks of open questions, and points in place of the grader's, with reasons."""

from collections.abc import Sequence

from gdmcourse.classroom.gradebook import Gradebook
from gdmcourse.classroom.schema import Decision
from gdmcourse.classroom.standing import one
from gdmcourse.grading.clean import clean
from gdmcourse.grading.key import Key, KeyQuestion


def override(
    book: Gradebook, key: Key, student: str, points: float | None, reason: str, question: str | None = None
) -> None:
    """Give points for a question, or for all, whatever is graded; None takes an earlier decision back."""
    found = one(book, key, student)
    most = _question(key, question) if question is not None else None
    top = most.points + most.marked_points if most is not None else found.points
    if points is not None and not 0 <= points <= top:
        raise ValueError(f"{points:g} points are not between 0 and the {top:g} that there are")
    if not reason.strip():
        raise ValueError("a decision needs a reason; it is shown to the student")
    made = Decision(found.student, "override", points, question or "", clean(reason), found.digest)
    book.decide(key.chapter, [made])


def mark(
    book: Gradebook, key: Key, student: str, question: str, points: Sequence[float], note: str = ""
) -> None:
    """Give the points of an open question's rubric, in its order."""
    found, asked = one(book, key, student), _question(key, question)
    if not asked.rubric:
        raise ValueError(f"{question} has no rubric: the grader gives its points; `override` replaces them")
    made = Decision(found.student, "mark", allowed(asked, points), question, clean(note), found.digest)
    book.decide(key.chapter, [made])


def allowed(question: KeyQuestion, points: Sequence[float]) -> list[float]:
    """The points of a rubric's lines; raises ValueError where these are not as many, or out of range."""
    if len(points) != len(question.rubric) or any(
        not 0 <= given <= item.points for given, item in zip(points, question.rubric, strict=True)
    ):
        told = ", ".join(f"at most {item.points:g} for “{item.text}”" for item in question.rubric)
        raise ValueError(f"give {len(question.rubric)} numbers of points: {told}")
    return list(points)


def history(book: Gradebook, key: Key, student: str) -> list[str]:
    """All that is known of a student, oldest first: what was handed in, graded and decided."""
    found = one(book, key, student)
    own = (key.chapter, found.student)
    events = [
        (row["noted"], f"handed in {row['file']}" + (f": {row['problem']}" if row["problem"] else ""))
        for row in book.rows(
            "SELECT i.at AS noted, h.* FROM handed_in h JOIN intake i ON i.id = h.intake "
            "WHERE h.assignment = ? AND h.student = ? ORDER BY h.id",
            *own,
        )
    ]
    events += [
        (row["at"], f"graded by version {row['version']}: {row['earned']:g} of {row['points']:g} points")
        for row in book.rows("SELECT * FROM grade WHERE assignment = ? AND student = ? ORDER BY rowid", *own)
    ]
    events += [
        (row["at"], f"{row['kind']} {row['question'] or 'of all'}: {row['points']} ({row['reason']})")
        for row in book.rows("SELECT * FROM decision WHERE assignment = ? AND student = ? ORDER BY id", *own)
    ]
    return [f"{at}  {clean(what)}" for at, what in sorted(events, key=lambda event: event[0])]


def _question(key: Key, name: str) -> KeyQuestion:
    for question in key.questions:
        if question.id == name:
            return question
    raise ValueError(f"there is no question {clean(name)}, only {', '.join(q.id for q in key.questions)}")
