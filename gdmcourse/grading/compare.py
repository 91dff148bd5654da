"""Fifth stage: compare what a question's probes gave with what its key expects. Nothing is said here.

Credit is the share of the numbers that are right. An array of whole numbers or of yes and no, such as a path
or a mask, counts as a whole: where there are few values, many are right by chance.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
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
    return _as_wholes(
        entry["value"], iter(compare_values(entry["value"], value, entry["rtol"], entry["atol"]))
    )


def _as_wholes(expected: dict[str, Any], flags: Iterator[bool]) -> list[bool]:
    """The flags of an expected value's leaves, where an array that isn't of floats is right or wrong."""
    if expected["type"] in ("list", "dict") and expected["items"]:
        return [flag for item in expected["items"] for flag in _as_wholes(item, flags)]
    own = list(islice(flags, leaves(expected)))
    return own if expected["type"] == "float" else [all(own)] * len(own)
