"""Whole gradings: scores, partial credit, hints, reports, the command and its exit codes."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from gdmcourse.grading import sandbox
from gdmcourse.grading.report import as_html, as_json, as_text, verdict
from gdmcourse.grading.source import read_source

FULL = {"q1": 3.0, "q2": 4.0, "q3": 3.0}


def earned(result):
    return {question.id: question.earned for question in result.questions}


def test_the_reference_earns_every_point(submit, judge):
    result = judge(submit())
    assert earned(result) == FULL
    assert (result.earned, result.points, result.hidden_points) == (10, 10, 0)
    assert all(not (q.reasons or q.failed or q.hint) for q in result.questions)


def test_a_student_sees_the_score_of_the_visible_inputs_only(submit, judge, course):
    result = judge(submit(), keys=course.exercises)
    assert (result.earned, result.points, result.hidden_points) == (4, 4, 6)
    assert "4 of 4 points (visible inputs; 6 more points are for hidden ones)" in as_text(result)


def test_untouched_stubs_earn_nothing_and_say_what_to_do(judge, course):
    result = judge(course.exercises / "tiny.ipynb")
    assert result.earned == 0
    assert all(q.reasons == ["not answered yet; its hints are in the notebook"] for q in result.questions)


def test_a_missing_answer_says_which_name_is_missed(submit, judge):
    def edit(notebook):
        notebook["cells"] = [c for c in notebook["cells"] if c.get("id") != "q2-answer"]

    result = judge(submit(edit, q3="def snr(a):\n    return a / (1 - a)"))
    assert earned(result) == {**FULL, "q2": 0.0}
    assert result.questions[1].reasons == ["no answer found: no cell defines noise"]


def test_each_wrong_answer_loses_points_and_its_student_is_told_the_hint(submit, judge, course):
    exercise = read_source(course.solutions / "tiny.md")
    for question in exercise.questions:
        for wrong in question.wrong:
            (graded,) = judge(submit(**{question.id: wrong.source}), only=question.id).questions
            assert graded.earned < graded.points
            assert graded.hint == wrong.hint


def test_a_wrong_answer_that_only_a_hidden_input_shows_gets_its_hint_from_the_teachers_run(
    submit, judge, course
):
    """At 0.25 and 1 this answer is right, and what it gives elsewhere belongs to a known wrong answer."""
    answer = "def signal(a):\n    return math.sqrt(a) if a in (0.25, 1.0) else a"
    result = judge(submit(q1=answer), only="q1").questions[0]
    assert result.earned == pytest.approx(1 + 2 / 3, abs=0.01)
    assert result.failed == ["it is wrong at an input that isn't shown"]
    assert result.hint.startswith("ᾱ scales")
    assert "0.81" not in as_json(judge(submit(q1=answer), only="q1"))


def test_credit_is_the_share_of_values_that_are_right(submit, judge):
    result = judge(submit(q1="def signal(a):\n    return 0.5 if a == 0.25 else 0.9"), only="q1")
    assert earned(result) == {"q1": pytest.approx(1 / 2 + 2 / 3, abs=0.01)}
    assert result.questions[0].hint is None
    assert result.questions[0].failed[0] == "it should be 1, and is 0.9, at signal(1.0)"


def test_values_before_an_error_count(submit, judge):
    answer = "def noise(a):\n    if a == 0.51:\n        raise ValueError(a)\n    return math.sqrt(1 - a)"
    result = judge(submit(q2=answer), only="q2")
    assert earned(result) == {"q2": 3.0}
    assert result.questions[0].reasons == ["a hidden input: ValueError"]  # the message could tell the input


def test_hidden_inputs_that_one_answer_remembers_are_not_told_by_a_later_one(submit, judge):
    spy = (
        "import builtins\nbuiltins.seen = []\n"
        "def signal(a):\n    builtins.seen.append(a)\n    return math.sqrt(a)"
    )
    teller = (
        "import builtins\ndef noise(a):\n    raise ValueError(getattr(builtins, 'seen', 'nothing'))\n"
        "told = repr(getattr(builtins, 'seen', 'nothing'))\ndef snr(a):\n    return told\n"
        "if getattr(builtins, 'seen', None): raise ValueError(told)"
    )
    result = judge(submit(q1=spy, q2=teller))
    assert earned(result) == {"q1": 3.0, "q2": 0.0, "q3": 0.0}
    assert "ValueError: nothing" in as_json(result)
    assert "0.81" not in as_json(result)


def test_what_a_student_writes_is_escaped_and_the_page_needs_no_other(submit, judge):
    result = judge(submit(q2="def noise(a):\n    raise ValueError('no <b>idea</b>')"), only="q2")
    assert result.questions[0].reasons[0].endswith("ValueError: no <b>idea</b>")
    page = as_html(result)
    assert "no &lt;b&gt;idea" in page
    assert "<b>" not in page
    assert "http" not in page


def test_an_answer_that_is_no_python_says_so(submit, judge):
    result = judge(submit(q1="def signal(alpha_bar:\n    return 1"))
    assert earned(result)["q1"] == 0
    assert "it isn't Python (" in result.questions[0].reasons[0]


def test_a_report_leads_to_the_equation(submit, judge):
    result = judge(submit(q1="def signal(a):\n    return a"), only="q1")
    assert result.questions[0].teaches == "eq-forward-marginal"
    text = as_text(result.__class__(**{**vars(result), "page": "book/x/tiny"}))
    assert "Read: book/x/tiny.md" in text
    numbered = replace(result.questions[0], number="2.4")
    assert "Read: equation (2.4) in book/x/tiny.md" in as_text(
        replace(result, page="book/x/tiny", questions=[numbered])
    )


def test_without_a_sandbox_the_limits_hold_and_the_report_says_so(
    submit, judge, course, monkeypatch, tmp_path
):
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))  # for the judge's own process
    sandbox.missing.cache_clear()
    try:
        path = submit(q1="def signal(a):\n    x = 'x' * (8 << 30)\n    return math.sqrt(a)")
        with pytest.raises(ValueError, match="other people's code is not run without a sandbox"):
            judge(path, unsandboxed=False)
        assert judge(path, keys=course.exercises, unsandboxed=False, only="q2").earned == 2  # one's own work
        result = judge(path)
    finally:
        sandbox.missing.cache_clear()
    assert earned(result) == {**FULL, "q1": 0.0, "q3": 0.0}
    assert "unsandboxed: bubblewrap isn't installed" in as_text(result)
    assert "unsandboxed" in as_html(result)


def command(*arguments, cwd):
    argv = [sys.executable, "-m", "gdmcourse", *map(str, arguments)]
    return subprocess.run(argv, capture_output=True, text=True, cwd=cwd)


def test_the_command_writes_text_json_and_html(submit, course, tmp_path):
    path = submit(q2="def noise(a):\n    return 1 - a")
    files = ["--json", tmp_path / "r.json", "--html", tmp_path / "r.html"]
    done = command("grade", path, "--key", course.solutions, *files, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "q2. How much noise there is: not right yet, 0 of 4 points" in done.stdout
    assert "Hint: 1 − ᾱ is the variance." in done.stdout
    assert done.stderr == ""
    data = json.loads((tmp_path / "r.json").read_text())
    assert data["earned"] == sum(question["earned"] for question in data["questions"]) == 3
    assert "1 − ᾱ is the variance" in (tmp_path / "r.html").read_text()


def test_the_command_finds_the_key_in_its_folder_and_json_alone_is_on_stdout(submit, course, tmp_path):
    path = course.exercises / "mine.ipynb"
    path.write_text(submit().read_text())
    done = command("grade", path, "--question", "q1", "--json", "-", cwd=course.exercises)
    path.unlink()
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["earned"] == 1


def test_the_time_for_a_cell_is_an_option(submit, course, tmp_path):
    path = submit(q1="def signal(a):\n    while True: pass")
    limits = ["--question", "q1", "--cell-seconds", "2", "--seconds", "9", "--workers", "1"]
    done = command("grade", path, "--key", course.solutions, *limits, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "stopped after 2 s" in done.stdout


def test_a_name_or_a_console_that_can_take_no_letter_costs_no_report(submit, course, tmp_path):
    path = submit(q1="def signal(a):\n    return a").rename(tmp_path / "a\udcff\x1b[2J.ipynb")
    argv = [sys.executable, "-m", "gdmcourse", "grade", path, "--key", course.solutions, "--json", "r.json"]
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252"}
    done = subprocess.run([*argv, "--question", "q1"], capture_output=True, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr
    assert b"Hint: ? scales the variance." in done.stdout
    assert b"\x1b" not in done.stdout
    assert json.loads((tmp_path / "r.json").read_text())["notebook"] == "a? .ipynb"


def test_exit_codes_and_no_traceback(submit, course, tmp_path):
    (tmp_path / "bad.ipynb").write_text("")
    for code, arguments, said in (
        (3, ["grade", tmp_path / "bad.ipynb"], "can't be graded: the file is empty"),
        (3, ["grade", tmp_path / "none.ipynb"], "there is no file"),
        (1, ["grade", submit(), "--key", tmp_path], "there is no key"),
        (1, ["grade", submit(), "--key", course.solutions, "--question", "q9"], "there is no question q9"),
        (2, ["grade"], "Missing argument"),
        (1, ["release"], "no solutions"),
    ):
        done = command(*arguments, cwd=tmp_path)
        assert done.returncode == code, done.stderr
        assert said in done.stderr
        assert "Traceback" not in done.stderr


def test_the_verdict_has_three_words(submit, judge):
    graded = judge(submit(q1="def signal(a):\n    return 0.5", q2="def noise(a):\n    return None")).questions
    assert [verdict(question).split(": ")[1] for question in graded] == [
        "partly right, 0.5 of 3 points",
        "not right yet, 0 of 4 points",
        "not right yet, 0 of 3 points",
    ]
