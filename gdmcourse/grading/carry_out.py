"""Fourth stage: carry out the plan in the box, one outcome for each question."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from gdmcourse.grading.notebook import Notebook
from gdmcourse.grading.plan import Plan
from gdmcourse.grading.run import Outcome


def carry_out(plan: Plan, box: Callable[[Notebook], Outcome], workers: int) -> dict[str, Outcome]:
    """Run all questions together; those that this run never got to, because it ended early, run alone.

    ``box`` runs one notebook; up to ``workers`` of them run at once.
    """
    outcomes = {}
    if plan.together is not None:
        outcome = box(plan.together)
        outcomes = dict.fromkeys(plan.probes, outcome)
    again = [q for q in plan.alone if q not in outcomes or not _reached(plan.probes[q], outcomes[q])]
    with ThreadPoolExecutor(max_workers=workers) as pool:
        alone = pool.map(box, [plan.alone[question] for question in again])
        return outcomes | dict(zip(again, alone, strict=True))


def _reached(probes: list[str], outcome: Outcome) -> bool:
    """Whether a question's probes have run: the kernel lived, and there was time left for them."""
    return all(outcome.records.get(name, {}).get("end") in ("ok", "error", "timeout") for name in probes)
