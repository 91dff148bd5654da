"""Exercises: released from one source, graded outside the student's kernel by nbval.

In a notebook: ``probe(value)`` emits values as data, ``check("q1")`` says what the report would say.
"""

from gdmcourse.grading.probe import probe

__all__ = ["check", "probe"]


def check(question: str) -> None:
    """Grade the answer to one question, as it stands in this live notebook, on the visible probes."""
    from gdmcourse.grading.live import check_session

    check_session(question)
