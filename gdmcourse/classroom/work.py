"""What a worker does with one submission. A notebook's bytes and two texts come in, and a text goes out.

The texts are JSON, so nothing that came from a student's process is ever unpickled. What a run gave is kept
in a form from which it can be judged again, by another key, without running.
"""

import dataclasses
import functools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gdmcourse import __version__
from gdmcourse.classroom.version import stamp
from gdmcourse.grading.carry_out import carry_out
from gdmcourse.grading.clean import clean
from gdmcourse.grading.grade import allow, judged, summed
from gdmcourse.grading.key import Key, KeyQuestion, key_of
from gdmcourse.grading.limits import Limits
from gdmcourse.grading.match import Match, match
from gdmcourse.grading.plan import plan
from gdmcourse.grading.read import Unreadable, read_bytes
from gdmcourse.grading.run import Outcome, Runs

LARGEST = 2_000_000  # characters of what one question gave; an honest one gives a hundredth
LONGEST = 32_000_000  # characters of a whole result
Kept = dict[str, Any] | None


def order(key: Key, limits: Limits, hidden: Sequence[Path], unsandboxed: bool) -> str:
    """What workers are told of a whole class: the key, and how a submission is run."""
    places = [str(path.resolve()) for path in hidden]
    told = {"package": __version__, "key": stamp(key).text, "limits": dataclasses.asdict(limits)}
    return json.dumps({**told, "hidden": places, "unsandboxed": unsandboxed})


def errand(name: str, run: list[str], known: dict[str, Kept]) -> str:
    """What a worker is told of one submission: the questions to run, and what earlier runs of it gave."""
    return json.dumps({"name": name, "run": run, "known": known})


def grade(notebook: bytes, told: str, own: str) -> str:
    """Grade one submission; never raises, and says in words what went wrong."""
    try:
        return json.dumps(_grade(notebook, {**json.loads(told), **json.loads(own)}))
    except Unreadable as error:
        return json.dumps({"unreadable": clean(error)})
    except Exception as error:
        return json.dumps({"failed": clean(f"{type(error).__name__}: {error}", 300)})


def _grade(notebook: bytes, told: dict[str, Any]) -> dict[str, Any]:
    if told["package"] != __version__:
        return {
            "refused": f"a worker has gdmcourse {__version__}, and {told['package']} asks; install the same"
        }
    key = _key(told["key"])
    try:
        allow(told["unsandboxed"])
    except ValueError as error:
        return {"refused": str(error)}
    sheet = read_bytes(notebook, told["name"])
    matched = match(sheet, key)
    wanted = dataclasses.replace(key, questions=[q for q in key.questions if q.id in told["run"]])
    fresh: dict[str, Kept] = {}
    if wanted.questions:
        box = Runs(Limits(**told["limits"]), [Path(path) for path in told["hidden"]])
        outcomes = carry_out(plan(matched, wanted), box.run, workers=1)
        fresh = {q.id: kept(q, matched.questions[q.id], outcomes.get(q.id)) for q in wanted.questions}
    known = {**told["known"], **fresh}
    found = {question: outcome_of(data) for question, data in known.items() if data is not None}
    result = summed(sheet, key, judged(key, matched, found), None)
    return {
        "grade": dataclasses.asdict(result),
        "outcomes": fresh,
        "cells": [[piece.name, piece.source, list(piece.answers)] for piece in matched.pieces],
    }


def kept(question: KeyQuestion, about: Match, outcome: Outcome | None) -> Kept:
    """Of an outcome what judging one question reads; None where nothing of it was to be run."""
    if outcome is None:
        return None
    names = [*about.places[-1:], *(probe.id for probe in question.probes)]
    records = {name: outcome.records[name] for name in names if name in outcome.records}
    data = {"records": records, "gone": outcome.gone}
    if len(json.dumps(data)) <= LARGEST:
        return data
    bare = {name: _without_values(record) for name, record in records.items()}
    return {"records": bare, "gone": "it gave more than can be kept"}


def outcome_of(data: dict[str, Any]) -> Outcome:
    """The outcome that was kept."""
    return Outcome(data["records"], data["gone"])


def cut_short(data: Kept) -> bool:
    """Whether a limit ended the run, so that other limits could give something else."""
    return data is not None and bool(
        data["gone"]
        or any(record["end"] in ("timeout", "late", "gone") for record in data["records"].values())
    )


def _without_values(record: dict[str, Any]) -> dict[str, Any]:
    values = record.get("values")
    return record if values is None else {**record, "values": [None] * len(values)}


@functools.lru_cache(maxsize=4)
def _key(text: str) -> Key:
    return key_of(json.loads(text))
