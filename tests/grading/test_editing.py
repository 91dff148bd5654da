"""Editors' work on a right notebook: ``check`` and ``grade`` agree, and no point is lost in silence."""

import copy
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gdmcourse.grading.key import read_key
from gdmcourse.grading.live import session_notebook
from gdmcourse.grading.read import read

from .inprocess import grade_in_process


def new(source, **metadata):
    return {"cell_type": "code", "id": "new", "metadata": metadata, "source": source, "outputs": []}


SCRATCH = [
    "noise = noise(0.5) if callable(noise) else noise",
    "# Answer: q2 works, let me look at it\nx = [1, 2]",
    "x0 = 3\nvalues = probe",
    "raise RuntimeError('a scratch cell')",
    'check("q1")\nprobe(0.5)\n1 + 1',
    "def helper(a):\n    probe(a)\n    check('q2')\n    return a",
    "alpha_bar = 0.1\nmath = None\nimport math",
    "signal = 3",
]
COMMENTS = ["# answer: q1", "# answer: my idea", "# q2", "#NBVAL_SKIP"]


def split(cells, n, _):
    """JupyterLab copies the tags; the cell is split where a statement at the top level ends."""
    lines = cells[n]["source"].split("\n")
    starts = [k for k, line in enumerate(lines) if k and line and not line.startswith((" ", "#", ")"))]
    if starts:
        first, second = "\n".join(lines[: starts[0]]), "\n".join(lines[starts[0] :])
        cells[n : n + 1] = [
            {**cells[n], "source": first},
            {**copy.deepcopy(cells[n]), "id": "b", "source": second},
        ]


def merge(cells, n, _):
    if n + 1 < len(cells):
        below = cells.pop(n + 1)
        cells[n]["source"] += "\n\n" + below["source"]


def duplicate(cells, n, _):
    cells.insert(n + 1, {**copy.deepcopy(cells[n]), "id": "copy"})


def move(cells, n, k):
    cells.insert(k % (len(cells) + 1), cells.pop(n))


def below_a_stub(cells, n, _):
    """The answer goes into a new cell, and the stub stays above it."""
    question = cells[n]["metadata"].get("question")
    if question and "answer" in cells[n]["metadata"].get("tags", []) and question in STUBS:
        cells.insert(n, {**copy.deepcopy(cells[n]), "source": STUBS[question]})
        cells[n + 1] = new(cells[n + 1]["source"])


def strip(cells, n, _):
    for cell in cells:
        cell["metadata"] = {}


def change_ids(cells, n, k):
    for number, cell in enumerate(cells):
        cell["id"] = f"c{(number * 7 + k) % 97}"


def comment(cells, n, k):
    cells[n]["source"] = COMMENTS[k % len(COMMENTS)] + "\n" + cells[n]["source"]


def import_above(cells, n, _):
    cells[n]["source"] = "import cmath\n" + cells[n]["source"]


def scratch(cells, n, k):
    cells.insert(n, new(SCRATCH[k % len(SCRATCH)]))


def tried_below(cells, n, _):
    cells[n]["source"] += "\nprint('tried')"


# These keep the order in which names get their meaning, so all points must stay.
KEEPING = [split, merge, duplicate, below_a_stub, strip, change_ids, comment, import_above, tried_below]
OPERATIONS = [*KEEPING, move, scratch]
STUBS: dict[str, str] = {}


def edits(operations):
    return st.lists(
        st.tuples(st.sampled_from(operations), st.integers(0, 30), st.integers(0, 30)), max_size=6
    )


@pytest.fixture(scope="module")
def keys(course):
    notebook = course.notebook()
    for cell in notebook["cells"]:
        if "answer" in cell["metadata"].get("tags", []):
            STUBS[cell["metadata"]["question"]] = "".join(cell["source"])
    return read_key(course.solutions / "key" / "tiny.json"), read_key(course.exercises / "key" / "tiny.json")


def edited(course, steps):
    notebook = course.notebook()
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for cell in cells:
        answer = "answer" in cell["metadata"].get("tags", [])
        cell["source"] = course.answers[cell["metadata"]["question"]] if answer else "".join(cell["source"])
    for operation, n, k in steps:
        operation(cells, n % len(cells), k)
    return {**notebook, "cells": cells}


def sheet_of(notebook, folder):
    path = folder / "tiny.ipynb"
    path.write_text(json.dumps(notebook))
    return read(path)


def checked(notebook, question, key, folder):
    """What ``check`` says in the file, run from the top: the cells as far as the one that calls it."""
    sources = [cell["source"] for cell in notebook["cells"]]
    calls = [n for n, source in enumerate(sources) if f'check("{question}")' in source.split("\n")]
    if not calls:
        return None
    session = session_notebook(sources[: calls[-1] + 1])
    return grade_in_process(sheet_of(session, folder), key, question)[0]


SOME = settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)


@SOME
@given(steps=edits(KEEPING))
def test_everyday_edits_cost_nothing(course, keys, tmp_path, steps):
    notebook = edited(course, steps)
    for grade in grade_in_process(sheet_of(notebook, tmp_path), keys[0]):
        assert grade.earned == grade.points, (grade.reasons, grade.failed)


@SOME
@given(steps=edits(OPERATIONS))
def test_check_and_grade_agree_and_no_point_falls_without_a_sentence(course, keys, tmp_path, steps):
    full, visible = keys
    notebook = edited(course, steps)
    for grade in grade_in_process(sheet_of(notebook, tmp_path), full):
        told = checked(notebook, grade.id, visible, tmp_path)
        if told is not None and told.earned == told.points:
            assert grade.earned == grade.points or grade.note, (told, grade)
        if grade.earned < grade.points:
            assert grade.reasons or grade.failed, grade


@pytest.mark.slow
@pytest.mark.parametrize(
    "steps",
    [
        [(merge, 2, 0), (merge, 4, 0), (strip, 0, 0)],
        [(below_a_stub, 5, 0), (split, 2, 0), (import_above, 3, 0), (scratch, 9, 3)],
        [(duplicate, 5, 0), (scratch, 2, 5), (change_ids, 0, 4), (comment, 8, 0)],
    ],
)
def test_the_same_in_the_box(course, keys, judge, tmp_path, steps):
    path = tmp_path / "tiny.ipynb"
    path.write_text(json.dumps(edited(course, steps)))
    assert judge(path).earned == 10
