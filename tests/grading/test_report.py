"""Reports: written whole, safe in any file and on any console, and a link that opens."""

import json
import os
import stat
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdmcourse.grading import report
from gdmcourse.grading.clean import LONGEST, clean
from gdmcourse.grading.result import UNSHOWN, Grade, QuestionGrade

ODD = "a\ud800\x1b[31mred\x1b]0;title\x07\n\x00\u202e  b"


def made(**changes):
    fields = {"id": "q1", "title": "T", "points": 2.0, "earned": 1.0, **changes}
    asked = [QuestionGrade(**fields)]
    return Grade("n.ipynb", "c", "C", "book/x/c", 1.0, 2.0, 0.0, 0.0, "bubblewrap", None, asked)


@given(st.text(alphabet=st.characters(categories=["Cs", "Cc", "Cf", "Zs", "Ll", "So", "Zl"])))
def test_whatever_comes_becomes_one_line_that_can_be_encoded(text):
    line = clean(text)
    assert line.isprintable()
    assert "  " not in line
    assert len(line) <= LONGEST
    line.encode("utf-8")


def test_escape_sequences_leave_no_trace():
    assert clean(ODD) == "a? red b"


def test_an_error_at_an_input_that_is_shown_is_told_before_one_that_isnt():
    graded = made(failed=["a", UNSHOWN], reasons=["b"]).questions[0]
    assert report.lines(graded) == ["a", "b", UNSHOWN]


def test_every_form_of_a_report_takes_odd_words():
    grade = made(reasons=[ODD], failed=[ODD], note=ODD, title=ODD)
    text = report.as_text(grade)
    assert [line.isprintable() for line in text.split("\n")] == [True] * len(text.split("\n"))
    assert json.loads(report.as_json(grade))["questions"][0]["reasons"] == [ODD]
    assert report.as_json(grade).isascii()
    report.as_html(grade).encode("utf-8")


def test_a_grade_is_plain_data():
    grade = made()
    assert json.loads(json.dumps(asdict(grade))) == asdict(grade)


def test_the_equation_is_named_as_on_the_page_with_a_link_that_opens(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "PACKAGE", tmp_path / "gdmcourse")
    grade = made(teaches="eq-a", number="3.9")
    assert "Read: equation (3.9) in book/x/c.md" in report.as_text(grade)
    assert "href" not in report.as_html(grade)
    page = tmp_path / "_build" / "html" / "book" / "x" / "c.html"
    page.parent.mkdir(parents=True)
    page.touch()
    assert f"{page.as_uri()}#equation-eq-a" in report.as_text(grade)
    assert f'<a href="{page.as_uri()}#equation-eq-a">Read: equation (3.9)' in report.as_html(grade)
    assert "Read" not in report.as_text(made(earned=2.0))


def test_a_report_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "r.html"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        report.write_report(path, "x" * 100_000 + "\ud800")
    assert path.read_text() == "old"
    report.write_report(path, "new")
    assert [file.name for file in tmp_path.iterdir()] == ["r.html"]
    assert path.read_text() == "new"


@pytest.mark.skipif(os.name != "posix", reason="elsewhere files have no such modes")
@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
def test_others_read_a_report_only_where_they_may_read_this_users_files(tmp_path, mask, mode):
    before = os.umask(mask)
    try:
        report.write_report(tmp_path / "grades.html", "x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "grades.html").stat().st_mode) == mode
