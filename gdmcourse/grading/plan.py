"""Third stage: plan the runs of a matched sheet, as notebooks that we assemble.

In each: our setup, the student's cells in their order, then all visible probes, then all hidden ones. So
whatever the student's code says in words, it says before it could have seen a hidden input. Before its
probes, a question gets back the session in which its answer was defined, and the setup runs again.

A probe is scored in one run only, which depends on what the code is and never on whether it is right: with
all other cells where none of them reaches beyond its own names, else without the answers to other questions
that it doesn't need. What a run never got to, since the time was used up or the kernel died, runs alone with
the cells that it needs.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from gdmcourse.grading.imports import imports_of
from gdmcourse.grading.key import Key, KeyProbe, KeyQuestion
from gdmcourse.grading.match import Match, Matched, Piece, needed
from gdmcourse.grading.notebook import Cell, Notebook, code, notebook
from gdmcourse.grading.syntax import is_open_ended, reaches_out


@dataclass(frozen=True)
class Plan:
    """One run for all questions, or else one ``apart`` for each, without the answers to the others.

    ``alone`` has the runs with fewer cells for what those never got to, ``shown`` and ``hidden`` the cells in
    which a question's probes run.
    """

    together: Notebook | None
    apart: dict[str, Notebook]
    alone: dict[str, Notebook]
    shown: dict[str, list[str]]
    hidden: dict[str, list[str]]


def plan(matched: Matched, key: Key, only: str | None = None) -> Plan:
    """What has to run for the answered questions of ``key``, or for one of them."""
    answered = [
        question
        for question in key.questions
        if only in (None, question.id)
        and question.probes
        and matched.questions[question.id].state == "answered"
    ]
    divided = any(reaches_out(piece.source) for piece in matched.pieces)
    apart, alone = {}, {}
    for question in answered:
        pieces = needed(matched.pieces, matched.questions[question.id].names)
        most = [piece for piece in matched.pieces if not (divided and piece.answers) or piece in pieces]
        if divided:
            apart[question.id] = assemble(key, matched, most, [question])
        if pieces != most or (not divided and len(answered) > 1):
            alone[question.id] = assemble(key, matched, pieces, [question])
    return Plan(
        together=assemble(key, matched, matched.pieces, answered) if answered and not divided else None,
        apart=apart,
        alone=alone,
        shown={q.id: [probe.id for probe in q.probes if not probe.hidden] for q in answered},
        hidden={q.id: [probe.id for probe in q.probes if probe.hidden] for q in answered},
    )


def assemble(
    key: Key, matched: Matched, pieces: Sequence[Piece], questions: Sequence[KeyQuestion]
) -> Notebook:
    """The notebook of one run; of cells that are left out, the imports run."""
    cells = setup_cells(key.setup, key.files)
    asked = {q: [list(m.names), list(m.functions)] for q, m in matched.questions.items() if m.names}
    for piece in matched.pieces:
        if piece in pieces:
            cells.append(plain_cell(piece.name, piece.source, "student"))
            if piece.answers or is_open_ended(piece.source):
                cells.append(
                    plain_cell(f"{piece.name}-kept", INSIDE.format(f"keep({asked!r}, globals())"), "ready")
                )
        elif imports := imports_of(piece.source):
            cells.append(plain_cell(f"{piece.name}-imports", imports, "student"))
    token = secrets.token_hex(8)
    for hidden in (False, True):
        for question in questions:
            probes = [probe for probe in question.probes if probe.hidden is hidden]
            if probes:
                about = matched.questions[question.id]
                cells.append(
                    _ready(f"{question.id}-{'hidden' if hidden else 'visible'}", question.id, key.setup)
                )
                cells += [_probe(probe, about, f"{token}-{probe.id}") for probe in probes]
    return notebook(cells)


def shown_part(apart: Notebook) -> Notebook:
    """The notebook of one question without its hidden probes, which come last."""
    names = [cell["id"] for cell in apart["cells"]]
    end = next((n for n, name in enumerate(names) if name.endswith("-hidden-ready")), None)
    return {**apart, "cells": apart["cells"][:end]}


INSIDE = "from gdmcourse.grading import inside as _inside\n_inside.{}"


def setup_cells(setup: Sequence[str], files: dict[str, str]) -> list[Cell]:
    """What runs before a student's first cell."""
    first = ["from gdmcourse.grading import check, probe"]
    if files:
        first.append(INSIDE.format(f"put({files!r})"))
    return [plain_cell(f"setup-{number}", source, "setup") for number, source in enumerate([*first, *setup])]


def plain_cell(name: str, source: str, role: str) -> Cell:
    """A cell of an assembled notebook."""
    return code(source, name, gdmcourse={"role": role})


def probe_cell(name: str, source: str, token: str, names: Sequence[str], calls: int | None) -> Cell:
    """A probe as it is run: its calls carry the token, and the judge keeps the values of that many."""
    line = INSIDE.format(f"call({source!r}, {token!r}, {list(names)!r}, globals())")
    return code(line, name, gdmcourse={"role": "probe", "token": token, "calls": calls})


def _ready(name: str, question: str, setup: Sequence[str]) -> Cell:
    lines = [INSIDE.format(f"back({question!r}, globals())"), *setup]
    return plain_cell(f"{name}-ready", "\n".join(lines), "ready")


def _probe(probe: KeyProbe, about: Match, token: str) -> Cell:
    return probe_cell(probe.id, probe.source, token, about.names, len(probe.expected))
