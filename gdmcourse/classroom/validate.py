"""Before handing in: will the file be found, read and run, and is there an answer to each question."""

from dataclasses import dataclass
from pathlib import Path

from gdmcourse.grading.assignment import find_key
from gdmcourse.grading.carry_out import carry_out
from gdmcourse.grading.clean import clean
from gdmcourse.grading.limits import Limits
from gdmcourse.grading.match import match
from gdmcourse.grading.plan import plan
from gdmcourse.grading.read import Unreadable, read
from gdmcourse.grading.run import Outcome, Runs


@dataclass(frozen=True)
class Validation:
    """What would happen to the file, a sentence a line, and whether all of it would be graded."""

    lines: list[str]
    whole: bool


def validate(path: Path, keys: Path | None = None, assignment: str | None = None) -> Validation:
    """Look at a student's own notebook as the grader will; nothing is said about right and wrong."""
    if path.suffix.lower() != ".ipynb":
        return Validation(
            [f"✗ {clean(path.name)} would not be found: a notebook's name ends in .ipynb"], False
        )
    try:
        sheet = read(path)
        key = find_key(sheet, path, keys, assignment)
    except Unreadable as error:
        return Validation([f"✗ {clean(path.name)} can't be read: {error}"], False)
    lines = [f"✓ found and read: {sheet.name}, as “{key.title}”"]
    if key.chapter not in path.stem:
        lines.append(
            f"  its name doesn't contain {key.chapter}; of several notebooks that one would be taken"
        )
    matched = match(sheet, key)
    outcomes = carry_out(plan(matched, key), Runs(Limits(), [path.parent]).run, workers=1)
    whole = True
    for question in key.questions:
        about = matched.questions[question.id]
        problem = about.reason
        if problem is None and about.state == "untouched" and not about.written:
            problem = "not answered yet"
        if problem is None and question.id in outcomes:
            problem = _ended(outcomes[question.id], [*about.places, *(probe.id for probe in question.probes)])
        whole = whole and problem is None
        lines.append(
            f"✗ {question.id}: {clean(problem)}" if problem else f"✓ {question.id}: found, and it runs"
        )
    lines.append("This file can be handed in." if whole else "What is marked ✗ would lose its points.")
    return Validation(lines, whole)


def _ended(outcome: Outcome, names: list[str]) -> str | None:
    """How the cells of a question ended, where not well."""
    for name in names:
        record = outcome.records.get(name)
        if record is not None and record["end"] != "ok":
            place = "" if not name.startswith("cell-") else f"cell {name.removeprefix('cell-')}: "
            return f"{place}{record['reason']}"
    return outcome.gone
