"""Fourth stage: carry out the plan in the box, one outcome for each question."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from gdmcourse.grading.notebook import Notebook
from gdmcourse.grading.plan import Plan
from gdmcourse.grading.run import Outcome


def carry_out(plan: Plan, box: Callable[[Notebook], Outcome], workers: int) -> dict[str, Outcome]:
    """Run the questions together or apart; those that such a run never got to run alone.

    ``box`` runs one notebook; up to ``workers`` of them run at once. The first of the runs apart tells
    whether the cells between the answers leave any time and a kernel.
    """
    outcomes: dict[str, Outcome] = {}
    ran: dict[str, Notebook] = {}
    if plan.together is not None:
        outcomes = dict.fromkeys(plan.probes, box(plan.together))

    def run(notebooks: Mapping[str, Notebook]) -> None:
        ran.update(notebooks)
        outcomes.update(zip(notebooks, pool.map(box, notebooks.values()), strict=True))

    def reached(question: str) -> bool:
        records = outcomes[question].records
        ends = (records.get(name, {}).get("end") for name in plan.probes[question])
        return all(end in ("ok", "error", "timeout") for end in ends)

    with ThreadPoolExecutor(max_workers=workers) as pool:
        first = next(iter(plan.apart), None)
        if first is not None:
            run({first: plan.apart[first]})
            rest = plan.apart if reached(first) else plan.apart | plan.alone
            run({question: rest[question] for question in plan.apart if question != first})
        run({q: n for q, n in plan.alone.items() if not reached(q) and ran.get(q) is not n})
    return outcomes
