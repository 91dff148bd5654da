"""What the records say of the claims: each verdict is worked out from numbers, by one rule."""

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from gdmcourse.metrics.comparison import Paired, holm, paired
from gdmcourse.studies.claims import CLAIMS, Claim
from gdmcourse.studies.evidence import HERE, Contrast
from gdmcourse.studies.evidence_elsewhere import ELSEWHERE
from gdmcourse.studies.record import record

ALPHA = 0.05
EVIDENCE = HERE | ELSEWHERE
FEWEST = 6  # seeds of an interval that may deny: with five no permutation of signs is rarer than 1 in 16
TESTED = (
    10  # seeds of a test that may confirm: with fewer it can't pass Holm's correction, so it takes no part
)
HOLDS, WHEN, NOT, OPEN = "holds", "holds when", "does not hold here", "not testable at this size"
UNSEEN = "not measured"


@dataclass(frozen=True)
class Finding:
    """A contrast with its numbers, and whether it confirms the claim (yes), denies it (no), or is open."""

    contrast: Contrast
    paired: Paired
    adjusted: float
    state: str


@dataclass(frozen=True)
class Verdict:
    """A claim with the word that the rule gives it, and why."""

    claim: Claim
    word: str
    findings: tuple[Finding, ...]

    @property
    def conditions(self) -> tuple[str, ...]:
        """Under which the claim holds."""
        return tuple(each.contrast.condition for each in self.findings if each.state == "yes")


def verdicts(read: Callable[[str], dict[str, Any]] = record) -> list[Verdict]:
    """The verdict on every claim, by the records that `read` finds; one without rows says nothing."""
    rows = {claim.record: read(claim.record)["rows"] for claim in CLAIMS}
    measured = [
        (claim, each)
        for claim in CLAIMS
        if rows[claim.record]
        for each in EVIDENCE[claim.number](rows[claim.record])
    ]
    numbers = [_numbers(each) for _, each in measured]
    adjusted = _adjusted(measured, numbers)
    found: dict[int, list[Finding]] = {claim.number: [] for claim in CLAIMS}
    for i, (claim, each) in enumerate(measured):
        p_value = adjusted.get(i, math.nan)
        found[claim.number].append(
            Finding(each, numbers[i], p_value, state(each, numbers[i], p_value, claim.margin))
        )
    return [Verdict(claim, word(claim, found[claim.number]), tuple(found[claim.number])) for claim in CLAIMS]


def through(distance: str, read: Callable[[str], dict[str, Any]] = record) -> Callable[[str], dict[str, Any]]:
    """What `read` finds, as if each `frechet` in it were the judge's other `distance` that stands beside."""

    def look(value: Any) -> Any:
        if isinstance(value, list):
            return [look(each) for each in value]
        if not isinstance(value, dict):
            return value
        seen = {name: look(each) for name, each in value.items()}
        return seen | {"frechet": seen[distance]} if distance in seen else seen

    return lambda name: look(read(name))


def _adjusted(measured: Sequence[tuple[Claim, Contrast]], numbers: Sequence[Paired]) -> dict[int, float]:
    """P-values after Holm's correction, by place; none where seeds are too few, or a count needs no test.

    A claim that needs all of its conditions is one test with the largest of their p-values.
    """
    tests: dict[Any, list[int]] = defaultdict(list)
    for i, (claim, each) in enumerate(measured):
        if not each.counted:
            tests[claim.number if claim.needs == "all" else (claim.number, i)].append(i)
    whole = [
        places for places in tests.values() if all(len(measured[i][1].differences) >= TESTED for i in places)
    ]
    corrected = holm([max(numbers[i].p_value for i in places) for places in whole])
    return {i: p_value for places, p_value in zip(whole, corrected, strict=True) for i in places}


def state(each: Contrast, numbers: Paired, adjusted: float, margin: float) -> str:
    """Yes if the interval lies beyond the margin and the corrected test agrees; no if it lies short of it."""
    if each.counted:
        return "yes" if numbers.mean > margin else "no"
    if len(each.differences) < FEWEST:
        return "open"
    if numbers.low > margin and adjusted <= ALPHA:
        return "yes"
    return "no" if numbers.high < margin else "open"


def word(claim: Claim, findings: list[Finding]) -> str:
    """One of five: by all conditions, by some, by none, it can't be told, or nothing was run."""
    states = [each.state for each in findings]
    if not states:
        return UNSEEN
    if all(each == "yes" for each in states):
        return HOLDS
    if claim.needs == "all":
        return NOT if "no" in states else OPEN
    if "yes" in states:
        return WHEN
    return NOT if all(each == "no" for each in states) else OPEN


def _numbers(each: Contrast) -> Paired:
    if len(each.differences) == 1:
        value = each.differences[0]
        return Paired(value, value if each.counted else -math.inf, value if each.counted else math.inf, 1.0)
    return paired(each.differences)
