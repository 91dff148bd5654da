"""Assembled notebooks: the order of cells, what runs alone, and that no result decides which run counts."""

import dataclasses

import pytest

from gdmcourse.grading.carry_out import carry_out
from gdmcourse.grading.key import read_key
from gdmcourse.grading.match import match
from gdmcourse.grading.plan import plan
from gdmcourse.grading.read import read
from gdmcourse.grading.run import Outcome


@pytest.fixture
def planned(course):
    key = read_key(course.solutions / "key" / "tiny.json")
    return lambda path, only=None: plan(match(read(path), key), key, only)


def ids(notebook):
    return [
        cell["id"].rsplit("-", 1)[0] if "cell-" in cell["id"] else cell["id"] for cell in notebook["cells"]
    ]


def test_all_that_a_student_wrote_runs_first_and_hidden_probes_last(planned, submit):
    names = [cell["id"] for cell in planned(submit()).together["cells"]]
    assert [name for name in names if "probe" in name] == [
        *(f"q{n}-probe-1" for n in (1, 2, 3)),
        *(f"q{n}-probe-2" for n in (1, 2, 3)),
    ]
    assert max(n for n, name in enumerate(names) if "cell" in name) < names.index("q1-probe-1")
    assert names[names.index("q2-probe-1") - 1] == "q2-visible-ready"


def test_no_cell_holds_an_expected_value(planned, submit):
    assert all("expected" not in str(cell["metadata"]) for cell in planned(submit()).together["cells"])


def test_code_that_reaches_beyond_its_names_sends_every_question_alone(planned, submit):
    for reaching in (
        "import os",
        "from threading import Thread",
        "math.sqrt = abs",
        "math.__dict__['sqrt'] = abs",
        "setattr(math, 'sqrt', abs)",
        "get_ipython()",
        "%load_ext x\n%time 1",
        "del math.sqrt",
    ):
        plan = planned(submit(q1=f"def signal(a):\n    return 1\n{reaching}"))
        assert plan.together is None, reaching
        assert set(plan.alone) == {"q1", "q2", "q3"}
    for harmless in ("import numpy", "x = {}\nx[1] = 2", "class A:\n    def f(self):\n        self.a = 1"):
        assert planned(submit(q1=f"def signal(a):\n    return 1\n{harmless}")).together, harmless


def test_alone_a_question_takes_what_it_needs_and_the_imports_of_the_rest(planned, submit, course):
    answers = {"q1": f"import os\nfrom math import pi\n{course.answers['q1']}"}
    alone = planned(submit(**answers)).alone
    sources = ["".join(cell["source"]) for cell in alone["q2"]["cells"]]
    assert "import os\nfrom math import pi" in sources
    assert course.answers["q2"] in sources
    assert answers["q1"] not in sources
    assert answers["q1"] in ["".join(cell["source"]) for cell in alone["q3"]["cells"]]


def test_what_isnt_answered_does_not_run(planned, course, submit):
    nothing = planned(course.exercises / "tiny.ipynb")
    assert (nothing.together, nothing.alone) == (None, {})
    assert set(planned(submit(), "q2").probes) == {"q2"}


def test_a_question_is_scored_in_one_run_whatever_it_gives(planned, submit):
    """Only a run that never got to a question is made up for; errors and wrong values stand."""
    plan = planned(submit())
    asked = []

    def box(notebook, end):
        asked.append(notebook)
        probes = [cell["id"] for cell in notebook["cells"] if "probe" in cell["id"]]
        return Outcome({name: {"cell": name, "end": end, "values": [None]} for name in probes}, None)

    for end, runs in (("ok", 1), ("error", 1), ("timeout", 1), ("gone", 3), ("late", 3)):
        asked.clear()
        outcomes = carry_out(plan, lambda notebook, end=end: box(notebook, end), workers=1)
        assert set(outcomes) == {"q1", "q2", "q3"}
        assert len(asked) == runs, end  # q3 needs all cells, so alone would be the same run again


def test_plans_are_plain(planned, submit):
    assert dataclasses.asdict(planned(submit()))["probes"]["q1"] == ["q1-probe-1", "q1-probe-2"]
