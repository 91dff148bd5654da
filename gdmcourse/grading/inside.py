"""Runs in the student's kernel while it is graded: which definition counts, and how a probe is called.

Like ``probe``, none of this is trusted: whatever a student changes here, the right numbers must arrive.
"""

import base64
import functools
import inspect
import types
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gdmcourse.grading.probe import MIME, encode, numbered

KEPT: dict[str, dict[str, Any]] = {}  # by question, the session as it stood when its answer was defined


def put(files: Mapping[str, str]) -> None:
    """Write the assignment's files, given in base64, into the folder of the notebook."""
    for name, content in files.items():
        Path(name).write_bytes(base64.b64decode(content))


def keep(asked: Mapping[str, Sequence[Sequence[str]]], session: dict[str, Any]) -> None:
    """Remember the session for each question whose names (and which of them are functions) were just defined.

    A name that stands for a function counts only while it can be called, so a number of the same name in a
    scratch cell is no answer.
    """
    for question, (names, functions) in asked.items():
        if all(name in session for name in names) and all(callable(session[name]) for name in functions):
            last = KEPT.get(question)
            if last is None or any(session[name] is not last[name] for name in names):
                KEPT[question] = dict(session)


def back(question: str, session: dict[str, Any]) -> None:
    """Give every name the meaning that it had when the answer was defined; later names stay."""
    session.update(KEPT.get(question, {}))


def call(source: str, token: str, names: Sequence[str], session: dict[str, Any]) -> None:
    """Run a probe's code in a copy of the session, so that its variables can't replace a student's."""
    inner = {**session, "probe": numbered(token)}
    for name in names:
        if isinstance(inner.get(name), types.FunctionType):
            inner[name] = _watched(inner[name], token)
    exec(compile(source, "<probe>", "exec"), inner)


def _watched(function: Callable[..., Any], token: str) -> Callable[..., Any]:
    """The function, which also tells when it has changed one of its arguments in place."""

    @functools.wraps(function)
    def watched(*values: Any, **named: Any) -> Any:
        try:
            inputs = inspect.signature(function).bind(*values, **named).arguments
        except (TypeError, ValueError):  # the call itself will say what is wrong
            inputs = {}
        before = [encode(value) for value in inputs.values()]
        try:
            return function(*values, **named)
        finally:
            for (name, value), known in zip(inputs.items(), before, strict=True):
                if encode(value) != known:
                    _tell(token, name)

    return watched


def _tell(token: str, changed: str) -> None:
    from IPython.display import publish_display_data

    publish_display_data({MIME: {"token": token, "changed": changed}})
