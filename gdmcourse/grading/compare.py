"""Compare values from a student's kernel with the expected ones. What arrives is not trusted.

Values are what ``probe.encode`` makes: a type, a shape and numbers. A number is right when it lies within
``atol + rtol * |expected|``; NaN is right only where NaN is expected, and is never within a tolerance.
"""

import math
from collections.abc import Sequence
from typing import Any

Value = dict[str, Any]


def leaves(value: Value) -> int:
    """How many values an expected value counts for: its numbers, or one for a text or an empty list."""
    if value["type"] in ("list", "dict"):
        return sum(leaves(item) for item in value["items"]) or 1
    return max(1, len(value.get("values") or []))


def compare(expected: Value, got: Any, rtol: float, atol: float) -> list[bool]:
    """Which of the expected leaves are right; a difference of type or shape makes all of them wrong."""
    wrong = [False] * leaves(expected)
    if not isinstance(got, dict) or complaint(expected, got):
        return wrong
    kind = expected["type"]
    if kind in ("list", "dict"):
        parts = [compare(e, g, rtol, atol) for e, g in zip(expected["items"], got["items"], strict=True)]
        return [flag for part in parts for flag in part] or [True]
    if kind in ("text", "none"):
        return [got.get("text") == expected.get("text")]
    pairs = zip(expected["values"], got["values"], strict=True)
    return [_close(kind, e, g, rtol, atol) for e, g in pairs] or [True]


def complaint(expected: Value, got: Any) -> str | None:
    """Why the two can't be compared number by number (type, length, shape), or None where they can."""
    if not isinstance(got, dict):
        return "nothing arrived"
    if not _well_formed(got) or not _same_type(expected["type"], got["type"]):
        return f"it should be {describe(expected)}, and is {describe(got)}"
    if expected["type"] in ("list", "dict"):
        if len(got["items"]) != len(expected["items"]) or got.get("keys") != expected.get("keys"):
            return f"it should be {describe(expected)}, and is {describe(got)}"
        return None
    if expected["type"] in ("text", "none"):
        return None
    if got["shape"] != expected["shape"] or len(got["values"] or []) != len(expected["values"]):
        return f"it should be {describe(expected)}, and is {describe(got)}"
    return None


def first_difference(expected: Value, got: Any, rtol: float, atol: float) -> str | None:
    """The first thing that is wrong, in words for a student, or None where all is right."""
    if problem := complaint(expected, got):
        return problem
    if expected["type"] in ("list", "dict"):
        for name, e, g in zip(
            expected.get("keys") or range(10**6), expected["items"], got["items"], strict=False
        ):
            if problem := first_difference(e, g, rtol, atol):
                return f"{problem} (item {name})" if "(item " not in problem else problem
        return None
    flags = compare(expected, got, rtol, atol)
    if all(flags):
        return None
    if expected["type"] in ("text", "none"):
        return f"it should be {expected.get('text')!r}, and is {str(got.get('text'))[:100]!r}"
    at = flags.index(False)
    place = f" (value {at + 1} of {len(flags)})" if len(flags) > 1 else ""
    return f"it should be {_show(expected['values'][at])}, and is {_show(got['values'][at])}{place}"


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
    names = {"text": "a text", "none": "None"}
    return names.get(
        str(kind), f"a {str(value.get('name', 'thing'))[:80]}" if isinstance(value, dict) else "a thing"
    )


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


def _show(value: Any) -> str:
    return f"{value:.6g}" if type(value) in (int, float) and abs(value) < 1e300 else str(value)[:40]


def by_index(payloads: Sequence[Any], token: str, count: int) -> list[Any]:
    """The values of one probe cell in order; None where none arrived, or more than one for the same place."""
    found: list[list[Any]] = [[] for _ in range(count)]
    for payload in payloads:
        if isinstance(payload, dict) and payload.get("token") == token:
            index = payload.get("index")
            if type(index) is int and 0 <= index < count:
                found[index].append(payload)
    return [values[0] if len(values) == 1 else None for values in found]
