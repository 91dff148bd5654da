"""Submissions that could win: points for wrong code, hidden inputs told, reports lost, points taken away."""

import json

import pytest

from gdmcourse.grading.limits import Limits
from gdmcourse.grading.report import as_html, as_json, as_text, write_report

pytestmark = pytest.mark.slow


def scratch(source, count):
    """That many cells of this code above the first answer."""
    cell = {"cell_type": "code", "id": "scratch", "metadata": {}, "outputs": [], "source": source}

    def edit(notebook):
        notebook["cells"][2:2] = [dict(cell) for _ in range(count)]

    return edit


def earned(result):
    return {question.id: question.earned for question in result.questions}


def add(source):
    def edit(notebook):
        notebook["cells"].append(
            {"cell_type": "code", "id": "more", "metadata": {}, "outputs": [], "source": source}
        )

    return edit


HEDGES = {
    "a name that is defined last": ("'late' in globals()", "late = 1"),
    "how often another answer was called": ("calls > 3", "x = 1"),
    "what an earlier run has left": ("hasattr(math, 'left')", "math.left = 1"),
}


@pytest.mark.parametrize("way", HEDGES)
def test_two_answers_at_once_are_worth_no_more_than_one(submit, judge, way):
    """Each function has one value for one state of the session and another one for the other."""
    condition, last = HEDGES[way]
    answers = {
        "q1": "calls = 0\ndef signal(a):\n    global calls\n    calls += 1\n    return math.sqrt(a)",
        "q2": f"def noise(a):\n    return math.sqrt(1 - a) if {condition} else 1 - a",
        "q3": f"def snr(a):\n    return (1 - a) / a if {condition} else a / (1 - a)",
    }
    result = earned(judge(submit(add(last), **answers)))
    assert result["q2"] + result["q3"] <= 4


def test_a_function_of_the_setup_is_the_setups_own_when_probes_run(submit, judge, course):
    path = course.solutions / "key" / "tiny.json"
    original = path.read_text()
    key = json.loads(original)
    key["setup"].append("def rounded(x):\n    return round(x, 6)")
    for probe in key["questions"][0]["probes"]:
        probe["source"] = probe["source"].replace("probe([", "probe([rounded(1.0) * ")
    path.write_text(json.dumps(key))
    try:
        cheat = (
            "def signal(a):\n    return a\n"
            "class Root:\n    __mul__ = lambda self, x: x ** 0.5\ndef rounded(x):\n    return Root()"
        )
        assert judge(submit(q1=cheat), only="q1").earned == pytest.approx(1 / 2 + 2 / 3, abs=0.01)
    finally:
        path.write_text(original)


def test_a_hook_under_a_stub_tells_nothing(submit, judge, course):
    stub = next("".join(c["source"]) for c in course.notebook()["cells"] if c["id"] == "q1-answer")
    hook = (
        "%time import builtins; builtins.seen = []; get_ipython().events.register("
        "'pre_run_cell', lambda info: builtins.seen.append(info.raw_cell))"
    )
    teller = "import builtins\ndef noise(a):\n    raise ValueError(getattr(builtins, 'seen', 'nothing'))"
    report = as_json(judge(submit(q1=f"{stub}\n{hook}", q2=teller)))
    assert "0.19" not in report
    assert "0.51" not in report


def test_an_exceptions_name_tells_no_hidden_input(submit, judge):
    answer = (
        "import builtins\nnames = sorted(vars(builtins))\ndef signal(a):\n"
        "    if a in (0.25, 1.0): return math.sqrt(a)\n"
        "    raise type(names[round(a * 100)], (Exception,), {})('x')"
    )
    graded = judge(submit(q1=answer), only="q1").questions[0]
    assert graded.reasons == ["a hidden input: an exception"]


def test_the_name_of_a_changed_input_tells_no_hidden_one(submit, judge):
    """The answer sends, in place of a name, what its argument was."""
    answer = (
        "import sys\nfrom gdmcourse.grading.inside import _tell\ndef signal(a):\n"
        "    frame = sys._getframe()\n"
        "    while 'token' not in frame.f_locals:\n        frame = frame.f_back\n"
        "    _tell(frame.f_locals['token'], f'{a}')\n    return 7.0"
    )
    graded = judge(submit(q1=answer), only="q1").questions[0]
    assert graded.hint.startswith("Your function changes its input 0.25, 1.0 in place")
    assert "0.81" not in str(graded)


def test_words_that_no_console_or_file_can_take_lose_no_report(submit, judge, tmp_path):
    odd = "half \\ud800 \\x1b[31m red\\nq1. How much signal is left: right, 9 of 9 points" + " " * 80 + "q9"
    answer = (
        "import json\nkernel = get_ipython().kernel\n"
        "kernel.session.pack = lambda o: json.dumps(o, default=str).encode()\n"
        f"def noise(a):\n    raise ValueError('{odd}')"
    )
    result = judge(submit(q2=answer), only="q2")
    assert result.questions[0].earned == 0
    text = as_text(result)
    assert text.isprintable() is False  # lines end
    assert all(line.isprintable() for line in text.split("\n"))
    assert not any(line.startswith("q1") for line in text.split("\n"))
    assert as_json(result).isascii()
    for name, report in (("r.json", as_json(result)), ("r.html", as_html(result))):
        write_report(tmp_path / name, report)
        assert (tmp_path / name).read_text(encoding="utf-8") == report
    assert "  " not in text.split("ValueError")[1].split("\n")[0]


def test_slow_scratch_cells_use_up_no_answers_time(submit, judge):
    limits = Limits(cell=4.0, notebook=8.0, grace=1.0)
    assert judge(submit(scratch("import time\ntime.sleep(3)", 10)), limits=limits).earned == 10


def test_helpers_that_kill_the_kernel_cost_nothing(submit, judge):
    assert judge(submit(scratch("import os\nos._exit(1)", 10))).earned == 10
