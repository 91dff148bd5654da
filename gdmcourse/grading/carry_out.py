"""Fourth stage: carry out the plan in the box, one outcome for each question.

What a report tells in words and values comes from runs before which none has seen a hidden input: a run could
tell it to the next one by whatever the machine counts. So runs apart are first carried out without hidden
probes, for all questions, and then whole.
"""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from gdmcourse.grading.notebook import Notebook
from gdmcourse.grading.plan import Plan, shown_part
from gdmcourse.grading.run import Outcome


def carry_out(plan: Plan, box: Callable[[Notebook], Outcome], workers: int) -> dict[str, Outcome]:
    """Run the questions together or apart; those that such a run never got to run alone.

    ``box`` runs one notebook; up to ``workers`` of them run at once. The first of the runs apart tells
    whether the cells between the answers leave any time and a kernel.
    """
    outcomes: dict[str, Outcome] = {}
    ran, whole = dict[str, Notebook](), dict[str, Notebook]()
    if plan.together is not None:
        outcomes = dict.fromkeys(plan.shown, box(plan.together))

    def run(notebooks: Mapping[str, Notebook]) -> None:
        ran.update(notebooks)
        parts = map(shown_part, notebooks.values())
        outcomes.update(zip(notebooks, pool.map(box, parts), strict=True))

    def run_whole(notebooks: Mapping[str, Notebook]) -> None:
        left = {q: n for q, n in notebooks.items() if q in ready and not reached(q, plan.hidden)}
        whole.update(left)
        for question, outcome in zip(left, pool.map(box, left.values()), strict=True):
            outcomes[question] = _with(outcomes[question], plan.hidden[question], outcome)

    def reached(question: str, probes: Mapping[str, Iterable[str]]) -> bool:
        records = outcomes[question].records
        ends = (records.get(name, {}).get("end") for name in probes[question])
        return all(end in ("ok", "error", "timeout") for end in ends)

    with ThreadPoolExecutor(max_workers=workers) as pool:
        first = next(iter(plan.apart), None)
        if first is not None:
            run({first: plan.apart[first]})
            rest = plan.apart if reached(first, plan.shown) else plan.apart | plan.alone
            run({question: rest[question] for question in plan.apart if question != first})
        run({q: n for q, n in plan.alone.items() if not reached(q, plan.shown) and ran.get(q) is not n})
        ready = {question for question in plan.shown if reached(question, plan.shown)}
        run_whole(ran)
        run_whole({q: n for q, n in plan.alone.items() if whole.get(q) is not n})
    return outcomes


def _with(shown: Outcome, hidden: Iterable[str], whole: Outcome) -> Outcome:
    """What was shown, with the hidden probes of a whole run."""
    records = {name: whole.records[name] for name in hidden if name in whole.records}
    return Outcome(shown.records | records, whole.gone)
