"""Assembled notebooks: the order of cells, what runs alone, and that no result decides which run counts."""

import dataclasses

import pytest

from gdmcourse.grading.carry_out import carry_out
from gdmcourse.grading.key import read_key
from gdmcourse.grading.match import match
from gdmcourse.grading.plan import plan
from gdmcourse.grading.read import read
from gdmcourse.grading.run import Outcome

from .inprocess import grade_in_process


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


def test_code_that_reaches_beyond_its_names_sends_every_question_apart(planned, submit):
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
        assert set(plan.apart) == {"q1", "q2", "q3"}
    for harmless in ("import numpy", "x = {}\nx[1] = 2", "class A:\n    def f(self):\n        self.a = 1"):
        assert planned(submit(q1=f"def signal(a):\n    return 1\n{harmless}")).together, harmless


def sources(notebook):
    return ["".join(cell["source"]) for cell in notebook["cells"]]


def test_apart_a_question_goes_without_answers_that_it_does_not_need_but_with_their_imports(
    planned, submit, course
):
    answers = {"q1": f"import os\nfrom math import pi\n{course.answers['q1']}"}
    apart = planned(submit(**answers)).apart
    assert {"import os\nfrom math import pi", course.answers["q2"]} <= set(sources(apart["q2"]))
    assert answers["q1"] not in sources(apart["q2"])
    assert answers["q1"] in sources(apart["q3"])


def test_alone_a_question_takes_only_what_it_needs(planned, submit):
    def edit(notebook):
        notebook["cells"].insert(2, {"cell_type": "code", "metadata": {}, "source": "import os\nos.nice(0)"})

    plan = planned(submit(edit))
    assert "import os\nos.nice(0)" in sources(plan.apart["q2"])
    assert "import os\nos.nice(0)" not in sources(plan.alone["q2"])


# Ways in which one cell makes what an answer in another one needs; their text doesn't tell all of them.
HELPERS = {
    "exec": ["exec('power = 0.5')", "power"],
    "the session's dictionary": ["globals()['power'] = 0.5", "power"],
    "a name that code reads as text": ["power = 0.5", "eval('power')"],
    "a global statement": ["def begin():\n    global power\n    power = 0.5", "begin()", "power"],
    "a value that is kept": ["t = {}", "_ = t.setdefault('power', 0.5)", "t['power']"],
    "a comprehension": ["t = {}", "[t.update(power=0.5) for _ in range(1)]", "t['power']"],
    "another name for the same": ["t = {}", "u = t", "u['power'] = 0.5", "t['power']"],
    "a decorator": [
        "t = {}\ndef enter(f):\n    t['f'] = f",
        "@enter\ndef half():\n    return 0.5",
        "t['f']()",
    ],
    "something taken out": ["t = [2, 0.5]", "del t[0]", "t[0]"],
    "a pattern": ["match 0.5:\n    case power:\n        pass", "power"],
    "a file": [
        "from pathlib import Path\nPath('power.txt').write_text('0.5')",
        "float(Path('power.txt').read_text())",
    ],
}


@pytest.mark.parametrize("way", HELPERS)
def test_apart_an_answer_has_all_that_was_made_between_the_answers(
    course, submit, tmp_path, monkeypatch, way
):
    def edit(notebook):
        cells = [{"cell_type": "code", "metadata": {}, "source": source} for source in helpers]
        notebook["cells"][2:2] = cells

    monkeypatch.chdir(tmp_path)
    *helpers, power = ["from IPython.display import display", *HELPERS[way]]
    path = submit(edit, q1=f"def signal(a):\n    return a ** {power}")
    key = read_key(course.solutions / "key" / "tiny.json")
    assert [graded.earned for graded in grade_in_process(read(path), key)] == [3, 4, 3]


def test_what_isnt_answered_does_not_run(planned, course, submit):
    nothing = planned(course.exercises / "tiny.ipynb")
    assert (nothing.together, nothing.apart, nothing.alone) == (None, {}, {})
    assert set(planned(submit(), "q2").shown) == {"q2"}


@pytest.mark.parametrize(
    ("answers", "first", "most"), [({}, 1, 4), ({"q1": "import os\ndef signal(a):\n    return a"}, 6, 3)]
)
def test_a_probe_is_scored_in_one_run_whatever_it_gives(planned, submit, answers, first, most):
    """Only a run that never got to a question is made up for; errors and wrong values stand."""
    plan = planned(submit(**answers))
    asked = []

    def box(notebook, end):
        asked.append(notebook)
        probes = [cell["id"] for cell in notebook["cells"] if "probe" in cell["id"]]
        return Outcome({name: {"cell": name, "end": end, "values": [None]} for name in probes}, None)

    for end, runs in (("ok", first), ("error", first), ("timeout", first), ("gone", most), ("late", most)):
        asked.clear()
        outcomes = carry_out(plan, lambda notebook, end=end: box(notebook, end), workers=1)
        assert set(outcomes) == {"q1", "q2", "q3"}
        assert len(asked) == runs, end  # alone is no second run where it has the same cells


def test_cells_that_leave_no_time_or_kernel_to_one_question_do_not_run_for_the_next(planned, submit):
    def edit(notebook):
        notebook["cells"].insert(2, {"cell_type": "code", "metadata": {}, "source": slow})

    slow, asked = "import os, time\ntime.sleep(1000)", []

    def box(notebook):
        asked.append(slow in sources(notebook))
        end = "late" if asked[-1] else "ok"
        return Outcome({cell["id"]: {"end": end} for cell in notebook["cells"]}, None)

    carry_out(planned(submit(edit)), box, workers=1)
    assert asked == [True, False, False, False, False, False, False]


REACHING = "import os\ndef signal(a):\n    return a"


def run_by(dying, asked):
    """A box in which the kernel dies at these cells; it notes the probes that each run got to."""

    def box(notebook):
        records, asked_now = {}, []
        asked.append(asked_now)
        for name in (cell["id"] for cell in notebook["cells"]):
            alive = not any(record["end"] == "gone" for record in records.values()) and name not in dying
            records[name] = {"end": "ok" if alive else "gone", "run": len(asked)}
            asked_now += [name] if "probe" in name and alive else []
        return Outcome(records, None)

    return box


@pytest.mark.parametrize("answers", [{}, {"q1": REACHING}])
@pytest.mark.parametrize("dying", [(), ("q1-probe-1",), ("q1-probe-2",), ("q1-probe-2", "q2-probe-1")])
def test_what_is_told_comes_from_runs_before_any_hidden_probe(planned, submit, answers, dying):
    """Else what one run has seen could be told by the next: by numbers of the machine that both can read."""
    asked = []
    outcomes = carry_out(planned(submit(**answers)), run_by(dying, asked), workers=1)
    first_hidden = next(n for n, probes in enumerate(asked, 1) if any("probe-2" in p for p in probes))
    for question, outcome in outcomes.items():
        shown = outcome.records[f"{question}-probe-1"]
        assert shown["run"] <= first_hidden, asked
        if f"{question}-probe-1" not in dying:
            assert shown["end"] == "ok"
            wanted = "gone" if f"{question}-probe-2" in dying else "ok"
            assert outcome.records[f"{question}-probe-2"]["end"] == wanted


def test_plans_are_plain(planned, submit):
    plain = dataclasses.asdict(planned(submit()))
    assert (plain["shown"]["q1"], plain["hidden"]["q1"]) == (["q1-probe-1"], ["q1-probe-2"])
