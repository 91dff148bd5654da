"""What a student's code can reach from inside the box; without bubblewrap there is no box to test."""

import os

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


@pytest.mark.parametrize(
    "call",
    [
        "socket.create_connection(('127.0.0.1', {port}), timeout=2)",
        "socket.create_connection(('1.1.1.1', 53), timeout=2)",
        "socket.getaddrinfo('example.org', 80)",
    ],
)
def test_there_is_no_network(submit, judge, call):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        said = told(submit, judge, call.format(port=server.getsockname()[1]))
    assert any(word in said for word in ("refused", "unreachable", "not known", "failure in name resolution"))


def test_the_environment_and_home_are_empty(submit, judge, monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "swordfish")
    said = told(
        submit, judge, "raise ValueError(os.listdir(os.path.expanduser('~')), 'swordfish' in str(os.environ))"
    )
    assert "False" in said
    assert "swordfish" not in said


@pytest.mark.parametrize(
    "place", ["/", "/usr", "/dev", "/etc", sandbox.PACKAGE, os.path.dirname(os.__file__)]
)
def test_only_home_and_tmp_can_be_written(submit, judge, place):
    assert "Read-only file system" in told(submit, judge, f"open({str(place)!r} + '/mine', 'w')")


def test_the_kernels_settings_cant_be_written(submit, judge):
    said = told(submit, judge, "open('/proc/sys/kernel/core_pattern', 'w')")
    assert "Read-only" in said or "Permission" in said
