"""Files for others: the columns that platforms ask for, and nothing that a spreadsheet would run."""

import csv
import io
import json
from dataclasses import replace

import pytest

from gdmcourse.classroom.export import export, plain
from gdmcourse.classroom.late import late, policy, policy_of
from gdmcourse.classroom.standing import standings
from tests.classroom.conftest import WRONG


@pytest.fixture
def found(graded, book, tiny, tmp_path):
    folder = tmp_path / "class"
    tiny.hand_in(folder / "Ada Lovelace_12345_assignsubmission_file_" / "tiny.ipynb")
    tiny.hand_in(folder / "=cmd|x_12346_assignsubmission_file_" / "tiny.ipynb", q1=WRONG["square"])
    (folder / "Eve_12347_assignsubmission_file_").mkdir()
    graded(folder)
    return standings(book, tiny.key)


def rows(form, tiny, found, column=None):
    return list(csv.DictReader(io.StringIO(export(form, tiny.key, found, column))))


def test_a_table(tiny, found):
    first, second, third = rows("csv", tiny, found)
    assert (first["name"], first["q1"], first["total"]) == ("'=cmd|x", "1.17", "5.17")
    assert (second["student"], second["name"], second["state"]) == ("12345", "Ada Lovelace", "graded")
    assert (third["state"], third["total"]) == ("nothing", "0")


def test_canvas_has_its_five_columns_and_the_row_of_possible_points(tiny, found):
    text = export("canvas", tiny.key, found, "Homework 1 (777)")
    head, points, *students = list(csv.reader(io.StringIO(text)))
    assert head == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Homework 1 (777)"]
    assert points == ["    Points Possible", "", "", "", "", "10"]
    assert students[1] == ["Ada Lovelace", "12345", "", "", "", "10"]


def test_moodle_finds_participants_grades_and_comments(tiny, found):
    students = rows("moodle", tiny, found)
    assert {"Identifier", "Grade", "Last modified (grade)", "Feedback comments"} <= students[0].keys()
    assert (students[1]["Identifier"], students[1]["Grade"]) == ("Participant 12345", "10")
    assert students[1]["Feedback comments"] == "q1: 3 of 3; q2: 4 of 4; q3: 3 of 3"
    assert students[2]["Status"] == "No submission"


def test_gradescopes_columns(tiny, found):
    student = rows("gradescope", tiny, found)[1]
    wanted = {
        "First Name": "Ada",
        "Last Name": "Lovelace",
        "SID": "12345",
        "Total Score": "10",
        "Max Points": "10",
    }
    assert wanted.items() <= student.items()
    assert student["1: How much signal is left (3 pts)"] == "3"


def test_json_has_everything(tiny, found):
    data = json.loads(export("json", tiny.key, found))
    assert data["assignment"] == "tiny"
    assert data["students"][1]["lines"][0]["earned"] == 3


@pytest.mark.parametrize("name", ["=1", " =1", "\t=1", "@x", "\uff1d1", "a;=1", "a; =1;b", "a\t+1", "a|-1|b"])
def test_no_cell_begins_as_a_formula_whatever_ends_a_cell(name):
    """Where numbers have a comma, spreadsheets take a semicolon for the end of a cell."""
    for delimiter in ",;\t|":
        (cells,) = csv.reader(io.StringIO(plain(name)), delimiter=delimiter)
        assert not [cell for cell in cells if cell.strip()[:1] in ("=", "+", "-", "@", "\uff1d")]


def test_what_is_no_formula_stays_as_it_is():
    for cell in ("-", "Ada-Lou Lovelace", "a@b.example", "q1: 3 of 3; q2: 4 of 4", "O'Neil", 3, -1.5, None):
        assert plain(cell) == cell


def test_another_form_is_refused(tiny, found):
    with pytest.raises(ValueError, match="there is no form 'xls', only csv, canvas"):
        export("xls", tiny.key, found)


DUE = 1_800_000_000.0
RULE = policy("2027-01-15T08:00:00+00:00", per_day=10.0, most=25.0, grace=15.0)


@pytest.mark.parametrize(
    ("after", "percent"),
    [(-60, None), (0, None), (15 * 60, None), (16 * 60, 10), (86_400, 10), (86_401, 20), (9e5, 25)],
)
def test_percent_for_each_day_begun(after, percent):
    found = late(RULE, DUE + after, now=DUE + 1e6)
    assert (found and found.percent) == percent


def test_a_time_that_can_not_be_right_takes_nothing_off():
    assert late(RULE, None).percent == 0
    assert "lies in the future" in late(RULE, DUE + 9e6, now=DUE).words
    assert late(None, DUE) is None
    assert policy_of(RULE.to_text()) == RULE


@pytest.mark.parametrize(
    ("due", "options"), [("soon", {}), ("2027-01-15", {"per_day": 101.0}), ("2027-01-15", {"grace": -1.0})]
)
def test_a_policy_that_can_not_be_is_refused(due, options):
    with pytest.raises(ValueError, match=r"is no time|percent lie"):
        policy(due, **{"per_day": 10.0, **options})


def test_lateness_is_taken_off_the_sum_and_told(graded, book, tiny, tmp_path):
    import os

    path = tiny.hand_in(tmp_path / "late" / "ada" / "tiny.ipynb")
    os.utime(path, (1_700_000_000,) * 2)
    graded(tmp_path / "late")
    book.set_late("tiny", policy("2023-11-13T00:00:00+00:00", per_day=10.0).to_text())
    (found,) = standings(book, tiny.key)
    assert (found.total, found.late.words) == (8, "handed in 2 days late: 20 % off")
    assert "2 days late" in export("moodle", tiny.key, [found])


def test_a_time_that_no_calendar_has_stops_no_export(tiny, found):
    odd = [replace(standing, at=1e15) for standing in found]
    assert rows("csv", tiny, odd)[0]["handed in"] == ""
    assert rows("gradescope", tiny, odd)[0]["Submission Time"] == ""
