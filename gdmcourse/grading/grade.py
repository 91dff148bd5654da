"""Grade one submission: the line of stages from a file to a grade."""

from pathlib import Path

from gdmcourse.grading import sandbox
from gdmcourse.grading.assignment import find_key, key_folders
from gdmcourse.grading.carry_out import carry_out
from gdmcourse.grading.compare import compare
from gdmcourse.grading.explain import explain
from gdmcourse.grading.key import Key
from gdmcourse.grading.limits import Limits
from gdmcourse.grading.match import Matched, match
from gdmcourse.grading.plan import plan
from gdmcourse.grading.read import Sheet, read
from gdmcourse.grading.result import Grade, QuestionGrade
from gdmcourse.grading.run import Outcome, Runs


def grade(
    path: Path,
    keys: Path | None = None,
    only: str | None = None,
    limits: Limits | None = None,
    *,
    assignment: str | None = None,
    workers: int = 2,
    unsandboxed: bool = False,
) -> Grade:
    """Grade the notebook at ``path``; ``keys`` is a key or a folder of keys, by default the students' ones.

    ``only`` is one question, ``workers`` the number of kernels that may run at once, and ``unsandboxed`` lets
    a teacher's grading go on where there is no sandbox. Raises Unreadable where the submission can't be
    graded at all, ValueError where the key can't be found or isn't clear.
    """
    path = Path(path)
    sheet = read(path)
    key = find_key(sheet, path, keys, assignment)
    names = [question.id for question in key.questions]
    if only is not None and only not in names:
        raise ValueError(f"there is no question {only} in {key.chapter}, only {', '.join(names)}")
    if key.is_full:
        allow(unsandboxed)
    hidden = [path.parent, *key_folders(keys)]
    matched = match(sheet, key)
    box = Runs(limits or Limits(), hidden)
    outcomes = carry_out(plan(matched, key, only), box.run, workers)
    return summed(sheet, key, judged(key, matched, outcomes, only), only)


def judged(
    key: Key, matched: Matched, outcomes: dict[str, Outcome], only: str | None = None
) -> list[QuestionGrade]:
    """Compare and explain each question, or one."""
    questions = [question for question in key.questions if only in (None, question.id)]
    return [
        explain(q, matched.questions[q.id], compare(q, outcomes[q.id]), outcomes[q.id])
        if q.id in outcomes
        else explain(q, matched.questions[q.id])
        for q in questions
    ]


def summed(sheet: Sheet, key: Key, grades: list[QuestionGrade], only: str | None) -> Grade:
    """The grade of the whole sheet; of one question only, it has the points of that."""
    missing = sandbox.missing()
    return Grade(
        notebook=sheet.name,
        chapter=key.chapter,
        title=key.title,
        page=key.page,
        earned=round(sum(grade.earned for grade in grades), 2),
        points=sum(grade.points for grade in grades),
        hidden_points=sum(grade.hidden_points for grade in grades),
        marked_points=sum(grade.marked_points for grade in grades),
        sandbox="bubblewrap" if missing is None else None,
        sandbox_missing=missing,
        questions=grades,
    )


def allow(unsandboxed: bool) -> None:
    """Refuse other people's code where nothing keeps it in."""
    missing = sandbox.missing()
    if missing is not None and not unsandboxed:
        raise ValueError(
            f"other people's code is not run without a sandbox: {missing}. "
            "Where you trust this notebook as your own, add --unsandboxed"
        )
