"""`check("q1")` in a live notebook says what the report says."""

import shutil
import sys

import pytest
from jupyter_client.manager import start_new_kernel

from gdmcourse.grading.live import check_cells


@pytest.fixture
def session(course):
    """Run cells in a real kernel whose folder is that of the exercises; returns what a cell printed."""
    manager, client = start_new_kernel(600, cwd=str(course.exercises), kernel_name="python3")

    def run(source):
        printed = []
        client.execute_interactive(
            source, output_hook=lambda message: printed.append(message["content"].get("text", ""))
        )
        return "".join(printed)

    yield run
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def test_check_follows_the_answer_as_it_changes(session, course, submit, judge):
    session("from gdmcourse.grading import check, probe")
    session("import math")
    stub = next(c for c in course.notebook()["cells"] if c["id"] == "q1-answer")
    session("".join(stub["source"]))
    said = session('check("q1")')
    assert "q1. How much signal is left: not right yet, 0 of 1 points\n    not answered yet" in said
    wrong = "# answer: q1\ndef signal(alpha_bar):\n    return alpha_bar"
    session(wrong)
    said = session('from gdmcourse.grading import check\ncheck("q1")')
    graded = judge(submit(q1=wrong), keys=course.exercises, only="q1").questions[0]
    assert f"Hint: {graded.hint}" in said
    assert graded.failed[0] in said
    session("# answer: q1\ndef signal(alpha_bar):\n    return math.sqrt(alpha_bar)")
    assert "right on the visible inputs; more are tried when it is graded, 1 of 1 points" in session(
        'check("q1")'
    )


def test_a_cell_that_was_run_twice_counts_once_and_the_last_version_counts(course):
    right, wrong = course.answers["q1"], "def signal(a):\n    return a"
    inputs = [
        "import math",
        f"# answer: q1\n{wrong}",
        f"# answer: q1\n{right}",
        'check("q1")',
        "x = 1",
        "x = 1",
    ]
    assert "right on the visible inputs; more are tried" in check_cells("q1", inputs, course.exercises)
    inputs.append(f"# answer: q1\n{wrong}")
    assert "partly right, 0.5 of 1 points" in check_cells("q1", inputs, course.exercises)


def test_an_unknown_question_and_an_empty_session_are_told_so(course):
    assert "there is no question q7" in check_cells("q7", [course.answers["q1"]], course.exercises)
    assert "can't be told which exercise" in check_cells("q1", ["x = 1"], course.exercises)


def test_a_file_beside_the_notebook_takes_no_librarys_place(course, tmp_path):
    """Students name their files as they like, and some libraries are called so, too."""
    shutil.copytree(course.exercises, tmp_path, dirs_exist_ok=True)
    for name in ("json", "typer", "inspect", "dask"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('this is a student\\'s')")
    said = check_cells("q1", ["import math", course.answers["q1"]], tmp_path)
    assert "right on the visible inputs" in said


def test_outside_a_notebook_it_says_what_to_use():
    from gdmcourse.grading import check

    with pytest.raises(RuntimeError, match="gdmcourse grade NOTEBOOK"):
        check("q1")


def test_while_being_graded_it_is_silent(monkeypatch, capsys):
    from gdmcourse.grading import check

    monkeypatch.setenv("GDMCOURSE_GRADING", "1")
    assert check("q1") is None
    assert capsys.readouterr().out == ""


def test_the_room_imports_lightly():
    import subprocess

    heavy = (
        "import sys, gdmcourse.grading; assert not {'torch', 'nbval', 'nbformat', 'zmq'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", heavy], check=True)
