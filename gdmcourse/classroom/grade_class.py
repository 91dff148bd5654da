"""Grade a class: what was handed in, what of it has to run, and what came back, into the gradebook."""

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from gdmcourse.classroom.cluster import Job
from gdmcourse.classroom.collect import Submission, collect
from gdmcourse.classroom.gradebook import Gradebook
from gdmcourse.classroom.work import Kept, cut_short, errand, order
from gdmcourse.grading.clean import clean
from gdmcourse.grading.key import Key
from gdmcourse.grading.limits import Limits


class Pool(Protocol):
    """What grades jobs: a cluster, or a stand-in for one."""

    def run(self, jobs: Iterator[Job]) -> Iterator[list[tuple[Job, dict[str, Any]]]]:
        """Yield what has come back, in any order."""


@dataclass
class Taken:
    """What an intake found, and what grading made of it: numbers of contents, and sentences to tell."""

    submissions: int = 0
    contents: int = 0
    to_do: int = 0
    graded: int = 0
    problems: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def grade_class(
    book: Gradebook,
    key: Key,
    paths: Sequence[Path],
    pool: Callable[[], Any],
    limits: Limits | None = None,
    *,
    hidden: Sequence[Path] = (),
    unsandboxed: bool = False,
    tell: Callable[[Taken], object] = lambda taken: None,
) -> Taken:
    """Grade what isn't graded yet; ``tell`` hears of every step. What has come back is kept at once.

    Raises ValueError where nothing can be graded: no sandbox, no scheduler, no gradebook to write.
    """
    limits = limits or Limits()
    found = collect(paths, key.chapter)
    taken = Taken(submissions=len(found))
    contents: dict[str, Submission] = {}
    rows = []
    for submission in found:
        digest, problem = _digest(submission)
        rows.append((submission, digest, problem))
        if digest is not None:
            contents.setdefault(digest, submission)
        else:
            taken.problems.append(f"{submission.file}: {problem}")
    book.set_assignment(key)
    book.take_in(key.chapter, rows)
    taken.problems += _twice(rows)
    taken.contents = len(contents)
    bounds = json.dumps(dataclasses.asdict(limits), sort_keys=True)
    jobs = []
    for digest, submission in contents.items():
        known = book.known(digest, key)
        if not book.is_graded(digest, key) or any(_again(entry, bounds) for entry in known.values()):
            jobs.append((digest, submission))
    taken.to_do = len(jobs)
    tell(taken)
    if not jobs:
        return taken

    def own(digest: str) -> str:
        usable = {
            q: kept for q, (made, kept) in book.known(digest, key).items() if not _again((made, kept), bounds)
        }
        run = [question.id for question in key.questions if question.id not in usable]
        return errand(f"{digest[:12]}.ipynb", run, usable)

    queue = (Job(d, partial(_same, s, d), partial(own, d)) for d, s in jobs)
    with pool() as workers:
        for arrived in workers.run(order(key, limits, hidden, unsandboxed), queue):
            _keep(book, key, contents, arrived, bounds, taken)
            tell(taken)
    return taken


def _keep(
    book: Gradebook,
    key: Key,
    contents: dict[str, Submission],
    arrived: list[tuple[Job, dict[str, Any]]],
    bounds: str,
    taken: Taken,
) -> None:
    """Commit what has come back; what no worker could grade is told, and tried again at the next command."""
    for _, result in arrived:
        if "refused" in result:
            raise ValueError(result["refused"])
    whole = [(job.digest, result) for job, result in arrived if "failed" not in result]
    if whole:
        book.record(key, whole, bounds)
    taken.graded += len(whole)
    for job, result in arrived:
        file = contents[job.digest].file
        if "failed" in result:
            taken.failed.append(
                f"{file}: {result['failed']}; it is tried again when the command is given again"
            )
        elif "unreadable" in result:
            taken.problems.append(f"{file}: {result['unreadable']}")


def _digest(submission: Submission) -> tuple[str | None, str | None]:
    """The hash of the content, or the reason why there is none."""
    if submission.problem is not None:
        return None, submission.problem
    try:
        return hashlib.sha256(submission.load()).hexdigest(), None
    except OSError as error:
        return None, f"it can't be read ({clean(error.strerror or error)})"


def _same(submission: Submission, digest: str) -> bytes:
    """The content that was taken in; raises OSError where the file has another by now."""
    content = submission.load()
    if hashlib.sha256(content).hexdigest() != digest:
        raise OSError("it was changed in the meantime")
    return content


def _twice(rows: list[tuple[Submission, str | None, str | None]]) -> list[str]:
    """A sentence for each student of whom several different files are here."""
    by_student: dict[str, dict[str, Submission]] = {}
    for submission, digest, _ in sorted(rows, key=lambda row: row[0].at or 0.0):
        if digest is not None:
            by_student.setdefault(submission.student.id, {})[digest] = submission
    said = []
    for own in (list(own.values()) for own in by_student.values() if len(own) > 1):
        files = ", ".join(submission.file for submission in own)
        told = f"{own[-1].student.name} handed in {len(own)} files ({files})"
        said.append(f"{told}; {own[-1].file} is the last and counts")
    return said


def _again(entry: tuple[str, Kept], bounds: str) -> bool:
    """Whether limits ended that run and are others now."""
    made, kept = entry
    return made != bounds and cut_short(kept)
