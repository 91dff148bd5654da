"""What a student receives: points, visible inputs, hints; and nothing that is hidden."""

import json
import re
from dataclasses import replace

import pytest

from gdmcourse.classroom.decide import mark, override
from gdmcourse.classroom.export import FORMS, export
from gdmcourse.classroom.feedback import words, write_feedback
from gdmcourse.classroom.grade_class import grade_class
from gdmcourse.classroom.gradebook import Gradebook
from gdmcourse.classroom.overview import as_html
from gdmcourse.classroom.standing import standings
from gdmcourse.grading.probe import encode
from tests.classroom.conftest import Here, released

SPY = "seen = []\ndef signal(a):\n    seen.append(a)\n    raise ValueError(seen)"
TELLER = "class Told(Exception): pass\ndef noise(a):\n    seen.append(a)\n    raise Told(seen)"


@pytest.fixture
def pages(graded, book, tiny, room, tmp_path):
    tiny.hand_in(
        room / "mallory" / "tiny.ipynb", q1=SPY, q2=TELLER, q3="def snr(a):\n    return str(a) + '<b>'"
    )
    graded(room)
    written = write_feedback(book, tiny.key, tmp_path / "out")
    return {path.parent.name: path.read_text() for path in written}


def test_a_page_for_everyone_who_was_graded(pages):
    assert set(pages) == {"ada", "bob", "carl", "dora", "mallory"}


def test_points_the_visible_inputs_and_the_hint(pages):
    page = pages["carl"]
    assert "Exercises: noise in one dimension: 5.17 of 10 points" in page
    assert "q1. How much signal is left: 1.17 of 3 points" in page
    rows = re.findall(r"<tr>(.*?)</tr>", page)
    assert any("signal(0.25)" in row and "0.5" in row and "0.25" in row and "wrong" in row for row in rows)
    assert "Hint: ᾱ scales the variance." in page
    assert "It is wrong at an input that isn&#x27;t shown" in page
    assert "right</span>" not in pages["ada"]


def test_numbers_that_are_0_to_the_tolerance_are_told_as_0():
    value = encode([-5.6e-17, [2e-6, 1.0]])
    assert words(value, value, 1e-6) == "[0, [2e-06, 1]]"


def test_a_wrong_number_is_not_told_as_the_expected_one(graded, book, tiny, room, tmp_path):
    """Both are below the tolerance, and farther apart than it."""
    *others, last = tiny.key.questions
    expected = [{"value": encode(8e-7), "rtol": 1e-6, "atol": 1e-6}]
    probes = [probe if probe.hidden else replace(probe, expected=expected) for probe in last.probes]
    key = replace(tiny.key, questions=[*others, replace(last, probes=probes)])
    tiny.hand_in(room / "nina" / "tiny.ipynb", q3="def snr(a):\n    return -8e-7")
    graded(room, key=key)
    write_feedback(book, key, tmp_path / "out")
    assert "<td>8e-07</td><td>-8e-07</td>" in (tmp_path / "out/nina/feedback.html").read_text()


def test_the_page_stands_alone_and_escapes(pages):
    for page in pages.values():
        assert not re.search(r"(src|href)=|<script|@import|url\(", page)
    assert "&lt;b&gt;" in pages["mallory"]
    assert "<b>" not in pages["mallory"]


def test_the_book_is_linked_where_its_address_is_known(graded, book, tiny, room, tmp_path):
    questions = [replace(tiny.key.questions[0], number="2.4"), *tiny.key.questions[1:]]
    key = replace(tiny.key, page="book/x/tiny", questions=questions)
    graded(room, key=key)
    write_feedback(book, key, tmp_path / "out", "https://course.example/")
    page = (tmp_path / "out/carl/feedback.html").read_text()
    assert 'href="https://course.example/book/x/tiny.html#equation-eq-forward-marginal"' in page
    assert "Read: equation (2.4) in book/x/tiny.md" in page


def hidden_of(key):
    """The numbers and the code of hidden probes that no visible probe has."""
    numbers = re.compile(r"\d+\.\d+")
    probes = [probe for question in key.questions for probe in question.probes]
    shown = {
        n
        for probe in probes
        if not probe.hidden
        for n in numbers.findall(json.dumps(probe.expected) + probe.source)
    }
    for probe in probes:
        if probe.hidden:
            text = probe.source + json.dumps([entry["value"] for entry in probe.expected])
            yield from {n for n in numbers.findall(text) if n not in shown and len(n) > 3}
            yield probe.source


def test_nothing_hidden_is_in_what_a_student_receives(pages, book, tiny):
    secrets = list(hidden_of(tiny.key))
    assert len(secrets) == 8
    received = list(pages.values())
    received += [export("moodle", tiny.key, standings(book, tiny.key))]
    for secret in secrets:
        assert not any(secret in text for text in received), secret
    for question in ("math.sqrt(alpha_bar)", "BEGIN SOLUTION"):
        assert not any(question in text for text in received)


@pytest.mark.parametrize("name", ["..", "...", "a\\b:c", "CON*?", "x" * 300, "\x1b[2Jz", "Ünï <b>"])
def test_a_page_lies_below_its_folder_and_nowhere_else(graded, book, tiny, room, tmp_path, name):
    graded(room)
    with book.transaction():
        book.db.execute("UPDATE handed_in SET file = ?", (f"{name}/tiny.ipynb",))
    out = tmp_path / "out"
    written = write_feedback(book, tiny.key, out)
    assert len({str(path) for path in written}) == 4
    assert all(path.is_file() and path.resolve().is_relative_to(out.resolve()) for path in written)
    assert {path.parent.parent for path in written} == {out}


def test_no_page_takes_anothers_place(graded, book, tiny, tmp_path):
    for number, name in enumerate(("a:b", "a*b", "A?b", "a_b", "zed.html")):
        tiny.hand_in(tmp_path / "class" / name / "tiny.ipynb", q1=f"def signal(a):\n    return {number}")
    tiny.hand_in(tmp_path / "class" / "zed.ipynb")
    graded(tmp_path / "class")
    written = write_feedback(book, tiny.key, tmp_path / "out")
    pages = "".join(path.read_text() for path in written)
    assert all(f"<p>{name}, <code>" in pages for name in ("a:b", "a*b", "A?b", "a_b", "zed", "zed.html"))
    assert {path.relative_to(tmp_path / "out").parts[0] for path in written} == {
        *("a_b", "a_b-2", "A_b-3", "a_b-4", "zed.html", "zed.html-2")
    }


def test_a_student_who_can_not_be_graded_is_told_why(graded, book, tiny, tmp_path):
    (tmp_path / "class" / "ada").mkdir(parents=True)
    (tmp_path / "class" / "ada" / "tiny.ipynb").write_text("{")
    graded(tmp_path / "class")
    (path,) = write_feedback(book, tiny.key, tmp_path / "out")
    assert "Your file can't be graded: it is not a notebook" in path.read_text()


def test_an_open_question_shows_its_marks_and_never_its_rubric(in_process, tmp_path):
    course = released(tmp_path / "course", "open")
    course.hand_in(
        tmp_path / "class" / "ada" / "open.ipynb", written="A mean is *misleading* when\nsome are rich."
    )
    with Gradebook(tmp_path / "open.db", writes=True, create=True) as book:
        grade_class(book, course.key, [tmp_path / "class"], Here)
        (waiting,) = standings(book, course.key)
        assert (waiting.total, waiting.points, waiting.lines[1].unmarked) == (2.5, 5, 2.5)
        assert (
            "2.5 points are not marked yet"
            in write_feedback(book, course.key, tmp_path / "out")[0].read_text()
        )
        with pytest.raises(
            ValueError, match="give 2 numbers of points: at most 1 for “names values far from the rest”"
        ):
            mark(book, course.key, "ada", "q2", [1.0, 2.0])
        mark(book, course.key, "ada", "q2", [1.0, 0.5], "Say which median.")
        grade_class(book, course.key, [tmp_path / "class"], Here)
        (marked,) = standings(book, course.key)
        page = as_html(book, course.key, [marked])
        assert "ada, ada: 1 + 0.5" in page
        assert "example =" in page  # the code of an open question stands beside its words
        assert "some are rich." in page
        assert "names values far from the rest" in page  # the teacher's page has the rubric
        assert (marked.total, marked.lines[1].marks, marked.lines[1].stale) == (4, [1, 0.5], False)
        page = write_feedback(book, course.key, tmp_path / "out")[0].read_text()
        assert "1.5 of 2.5 points marked by your teacher: Say which median." in page
        assert "some are rich." in page
        for item in course.key.questions[1].rubric:
            assert item.text not in page
        course.hand_in(tmp_path / "class" / "ada" / "open.ipynb", written="Another text.")
        grade_class(book, course.key, [tmp_path / "class"], Here)
        (other,) = standings(book, course.key)
        assert (other.total, other.lines[1].stale) == (4, True)


def test_an_essay_in_one_line_is_shown_whole_to_both(in_process, tmp_path):
    """Editors don't break the lines of a paragraph."""
    course = released(tmp_path / "course", "open")
    essay = " ".join(f"reason{n}" for n in range(1000))
    course.hand_in(tmp_path / "class" / "ada" / "open.ipynb", written=f"{essay}\n\n" + "line\n" * 300 + "end")
    with Gradebook(tmp_path / "open.db", writes=True, create=True) as book:
        grade_class(book, course.key, [tmp_path / "class"], Here)
        pages = [as_html(book, course.key, standings(book, course.key))]
        pages += [path.read_text() for path in write_feedback(book, course.key, tmp_path / "out")]
    assert [(essay in page, "line\nend" in page) for page in pages] == [(True, True)] * 2


def test_nobody_waits_for_marks_who_answered_nothing(in_process, tmp_path):
    """What a released notebook says where words belong is not an answer, and an unreadable file has none."""
    course = released(tmp_path / "course", "open")
    handed = tmp_path / "class"
    course.hand_in(handed / "ada" / "open.ipynb", written="One is rich.")
    for name, notebook in (("bob", (course.root / "exercises/open.ipynb").read_text()), ("cleo", "{")):
        (handed / name).mkdir()
        (handed / name / "open.ipynb").write_text(notebook)
    with Gradebook(tmp_path / "open.db", writes=True, create=True) as book:
        grade_class(book, course.key, [handed], Here)
        found = standings(book, course.key)
        assert {s.student: s.lines[1].unmarked for s in found} == {"ada": 2.5, "bob": 0, "cleo": 0}
        page = as_html(book, course.key, found)
        assert "1 with answers that wait for marks" in page
        assert "Write your answer here" not in page
        (bob,) = (p for p in write_feedback(book, course.key, tmp_path / "out") if "bob" in str(p))
        assert "not marked yet" not in bob.read_text()


def test_an_override_is_kept_with_its_reason_and_can_be_taken_back(graded, book, tiny, room):
    graded(room)
    override(book, tiny.key, "carl", 3.0, "Right in words.", "q1")
    override(book, tiny.key, "dora", 9.5, "Graded by hand.")
    for bad in ((11.0, "more than all"), (-1.0, "less than nothing"), (5.0, " ")):
        with pytest.raises(ValueError, match=r"points are not between|needs a reason"):
            override(book, tiny.key, "ada", *bad)
    with pytest.raises(ValueError, match="there is no question q9"):
        override(book, tiny.key, "ada", 1.0, "x", "q9")
    with pytest.raises(ValueError, match="no student is called zoe"):
        override(book, tiny.key, "zoe", 1.0, "x")
    graded(room)
    found = {s.student: s for s in standings(book, tiny.key)}
    assert found["carl"].lines[0].earned == 3
    assert found["carl"].lines[0].reason == "Right in words."
    assert (found["dora"].total, found["dora"].reason) == (9.5, "Graded by hand.")
    override(book, tiny.key, "dora", None, "A mistake of mine.")
    assert {s.student: s.total for s in standings(book, tiny.key)}["dora"] == 0.5


def test_all_forms_of_export_are_in_the_test_of_exports():
    assert set(FORMS) == {"csv", "canvas", "moodle", "gradescope", "json", "marks"}
