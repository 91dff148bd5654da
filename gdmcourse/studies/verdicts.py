"""What the records say of the claims: each verdict is worked out from numbers, by one rule."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gdmcourse.metrics.comparison import Paired, holm, paired
from gdmcourse.studies.claims import CLAIMS, Claim
from gdmcourse.studies.evidence import HERE, Contrast
from gdmcourse.studies.evidence_elsewhere import ELSEWHERE
from gdmcourse.studies.record import record

ALPHA = 0.05
EVIDENCE = HERE | ELSEWHERE
FEWEST = 6  # seeds: with five no permutation of signs is rarer than 1 in 16
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
    tested = [i for i, (_, each) in enumerate(measured) if is_tested(each)]
    adjusted = dict(zip(tested, holm([numbers[i].p_value for i in tested]), strict=True))
    found: dict[int, list[Finding]] = {claim.number: [] for claim in CLAIMS}
    for i, (claim, each) in enumerate(measured):
        p_value = adjusted.get(i, math.nan)
        found[claim.number].append(
            Finding(each, numbers[i], p_value, state(each, numbers[i], p_value, claim.margin))
        )
    return [Verdict(claim, word(claim, found[claim.number]), tuple(found[claim.number])) for claim in CLAIMS]


def is_tested(each: Contrast) -> bool:
    """Whether the contrast takes part in Holm's correction: enough seeds, and not a mere count."""
    return not each.counted and len(each.differences) >= FEWEST


def state(each: Contrast, numbers: Paired, adjusted: float, margin: float) -> str:
    """Yes if the interval lies beyond the margin and the corrected test agrees; no if it lies short of it."""
    if each.counted:
        return "yes" if numbers.mean > margin else "no"
    if not is_tested(each):
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
