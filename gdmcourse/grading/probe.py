"""Runs in the student's kernel: values as data under a private MIME type. Nothing is judged here.

The judge trusts none of this code: whatever a student patches, what arrives must be the right numbers.
"""

import math
import os
import sys
from collections.abc import Callable
from typing import Any, TextIO

MIME = "application/vnd.gdmcourse.probe+json"
MOST = 4096  # numbers in one probe; beyond it only the shape is sent


def probe(value: Any, *, rtol: float = 1e-4, atol: float = 1e-6) -> None:
    """Emit a value (tensor, array, number, string, or lists of them) for the judge to compare.

    A value is right within ``atol + rtol * |expected|``; the tolerance that counts is the one of the source.
    Silent while a notebook is graded, where the grader's own probes are called.
    """
    if not os.environ.get("GDMCOURSE_GRADING"):
        emit(value, None, 0, rtol, atol)


def numbered(token: str) -> Callable[..., None]:
    """A ``probe`` for one cell of a graded notebook, whose calls carry the cell's token and are counted."""
    count = iter(range(MOST))

    def probe(value: Any, *, rtol: float = 1e-4, atol: float = 1e-6) -> None:
        emit(value, token, next(count), rtol, atol)

    return probe


def emit(value: Any, token: str | None, index: int, rtol: float, atol: float) -> None:
    """Publish one value under the private MIME type, and a short text for the reader of a live notebook."""
    from IPython.display import publish_display_data

    payload = {
        "token": token,
        "index": index,
        "rtol": float(rtol),
        "atol": float(atol),
        "value": encode(value),
    }
    publish_display_data({MIME: payload, "text/plain": f"probe: {value!r}"[:1000]})


def swallow(*_: Any, **__: Any) -> TextIO:
    """The kernel's stdout and stderr while it is graded: nobody compares what is printed."""
    return open(os.devnull, "w", encoding="utf-8", errors="replace")


def encode(value: Any, depth: int = 0) -> dict[str, Any]:
    """The value as JSON-able data: type, shape and numbers (NaN and infinities as strings). Never raises."""
    torch, numpy = sys.modules.get("torch"), sys.modules.get("numpy")
    try:
        if value is None:
            return {"type": "none"}
        if isinstance(value, str):
            return {"type": "text", "text": str(value)[: 8 * MOST]}
        if isinstance(value, bool | int | float):
            return _array([value], [], next(t.__name__ for t in (bool, int, float) if isinstance(value, t)))
        if torch is not None and isinstance(value, torch.Tensor):
            value = value.detach().cpu().resolve_conj().resolve_neg()
            return _array(value.reshape(-1)[: MOST + 1].tolist(), list(value.shape), str(value.dtype))
        if numpy is not None and isinstance(value, numpy.ndarray | numpy.generic):
            return _array(value.reshape(-1)[: MOST + 1].tolist(), list(value.shape), str(value.dtype))
        if isinstance(value, list | tuple) and depth < 8:
            return {"type": "list", "items": [encode(item, depth + 1) for item in value[:MOST]]}
        if isinstance(value, dict) and depth < 8:
            pairs = sorted((str(key), item) for key, item in list(value.items())[:MOST])
            return {
                "type": "dict",
                "keys": [k for k, _ in pairs],
                "items": [encode(v, depth + 1) for _, v in pairs],
            }
    except Exception as error:
        return {"type": "unsupported", "name": f"{type(value).__name__} ({type(error).__name__})"}
    return {"type": "unsupported", "name": type(value).__name__}


def _array(values: list[Any], shape: list[int], dtype: str) -> dict[str, Any]:
    kind = next((k for k in ("bool", "int", "float") if k in dtype), None)
    if kind is None:
        return {"type": "unsupported", "name": f"array of {dtype}"}
    if len(values) > MOST:
        return {"type": kind, "shape": shape, "values": None}
    return {"type": kind, "shape": shape, "values": [_number(value) for value in values]}


def _number(value: Any) -> Any:
    """JSON has no NaN and no infinity, so they travel as strings."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
