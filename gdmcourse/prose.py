"""Numbers for the prose: a chapter names what it computed, and its text shows it.

In a notebook a number is kept among the outputs of its cell, where MyST-NB looks for it when the text says
``{glue:text}`name```; the page never holds a number that somebody typed.
"""

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from IPython.display import display

_PLACE = "application/papermill.record/text/plain"  # MyST-NB's prefix for what is kept and not shown
_POWER = re.compile(r"e([+-])0*(\d+)")
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def numbers(prefix: str, form: str = ".3g", /, **values: Any) -> None:
    """Keep `values` under the names `prefix-name` for the text of the page.

    A dictionary, a dataclass or a sequence stands for its parts, whose keys, fields or places follow in the
    name after another hyphen: `numbers("gui", ".2f", live={("free", 1): {"spread": 0.9}})` keeps 0.90 as
    `gui-live-free-1-spread`. `form` says how a float is written (see `written`); everything else is written
    as it is. The unrounded value stands beside it, for tests.
    """
    for name, value in _parts(values):
        key = f"{prefix}-{name}"
        scrapbook = {"name": key, "mime_prefix": "application/papermill.record/"}
        metadata = {"scrapbook": scrapbook, "value": value}
        display({_PLACE: repr(written(value, form))}, raw=True, metadata=metadata)


def written(value: Any, form: str = ".3g") -> str:
    """Return a number as prose has it: −0.5 with a minus, 5·10⁻² for 5e-02, 62 % with a space.

    `form` is a format for floats as of Python's `format`; other values are written by `str`.
    """
    text = format(value, form) if isinstance(value, float) else str(value)
    text = _POWER.sub(lambda power: "·10" + f"{power[1]}{power[2]}".lstrip("+").translate(_RAISED), text)
    return re.sub(r"(?<![\w.])-(?=\d)", "−", text).replace("%", "\u00a0%")


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the name and the value of each number within `value`."""
    pairs: Any
    if dataclasses.is_dataclass(value):
        pairs = ((field.name, getattr(value, field.name)) for field in dataclasses.fields(value))
    elif isinstance(value, Mapping):
        pairs = value.items()
    elif isinstance(value, Sequence) and not isinstance(value, str):
        pairs = enumerate(value)
    else:
        yield "", _single(value)
        return
    for key, part in pairs:
        for name, number in _parts(part):
            yield "-".join(word for word in (_word(key), name) if word), number


def _word(key: Any) -> str:
    return (
        "-".join(map(_word, key))
        if isinstance(key, tuple)
        else f"{key:g}"
        if isinstance(key, float)
        else str(key)
    )


def _single(value: Any) -> Any:
    """Return the number in an array of one; raises ValueError for more."""
    if not hasattr(value, "tolist"):
        return value
    if isinstance(number := value.tolist(), list):
        raise ValueError(
            f"numbers: an array of {len(number)} is not one number; keep what the text says of it"
        )
    return number
