"""Compare values from a student's kernel with the expected ones. What arrives is not trusted.

Values are what ``probe.encode`` makes: a type, a shape and numbers. A number is right when it lies within
``atol + rtol * |expected|``; NaN is right only where NaN is expected, and is never within a tolerance.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gdmcourse.grading.clean import clean

Value = dict[str, Any]
REFUSED = "refused"  # what a setup's function returns where an answer raised the right error


@dataclass(frozen=True)
class Difference:
    """The first number or text that is wrong: what it should …, what it …, and where in the value it is."""

    should: str
    got: str
    items: tuple[Any, ...] = ()
    entry: str | None = None

    @property
    def words(self) -> str:
        """The difference as a student reads it first."""
        return f"it should {self.should}, and {self.got}"


def leaves(value: Value) -> int:
    """How many values an expected value counts for: its numbers, or one for a text or an empty list."""
    if value["type"] in ("list", "dict"):
        return sum(leaves(item) for item in value["items"]) or 1
    return max(1, len(value.get("values") or []))


def compare(expected: Value, got: Any, rtol: float, atol: float) -> list[bool]:
    """Which of the expected leaves are right; a difference of type or shape makes all of them wrong."""
    wrong = [False] * leaves(expected)
    if not is_comparable(expected, got):
        return wrong
    kind = expected["type"]
    if kind in ("list", "dict"):
        parts = [compare(e, g, rtol, atol) for e, g in zip(expected["items"], got["items"], strict=True)]
        return [flag for part in parts for flag in part] or [True]
    if kind in ("text", "none"):
        return [got.get("text") == expected.get("text")]
    pairs = zip(expected["values"], got["values"], strict=True)
    return [_close(kind, e, g, rtol, atol) for e, g in pairs] or [True]


def is_comparable(expected: Value, got: Any) -> bool:
    """Whether two values have the same type, length and shape, so that their numbers can be compared."""
    if not isinstance(got, dict) or not _well_formed(got) or not _same_type(expected["type"], got["type"]):
        return False
    if expected["type"] in ("list", "dict"):
        return len(got["items"]) == len(expected["items"]) and got.get("keys") == expected.get("keys")
    if expected["type"] in ("text", "none"):
        return True
    return got["shape"] == expected["shape"] and len(got["values"] or []) == len(expected["values"])


def difference(expected: Value, got: Any, rtol: float, atol: float) -> Difference | None:
    """The first thing that is wrong, or None where all is right."""
    if not isinstance(got, dict):
        return Difference(*_two_words(expected, got, atol))
    if expected["type"] == "text" and got.get("type") == "text":
        same = got.get("text") == expected["text"]
        return None if same else Difference(*_two_words(expected, got, atol))
    if not is_comparable(expected, got):
        return Difference(*_two_words(expected, got, atol))
    if expected["type"] in ("list", "dict"):
        names = expected.get("keys") or range(len(expected["items"]))
        for name, e, g in zip(names, expected["items"], got["items"], strict=True):
            if found := difference(e, g, rtol, atol):
                return Difference(found.should, found.got, (name, *found.items), found.entry)
        return None
    flags = compare(expected, got, rtol, atol)
    if all(flags):
        return None
    at = flags.index(False)
    values = expected["values"][at], got["values"][at]
    should, is_now = (shown(value, atol) for value in values)
    if should == is_now:  # both below the tolerance, and farther apart
        should, is_now = (shown(value) for value in values)
    entry = _place(at, expected["shape"]) if len(flags) > 1 else None
    return Difference(f"be {should}", f"is {is_now}", entry=entry)


def _two_words(expected: Value, got: Any, atol: float) -> tuple[str, str]:
    """What a value should be and is, where type or shape differ or a text is asked for."""
    got_text = got.get("text") if isinstance(got, dict) and got.get("type") == "text" else None
    should, found = f"be {describe(expected)}", f"is {describe(got)}"
    if expected["type"] == "text":
        refusal = expected["text"] == REFUSED
        should = "have been refused with a ValueError" if refusal else f"be {expected['text']!r}"
        single = isinstance(got, dict) and got.get("shape") == [] and got.get("values")
        found = f"is {shown(got['values'][0], atol)}" if single else found
    elif expected.get("shape") == [] and got_text is not None:
        should = f"be {shown(expected['values'][0], atol)}"
    if got_text is not None:
        found = "was refused with a ValueError" if got_text == REFUSED else f"is {clean(got_text, 100)!r}"
    return should, found


def _place(at: int, shape: Sequence[int]) -> str:
    """The index of a number in a tensor, as one writes it."""
    index: list[int] = []
    for size in reversed(shape):
        at, rest = divmod(at, size)
        index.append(rest)
    return f"[{', '.join(map(str, reversed(index)))}]"


def describe(value: Any) -> str:
    """The type and shape of an encoded value, in words."""
    kind = value.get("type") if isinstance(value, dict) else None
    if kind in ("list", "dict"):
        items = value.get("items")
        return f"a {kind} of {len(items)}" if isinstance(items, list) else f"a {kind}"
    if kind in ("bool", "int", "float"):
        shape = value.get("shape")
        return (
            f"a single {kind}"
            if shape == []
            else f"{kind}s of shape {tuple(shape)}"
            if _is_shape(shape)
            else kind
        )
    if kind in ("text", "none"):
        return "a text" if kind == "text" else "None"
    return f"a {clean(value.get('name', 'thing'), 80)}" if isinstance(value, dict) else "nothing"


def _same_type(expected: str, got: str) -> bool:
    return got == expected or (expected == "float" and got == "int")


def _well_formed(value: Value) -> bool:
    kind = value.get("type")
    if kind in ("list", "dict"):
        return isinstance(value.get("items"), list)
    if kind in ("bool", "int", "float"):
        return _is_shape(value.get("shape")) and isinstance(value.get("values"), list | None)
    return kind in ("text", "none")


def _is_shape(shape: Any) -> bool:
    return isinstance(shape, list) and len(shape) <= 16 and all(type(size) is int for size in shape)


def _close(kind: str, expected: Any, got: Any, rtol: float, atol: float) -> bool:
    if kind == "bool":
        return isinstance(got, bool) and got == expected
    if kind == "int":
        return type(got) is int and got == expected
    wanted, number = _number(expected), _number(got)
    if number is None or wanted is None:
        return False
    if math.isnan(wanted) or math.isinf(wanted):
        return math.isnan(number) if math.isnan(wanted) else number == wanted
    return abs(number - wanted) <= atol + rtol * abs(wanted)


def _number(value: Any) -> float | None:
    """A JSON number, or one of the strings that stand for NaN and the infinities."""
    if type(value) in (int, float):
        try:
            return float(value)
        except OverflowError:
            return None
    return float(value) if value in ("nan", "inf", "-inf") else None


def shown(value: Any, atol: float = 0.0) -> str:
    """A number as a report shows it, 0 where it is one to the tolerance `atol`, or a word in its place."""
    if type(value) not in (int, float) or not abs(value) < 1e300:
        return clean(value, 40)
    return "0" if type(value) is float and abs(value) < atol else f"{value:.6g}"


def agree(expected: list[dict[str, Any]], values: list[Any], reference: list[Any] | None = None) -> bool:
    """Whether values equal the expected ones, or those of ``reference``, within the probe's tolerances."""
    for number, (entry, value) in enumerate(zip(expected, values, strict=True)):
        wanted = entry["value"] if reference is None else reference[number]
        if wanted is None or value is None:
            if wanted is not value:
                return False
        elif not all(compare(wanted, value, entry["rtol"], entry["atol"])):
            return False
    return True
