"""What of a key decides what: which code runs, which points are given, and what is only said."""

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from gdmcourse.grading.key import Key


@dataclass(frozen=True)
class Stamp:
    """A key as text, with its digests.

    ``runs`` has for each question a digest of all that decides what runs for it: while it stays, nothing runs
    again. ``version`` also covers what is expected and what it is worth, ``wording`` hints and titles too.
    """

    text: str
    runs: dict[str, str]
    version: str
    wording: str


_last: list[tuple[Key, Stamp]] = []  # making a stamp takes longer than all that is done with it for one file


def stamp(key: Key) -> Stamp:
    """The stamp of a key; that of the last one is remembered."""
    if not _last or _last[0][0] is not key:
        _last[:] = [(key, _stamp(key))]
    return _last[0][1]


def _stamp(key: Key) -> Stamp:
    shared = [key.setup, key.forbid, key.files]
    runs = {
        question.id: _digest(
            [
                *shared,
                [question.id, question.names, question.stub],
                [[p.id, p.source, p.hidden, len(p.expected)] for p in question.probes],
            ]
        )
        for question in key.questions
    }
    worth = [
        [
            [[probe.expected, probe.points] for probe in question.probes],
            [[item.points for item in question.rubric], question.marked_points],
        ]
        for question in key.questions
    ]
    text = json.dumps(dataclasses.asdict(key), sort_keys=True)
    return Stamp(text, runs, _digest([runs, worth]), _digest(text))


def _digest(data: Any) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:16]
