"""Fifth stage: compare what a question's probes gave with what its key expects. Nothing is said here."""

from dataclasses import dataclass
from typing import Any

from gdmcourse.grading.key import KeyProbe, KeyQuestion
from gdmcourse.grading.run import Outcome
from gdmcourse.grading.values import compare as compare_values
from gdmcourse.grading.values import leaves


@dataclass(frozen=True)
class Call:
    """One value that a probe emitted (None where none arrived), and the expected one with its tolerances."""

    expected: dict[str, Any]
    rtol: float
    atol: float
    value: Any
    right: list[bool]

    @property
    def is_right(self) -> bool:
        """Whether every number of the value is right."""
        return all(self.right)


@dataclass(frozen=True)
class Compared:
    """One probe: its calls, how its cell ended, and which arguments the answer changed in place."""

    probe: KeyProbe
    calls: list[Call]
    end: str
    reason: str | None
    changed: list[str]

    @property
    def share(self) -> float:
        """The share of the probe's numbers that are right."""
        flags = [flag for call in self.calls for flag in call.right]
        return sum(flags) / len(flags)


def compare(question: KeyQuestion, outcome: Outcome) -> list[Compared]:
    """Each probe of a question with the values that one run gave."""
    return [_compare(probe, outcome.records.get(probe.id, {})) for probe in question.probes]


def _compare(probe: KeyProbe, record: dict[str, Any]) -> Compared:
    values = record.get("values") or [None] * len(probe.expected)
    calls = [
        Call(e["value"], e["rtol"], e["atol"], value, _flags(e, value))
        for e, value in zip(probe.expected, values, strict=True)
    ]
    end, reason = record.get("end", "never"), record.get("reason")
    return Compared(probe, calls, end, reason, record.get("changed", []))


def _flags(entry: dict[str, Any], value: Any) -> list[bool]:
    if value is None:
        return [False] * leaves(entry["value"])
    return compare_values(entry["value"], value, entry["rtol"], entry["atol"])
