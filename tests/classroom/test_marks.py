"""Marks of open questions through a spreadsheet: a whole sheet is entered or nothing, and nothing is lost."""

import pytest

from gdmcourse.classroom.decide import history, mark
from gdmcourse.classroom.export import export
from gdmcourse.classroom.grade_class import grade_class
from gdmcourse.classroom.marks import enter
from gdmcourse.classroom.standing import one, standings
from tests.classroom.conftest import Here, released


@pytest.fixture
def open_class(in_process, book, tmp_path):
    """A class of three with an open question, one of them with a name that a spreadsheet would run."""
    course = released(tmp_path / "course", "open")
    for name in ("ada", "bob", "=1+1"):
        course.hand_in(tmp_path / "class" / name / "open.ipynb", written=f"Some are rich, says {name}.")
    grade_class(book, course.key, [tmp_path / "class"], Here)
    return course


@pytest.fixture
def sheet(open_class, book, tmp_path):
    """Write a sheet and enter it; returns how many marks were new."""

    def entered(content):
        path = tmp_path / "marks.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return enter(book, open_class.key, path)

    return entered


def written(book, course):
    return export("marks", course.key, standings(book, course.key))


def test_what_is_written_is_entered_again_and_changes_nothing(open_class, book, sheet):
    mark(book, open_class.key, "ada", "q2", [1.0, 0.5], "Say which median.")
    text = written(book, open_class)
    assert text == "student,name,q2\n'=1+1,'=1+1,\nada,ada,1 0.5\nbob,bob,\n"
    assert sheet(text) == 0
    assert sheet(text.replace("'=1+1,'=1+1,", "'=1+1,'=1+1,0 1.5").replace("1 0.5", "1 1")) == 2
    ada, equal = (one(book, open_class.key, name) for name in ("ada", "=1+1"))
    assert (ada.lines[1].marks, ada.lines[1].note) == ([1, 1], "Say which median.")
    assert equal.lines[1].marks == [0, 1.5]
    assert one(book, open_class.key, "bob").lines[1].marks == []
    assert len([line for line in history(book, open_class.key, "ada") if "mark q2" in line]) == 2


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffstudent;name;q2\r\nada;Ada;1 + 0,5\r\n",
        "name\tstudent\tq2\n\tada\t 1  0.5\n\nbob\tbob\n",
        'q2,"student"\n"1 .5",ada\n',
    ],
)
def test_a_sheet_is_read_as_spreadsheets_write_it(open_class, book, sheet, text):
    assert sheet(text) == 1
    assert one(book, open_class.key, "ada").lines[1].marks == [1, 0.5]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("student,q2\nzoe,1 1\n", "line 2: 'zoe' is no student's id"),
        ("student,q2\nada,0 0\nada,1 1\n", "line 3: 'ada' is there twice"),
        ("student,q1\nada,1\n", "the column 'q1' is no open question; there are q2"),
        ("student,q9\nada,1\n", "the column 'q9' is no open question"),
        ("student,q2,q2\nada,1 1,1 1\n", "the column 'q2' is there twice"),
        ("student,q2\nada,1\n", "line 2, q2: give 2 numbers of points: at most 1 for “names values"),
        ("student,q2\nada,1 1.6\n", "line 2, q2: give 2 numbers"),
        ("student,q2\nada,-1 1\n", "line 2, q2: give 2 numbers"),
        ("student,q2\nada,1 nan\n", "line 2, q2: give 2 numbers"),
        ("student,q2\nada,1 inf\n", "line 2, q2: give 2 numbers"),
        ("student,q2\nada,good\n", "line 2, q2: give 2 numbers"),
        ("student,q2\nada,1 1,1\n", "line 2 has more cells than the first line has names"),
        ("name,q2\nada,1 1\n", "has no column `student`"),
        ("", "has no column `student`"),
        ('student,q2\nada,"1 1', "unexpected end of data"),
        (b"student,q2\nad\xe9,1 1\n", "is not in UTF-8; save it as “CSV UTF-8”"),
        (b"student,q2\nada\x00,1 1\n", "line 2: "),
    ],
)
def test_what_is_wrong_is_told_with_its_place_and_nothing_is_entered(open_class, book, sheet, text, said):
    mark(book, open_class.key, "ada", "q2", [1.0, 0.5])
    if isinstance(text, str) and text.startswith("student,q2\n"):
        text = text.replace("student,q2\n", "student,q2\nbob,1 1\n", 1)
        said = said.replace("line 3", "line 4").replace("line 2", "line 3")
    with pytest.raises(ValueError, match=r"marks\.csv|the column") as refused:
        sheet(text)
    assert said in str(refused.value)
    assert one(book, open_class.key, "ada").lines[1].marks == [1, 0.5]
    assert one(book, open_class.key, "bob").lines[1].marks == []


def test_a_mark_for_an_earlier_file_is_to_be_given_again(open_class, book, sheet, tmp_path):
    assert sheet("student,q2\nada,1 1\n") == 1
    open_class.hand_in(tmp_path / "class" / "ada" / "open.ipynb", written="Another text.")
    grade_class(book, open_class.key, [tmp_path / "class"], Here)
    assert "ada,ada,\n" in written(book, open_class)
    assert one(book, open_class.key, "ada").lines[1].stale
    assert sheet(written(book, open_class)) == 0
    assert sheet("student,q2\nada,1 1\n") == 1
    assert not one(book, open_class.key, "ada").lines[1].stale


def test_a_sheet_that_is_not_there_is_said(open_class, book, tmp_path):
    with pytest.raises(ValueError, match=r"there is no file .*export --form marks"):
        enter(book, open_class.key, tmp_path / "none.csv")
