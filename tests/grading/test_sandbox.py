"""What a student's code can reach from inside the box; without bubblewrap there is no box to test."""

import ast
import os
import socket
import subprocess
import sys
import sysconfig
import venv

import pytest

from gdmcourse.grading import sandbox

pytestmark = pytest.mark.slow
RIGHT_Q3 = "def snr(alpha_bar):\n    return alpha_bar / (1 - alpha_bar)"


@pytest.fixture(autouse=True)
def _bubblewrap():
    if (reason := sandbox.missing()) is not None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"the sandbox must be tested here: {reason}")
        pytest.skip(reason)


def told(submit, judge, code):
    """What q1's answer found out, by the message of an exception; the other answers keep their points."""
    answer = "def signal(a):\n    import os, pathlib, socket, subprocess\n" + "".join(
        f"    {line}\n" for line in code.splitlines()
    )
    limits = sandbox.Limits(cell=200.0, notebook=600.0)  # what is seen is asked here, and not how soon
    result = judge(submit(q1=answer, q3=RIGHT_Q3), limits=limits)
    earned = {question.id: question.earned for question in result.questions}
    assert earned == {"q1": 0.0, "q2": 4.0, "q3": 3.0}
    return result.questions[0].reasons[0]


def test_solutions_keys_and_the_submission_are_out_of_sight(submit, judge, course):
    places = [course.solutions, course.solutions / "key" / "tiny.json", course.exercises, submit()]
    places += [sandbox.PACKAGE.parent / name for name in ("solutions", "exercises", "tests", ".git", "book")]
    code = f"raise ValueError([p for p in {[str(p) for p in places]} if os.path.exists(p)])"
    assert told(submit, judge, code).endswith("ValueError: []")


def test_no_file_of_the_host_holds_the_key(submit, judge):
    code = (
        "found = [os.path.join(d, f) for top in ('/tmp', '/home', '/root', '/work', '/var', '/srv', '/opt')\n"
        "         for d, _, files in os.walk(top) for f in files\n"
        "         if 'site-packages' not in d and f.startswith(('tiny.', 'job.', 'notebook.ip'))]\n"
        "raise ValueError(found)"
    )
    assert told(submit, judge, code).endswith("ValueError: []")


def test_the_judge_is_not_among_the_processes(submit, judge):
    code = (
        "pids = [p for p in os.listdir('/proc') if p.isdigit()]\n"
        "raise ValueError([p for p in pids if b'judge' in open(f'/proc/{p}/cmdline', 'rb').read()])"
    )
    assert told(submit, judge, code).endswith("ValueError: []")


def refused(submit, judge, *calls):
    """How the system refused each of these calls, all of them from one answer."""
    lines = [
        f"try: said.append({call} and 'allowed')\nexcept OSError as e: said.append(e.strerror)"
        for call in calls
    ]
    reason = told(submit, judge, "\n".join(["said = []", *lines, "raise ValueError(said)"]))
    return ast.literal_eval(reason.partition("ValueError: ")[2])


def test_there_is_no_network(submit, judge):
    with socket.create_server(("127.0.0.1", 0)) as server:
        said = refused(
            submit,
            judge,
            f"socket.create_connection(('127.0.0.1', {server.getsockname()[1]}), timeout=2)",
            "socket.create_connection(('1.1.1.1', 53), timeout=2)",
            "socket.getaddrinfo('example.org', 80)",
        )
    ways = ("Address family not supported", "failure in name resolution")
    assert len(said) == 3
    assert all(any(way in words for way in ways) for words in said)


def test_the_environment_and_home_are_empty(submit, judge, monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "swordfish")
    said = told(
        submit, judge, "raise ValueError(os.listdir(os.path.expanduser('~')), 'swordfish' in str(os.environ))"
    )
    assert "False" in said
    assert "swordfish" not in said


def test_only_home_and_tmp_can_be_written_and_no_setting_of_the_kernel(submit, judge):
    places = ["/", "/usr", "/dev", "/etc", sandbox.PACKAGE, os.path.dirname(os.__file__)]
    files = [*(f"{place}/mine" for place in places), "/proc/sys/kernel/core_pattern"]
    said = refused(submit, judge, *(f"open({file!r}, 'w')" for file in files))
    assert said[:-1] == ["Read-only file system"] * len(places)
    assert said[-1] in ("Read-only file system", "Permission denied")


def test_packages_that_the_box_would_not_show_are_told_before_anything_is_graded(tmp_path):
    """Else each kernel dies at its start, and a class gets no points."""
    if sys.prefix == sys.base_prefix:
        pytest.skip("run this in a virtual environment")
    venv.create(tmp_path / "own")
    own = tmp_path / "own" / "bin" / "python"
    ask = [own, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    place = subprocess.run(ask, capture_output=True, text=True, check=True).stdout.strip()
    lines = f"{sandbox.PACKAGE.parent}\n{sysconfig.get_path('purelib')}\n"
    with open(f"{place}/elsewhere.pth", "w") as file:
        file.write(lines)
    code = "from gdmcourse.grading import sandbox; print(sandbox.missing())"
    said = subprocess.run([own, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.startswith("the box doesn't show ipykernel torch of this Python")
