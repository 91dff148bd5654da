"""The gradebook: what is graded is graded once, nothing is lost, and what changed is all that runs again."""

import functools
import json
import os
import sqlite3
import time
from dataclasses import replace

import pytest

from gdmcourse.classroom import gradebook as module
from gdmcourse.classroom.decide import history, override
from gdmcourse.classroom.gradebook import Gradebook
from gdmcourse.classroom.standing import one, standings
from gdmcourse.classroom.version import stamp
from gdmcourse.classroom.work import errand, grade, order
from gdmcourse.grading.key import KeyProbe, KeyWrong, visible_part
from gdmcourse.grading.limits import Limits
from tests.classroom.conftest import WRONG, Here


def totals(book, key):
    return {s.student: s.total for s in standings(book, key)}


def changed(key, question, **fields):
    questions = [replace(q, **fields) if q.id == question else q for q in key.questions]
    return replace(key, questions=questions)


def test_a_class_is_graded_and_identical_files_once(graded, book, tiny, room):
    taken, pool = graded(room)
    assert (taken.submissions, taken.contents, taken.graded) == (5, 3, 3)
    assert len(pool.ran) == 3
    assert totals(book, tiny.key) == {"ada": 10, "bob": 10, "carl": 5.17, "dora": 0.5, "eve": 0}
    rows = book.rows("SELECT student, version, hash FROM grade")
    assert len(rows) == len({tuple(row) for row in rows}) == 4
    assert taken.problems == ["eve: there is no notebook in it"]


@pytest.mark.skipif(os.name != "posix", reason="another system keeps files from others in another way")
def test_nobody_else_may_read_it(book):
    assert book.path.stat().st_mode & 0o077 == 0


def test_a_second_command_grades_nothing(graded, room):
    graded(room)
    taken, pool = graded(room)
    assert (taken.to_do, pool.asked) == (0, [])


def test_a_new_hint_runs_nothing_and_is_told(graded, book, tiny, room):
    graded(room)
    wrong = tiny.key.questions[0].wrong
    key = changed(tiny.key, "q1", wrong=[KeyWrong("Take the root.", wrong[0].values), wrong[1]])
    assert stamp(key).version == stamp(tiny.key).version
    _, pool = graded(room, key=key)
    assert pool.ran == []
    assert one(book, key, "carl").report["questions"][0]["hint"] == "Take the root."
    assert len(book.rows("SELECT 1 FROM grade")) == 4


def test_other_points_run_nothing_and_make_a_version(graded, book, tiny, room):
    graded(room)
    probes = [replace(probe, points=2 * probe.points) for probe in tiny.key.questions[0].probes]
    key = changed(tiny.key, "q1", probes=probes)
    _, pool = graded(room, key=key)
    assert pool.ran == []
    assert totals(book, key)["ada"] == 13
    assert len(book.rows("SELECT DISTINCT version FROM grade WHERE student = 'ada'")) == 2


def test_a_new_probe_runs_its_question_only(graded, book, tiny, room):
    graded(room)
    value = {"type": "float", "shape": [], "values": [0.6]}
    added = KeyProbe(
        "q2-probe-9", "probe(noise(0.64))", 1.0, True, [{"value": value, "rtol": 1e-4, "atol": 0.0}]
    )
    q2 = tiny.key.questions[1]
    wrong = [KeyWrong(w.hint, {**w.values, "q2-probe-9": [None]}) for w in q2.wrong]
    key = changed(tiny.key, "q2", probes=[*q2.probes, added], wrong=wrong)
    _, pool = graded(room, key=key)
    assert pool.ran == [["q2"]] * 3
    assert totals(book, key)["ada"] == 11


def test_more_time_runs_again_only_what_a_limit_ended(graded, tiny, room, monkeypatch):
    def slow(notebook, told, own):
        result = json.loads(grade(notebook, told, own))
        if json.loads(told)["limits"]["cell"] == 20 and result["outcomes"].get("q1"):
            for record in result["outcomes"]["q1"]["records"].values():
                record["end"] = "timeout"
        return json.dumps(result)

    graded(room, pool=Here(slow))
    assert graded(room, pool=Here(slow))[1].ran == []
    _, pool = graded(room, pool=Here(slow), limits=Limits(cell=60.0))
    assert pool.ran == [["q1"]] * 3


class Killed(BaseException):
    """The process is gone."""


def test_killed_half_way_and_gone_on_with_another_key(graded, book, tiny, room):
    """Each student has the new key's grade, what had run doesn't run again, and the old grade is kept."""

    def work(notebook, told, own):
        if book.rows("SELECT 1 FROM grade"):
            raise Killed
        return grade(notebook, told, own)

    with pytest.raises(Killed):
        graded(room, pool=Here(work))
    probes = [replace(probe, points=2 * probe.points) for probe in tiny.key.questions[0].probes]
    key = changed(tiny.key, "q1", probes=probes)
    _, pool = graded(room, key=key)
    assert len(pool.ran) == 2
    assert totals(book, key) == {"ada": 13, "bob": 13, "carl": 6.33, "dora": 1, "eve": 0}
    assert len(book.rows("SELECT DISTINCT version FROM grade WHERE student = 'ada'")) == 2
    assert len(book.rows("SELECT 1 FROM grade WHERE student = 'dora'")) == 1


def test_a_key_that_changes_half_way_grades_no_one(graded, book, tiny, room):
    """The key is read once and goes to the workers, so a file that changes then changes nothing."""
    other = changed(tiny.key, "q1", title="Another")
    seen = []

    def work(notebook, told, own):
        seen.append(json.loads(json.loads(told)["key"])["questions"][0]["title"])
        book.set_assignment(other)  # as another command would, if it could write
        return grade(notebook, told, own)

    graded(room, pool=Here(work))
    assert set(seen) == {tiny.key.questions[0].title}
    assert len({row["version"] for row in book.rows("SELECT version FROM grade")}) == 1


class Dying(sqlite3.Connection):
    """A connection of a process that dies before its so-manieth statement."""

    left = 10**9

    def execute(self, *arguments):
        self._step()
        return super().execute(*arguments)

    def executemany(self, *arguments):
        self._step()
        return super().executemany(*arguments)

    def _step(self):
        Dying.left -= 1
        if Dying.left < 0:
            raise Killed


def test_killed_at_any_step_it_loses_what_was_being_graded_and_no_more(
    in_process, tiny, tmp_path, monkeypatch
):
    from gdmcourse.classroom.grade_class import grade_class

    connect = sqlite3.connect

    def dying(*arguments, **options):
        made = connect(*arguments, factory=Dying, **options)
        super(Dying, made).execute("PRAGMA synchronous = OFF")  # a process dies here, and no machine
        return made

    monkeypatch.setattr(module.sqlite3, "connect", dying)
    tiny.hand_in(tmp_path / "two" / "ada" / "tiny.ipynb")
    tiny.hand_in(tmp_path / "two" / "carl" / "tiny.ipynb", q1=WRONG["square"])
    once = functools.cache(grade)  # what a run gives is not what is tried here
    done, steps = False, 0
    while not done:
        path = tmp_path / f"killed-{steps}.db"
        first = Here(once)
        Dying.left = steps
        try:
            with Gradebook(path, writes=True, create=True) as book:
                grade_class(book, tiny.key, [tmp_path / "two"], lambda pool=first: pool)
            done = True
        except Killed:
            pass
        Dying.left = 10**9
        second = Here(once)
        with Gradebook(path, writes=True, create=True) as book:
            assert book.rows("PRAGMA integrity_check")[0][0] == "ok"
            before = {row["hash"] for row in book.rows("SELECT DISTINCT hash FROM grade")}
            grade_class(book, tiny.key, [tmp_path / "two"], lambda pool=second: pool)
            assert totals(book, tiny.key) == {"ada": 10, "carl": 5.17}
            assert len(book.rows("SELECT 1 FROM grade")) == 2
        again = {told["digest"] for told in second.asked}
        assert not again & before
        assert len({told["digest"] for told in first.asked} - before) <= 1
        steps += 1
    assert steps > 20


def test_a_full_disk_is_said_and_what_was_graded_stays(graded, book, tiny, room):
    graded(room / "ada")
    (pages,) = book.db.execute("PRAGMA page_count").fetchone()
    book.db.execute(f"PRAGMA max_page_count = {pages + 3}")
    with pytest.raises(
        ValueError, match=r"grades.db: the disk is full; make room .* What was graded before is kept"
    ):
        graded(room)
    kept = {row["hash"] for row in book.rows("SELECT hash FROM grade")}
    assert len(kept) in (1, 2)
    book.db.execute("PRAGMA max_page_count = 100000")
    _, pool = graded(room)
    assert len({told["digest"] for told in pool.asked} & kept) <= 1  # one whose owner is new
    assert all(not told["run"] for told in pool.asked if told["digest"] in kept)
    assert totals(book, tiny.key)["ada"] == 10


def test_one_command_writes_at_a_time_and_others_read(book, graded, tiny, room):
    graded(room)
    with pytest.raises(ValueError, match="another command is writing"):
        Gradebook(book.path, writes=True)
    with Gradebook(book.path) as reader:
        assert totals(reader, tiny.key)["carl"] == 5.17


def test_a_gradebook_that_another_program_holds_is_said(book, graded, room, monkeypatch):
    book.db.execute("PRAGMA busy_timeout = 0")
    other = sqlite3.connect(book.path)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(ValueError, match="another program holds it"):
        graded(room)
    other.close()


def test_a_file_that_is_none_and_a_place_that_can_not_be_written(tmp_path, book, graded, room):
    (tmp_path / "text.db").write_text("not a database at all, but long enough to be looked at as one" * 9)
    with pytest.raises(ValueError, match="it is no gradebook"):
        Gradebook(tmp_path / "text.db", create=True, writes=True)
    sqlite3.connect(tmp_path / "other.db").execute("CREATE TABLE a (b)").connection.close()
    with pytest.raises(ValueError, match="no gradebook of this version"):
        Gradebook(tmp_path / "other.db")
    with pytest.raises(ValueError, match="there is no gradebook"):
        Gradebook(tmp_path / "none.db")
    with pytest.raises(ValueError, match="there is no folder"):
        Gradebook(tmp_path / "no folder" / "a.db", create=True, writes=True)
    book.db.execute("PRAGMA query_only = 1")
    with pytest.raises(ValueError, match="it can't be written"):
        graded(room)


def test_a_disk_that_is_read_only_is_said(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(module.FileLock, "acquire", refuse)
    with pytest.raises(ValueError, match=r"a.db: it can't be written there .*Read-only file system"):
        Gradebook(tmp_path / "a.db", writes=True, create=True)


def test_a_student_who_handed_in_twice_is_told_and_the_last_counts(graded, book, tiny, room, tmp_path):
    again = tiny.hand_in(tmp_path / "second" / "ada" / "tiny.ipynb", q1=WRONG["square"])
    os.utime(room / "ada" / "tiny.ipynb", (time.time() - 100,) * 2)
    taken, _ = graded(room, tmp_path / "second")
    assert any("ada handed in 2 files" in line and "counts" in line for line in taken.problems)
    assert totals(book, tiny.key)["ada"] == 5.17
    os.utime(again, (time.time() - 1000,) * 2)
    graded(room, tmp_path / "second")
    assert totals(book, tiny.key)["ada"] == 10
    graded(tmp_path / "second")  # handed in anew, whatever its time says
    assert totals(book, tiny.key)["ada"] == 5.17
    assert totals(book, tiny.key)["bob"] == 10


def test_a_clock_that_jumps_changes_nothing(graded, book, tiny, room, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "now", lambda: "2099-01-01T00:00:00+00:00")
    graded(room)
    override(book, tiny.key, "ada", 7.0, "first")
    monkeypatch.setattr(module, "now", lambda: "1999-01-01T00:00:00+00:00")
    override(book, tiny.key, "ada", 8.0, "second")
    tiny.hand_in(tmp_path / "more" / "bob" / "tiny.ipynb", q1=WRONG["square"])
    graded(tmp_path / "more")
    assert (totals(book, tiny.key)["ada"], totals(book, tiny.key)["bob"]) == (8, 5.17)


def test_what_a_worker_could_not_do_is_tried_again(graded, book, tiny, room):
    def broken(notebook, told, own):
        return (
            json.dumps({"failed": "the workers that graded it died"})
            if b"alpha_bar\\n" in notebook
            else grade(notebook, told, own)
        )

    taken, _ = graded(room, pool=Here(lambda *_: json.dumps({"failed": "it died"})))
    assert (taken.graded, len(taken.failed)) == (0, 3)
    assert {s.state for s in standings(book, tiny.key)} == {"waiting", "nothing"}
    taken, pool = graded(room)
    assert (taken.graded, taken.failed, len(pool.ran)) == (3, [], 3)


def test_a_file_that_changes_or_goes_meanwhile_is_not_graded_as_another(graded, book, tiny, room):
    def work(notebook, told, own):
        (room / "dora" / "tiny.ipynb").unlink(missing_ok=True)
        tiny.hand_in(room / "carl" / "tiny.ipynb")
        return grade(notebook, told, own)

    taken, _ = graded(room, pool=Here(work))
    assert taken.graded == 1
    assert len(taken.failed) == 2
    assert "it was changed in the meantime" in taken.failed[0]


def test_no_sandbox_and_another_version_end_the_command(graded, room, monkeypatch):
    refused = json.dumps({"refused": "other people's code is not run without a sandbox: it isn't there"})
    with pytest.raises(ValueError, match="without a sandbox"):
        graded(room, pool=Here(lambda *_: refused))
    monkeypatch.setattr("gdmcourse.classroom.work.__version__", "9.9")
    monkeypatch.setattr("gdmcourse.classroom.work.order", None)
    assert "install the same" in grade(b"", json.dumps({"package": "0.1"}), "{}")


def test_a_class_is_refused_without_a_sandbox_whatever_the_key(tiny, monkeypatch):
    monkeypatch.setattr("gdmcourse.grading.sandbox.missing", lambda: "bubblewrap isn't installed")
    for key in (tiny.key, visible_part(tiny.key)):
        told = order(key, Limits(), [], unsandboxed=False)
        refused = json.loads(grade(b"{}", told, errand("x.ipynb", ["q1"], {})))["refused"]
        assert refused.startswith("other people's code is not run without a sandbox: bubblewrap")


def test_the_history_of_a_student_is_kept(graded, book, tiny, room):
    graded(room)
    override(book, tiny.key, "carl", 5.0, "Ill that week.")
    lines = history(book, tiny.key, "carl")
    assert [line.split("  ")[1].split(" ")[0] for line in lines] == ["handed", "graded", "override"]
    assert "Ill that week." in lines[-1]
