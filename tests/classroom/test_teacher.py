"""For the teacher: item analysis, near-duplicates, a class at a glance, and what students get beforehand."""

import io
import json

import pytest
from rich.console import Console

from gdmcourse.classroom import validate as validation
from gdmcourse.classroom.duplicates import LONGEST, duplicates, normalised
from gdmcourse.classroom.duplicates import lines as told_pairs
from gdmcourse.classroom.grade_class import Taken
from gdmcourse.classroom.hide import hide
from gdmcourse.classroom.items import items
from gdmcourse.classroom.items import lines as told_items
from gdmcourse.classroom.overview import as_html, for_terminal, histogram
from gdmcourse.classroom.progress import Progress
from gdmcourse.classroom.standing import standings
from tests.classroom.conftest import WRONG, InProcess


def test_items_tell_hard_from_easy_and_known_mistakes_from_new_ones(graded, book, tiny, room):
    tiny.hand_in(room / "fay" / "tiny.ipynb", q1="def signal(x):\n    '''Half.'''\n    y = 0.5\n    return y")
    tiny.hand_in(room / "gil" / "tiny.ipynb", q1="")
    graded(room)
    q1, q2, q3 = items(book, tiny.key)
    assert q1.students == 6
    assert (q1.untouched, q1.known) == (1, [(tiny.key.questions[0].wrong[0].hint, 1)])
    (group,) = q1.unknown
    assert sorted(group.students) == ["dora", "fay"]
    assert group.code == WRONG["half"]
    assert q1.difficulty == pytest.approx((3 + 3 + 1.17 + 0.5 + 0.5 + 0) / 18, abs=1e-3)
    assert q2.difficulty == pytest.approx(5 / 6)
    assert q1.discrimination > 0.5
    assert [group.reasons for group in q2.unknown] == [["ValueError"]]
    said = "\n".join(told_items([q1, q2, q3]))
    assert "2 × without a hint (dora, fay)" in said
    assert "| def signal(alpha_bar):" in said


BODY = """
def noise(alpha_bar):
    total, steps = 0.0, 40
    low, high = 0.0, 2.0
    for step in range(steps):
        middle = (low + high) / 2
        if middle * middle < 1 - alpha_bar:
            low = middle
        else:
            high = middle
    return (low + high) / 2
"""


def test_a_copy_with_other_names_and_comments_is_found_with_its_passage(graded, book, tiny, room):
    renamed = BODY.replace("middle", "m").replace("low", "a").replace("high", "b").replace("steps", "n")
    tiny.hand_in(room / "fay" / "tiny.ipynb", q2=BODY)
    tiny.hand_in(room / "gil" / "tiny.ipynb", q2="# all mine\n" + renamed.replace("total, ", "sum_up, "))
    for number in range(12):
        tiny.hand_in(
            room / f"s{number}" / "tiny.ipynb", q2=f"def noise(a):\n    return (1 - a) ** 0.5 + {number} * 0"
        )
    graded(room)
    same, near, *others = duplicates(book, tiny.key)
    assert (same.students, same.same_file) == (("ada", "bob"), True)
    assert (sorted(near.students), near.same_file) == (["fay", "gil"], False)
    assert near.likeness > 0.6
    assert "for step in range(" in near.passages[0]
    assert all(pair.likeness < near.likeness for pair in others)
    assert "the same file" in told_pairs([same])[0]


def test_of_code_without_end_a_part_is_compared():
    text = normalised("x = 1\n" * 20_000)
    assert len(text.tokens) == len(text.places) == LONGEST


def test_code_that_is_no_python_is_compared_as_far_as_it_goes():
    assert normalised("a = (1 +\n  'x").tokens[:4] == ["name", "=", "(", "1"]


def test_the_class_at_a_glance(graded, book, tiny, room):
    graded(room)
    found = standings(book, tiny.key)
    assert histogram(found, 10.0) == [2, 0, 0, 0, 0, 1, 0, 0, 0, 2]
    console = Console(file=io.StringIO(), width=80)
    console.print(for_terminal(tiny.key, found))
    text = console.file.getvalue()
    assert "carl" in text
    assert "████" in text
    assert "5 students, mean 5.13, median 5.17 of 10 points" in " ".join(text.split())
    page = as_html(book, tiny.key, found)
    assert page.count("<rect") == 10
    assert "known mistake" in page
    assert "http" not in page


def test_progress_says_how_far_it_is_in_a_log():
    console = Console(file=io.StringIO(), force_terminal=False)
    with Progress(console) as progress:
        for done in range(41):
            progress.tell(Taken(to_do=40, graded=done))
    lines = console.file.getvalue().splitlines()
    assert len(lines) == 10
    assert lines[0].startswith("graded 4 of 40")


@pytest.fixture
def at_home(tiny, monkeypatch, tmp_path):
    """A student's copy, where answers run in this process."""
    monkeypatch.setattr(validation, "Runs", InProcess)
    monkeypatch.chdir(tiny.root / "exercises")

    def look(name="tiny.ipynb", **answers):
        return validation.validate(tiny.hand_in(tmp_path / name, **answers))

    return look


def test_a_whole_file_can_be_handed_in(at_home):
    assert at_home("TINY.IPYNB").whole
    found = at_home()
    assert found.whole
    assert found.lines[-1] == "This file can be handed in."
    assert [line for line in found.lines if line.startswith("✓ q")] == [
        f"✓ {q}: found, and it runs" for q in ("q1", "q2", "q3")
    ]


def test_right_and_wrong_are_not_told_beforehand(at_home):
    assert at_home(q1=WRONG["square"]).lines == at_home().lines


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"q1": "def Signal(a):\n    return a"}, "✗ q1: cell 6 defines nothing called signal"),
        ({"q2": "def noise(a):\n    return 1 -"}, "✗ q2: cell"),
        ({"q3": "def snr(a):\n    return a[0]"}, "✗ q3: TypeError"),
        ({"name": "work.txt"}, "✗ work.txt would not be found"),
    ],
)
def test_what_would_lose_points_unseen_is_told(at_home, answers, said):
    found = at_home(**answers)
    assert not found.whole
    assert any(line.startswith(said) for line in found.lines), found.lines


def test_a_file_that_can_not_be_read_is_told(tmp_path, tiny, monkeypatch):
    monkeypatch.chdir(tiny.root / "exercises")
    (tmp_path / "tiny.ipynb").write_text("<html>")
    found = validation.validate(tmp_path / "tiny.ipynb")
    assert not found.whole
    assert "can't be read: it is not a notebook" in found.lines[0]


def course_of(tiny, tmp_path):
    root = tmp_path / "course"
    for name, text in {
        "solutions/tiny.md": (tiny.root / "solutions" / "tiny.md").read_text(),
        "exercises/tiny.ipynb": (tiny.root / "exercises" / "tiny.ipynb").read_text(),
        "exercises/key/tiny.json": (tiny.root / "exercises" / "key" / "tiny.json").read_text(),
        "README.md": "A course.",
        "submissions/ada/tiny.ipynb": "{}",
        "gdmcourse/__init__.py": "",
        "gdmcourse/__pycache__/x.pyc": "",
        "book/a.md": "# A",
        ".git/config": "",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def test_students_get_a_tree_without_solutions(tiny, tmp_path):
    root, to = course_of(tiny, tmp_path), tmp_path / "students"
    copied = hide(root, to)
    assert sorted(path.relative_to(to).as_posix() for path in copied) == [
        *(
            "README.md",
            "book/a.md",
            "exercises/key/tiny.json",
            "exercises/tiny.ipynb",
            "gdmcourse/__init__.py",
        )
    ]
    text = "".join(path.read_text() for path in copied)
    for question in tiny.key.questions:
        for probe in question.probes:
            assert (probe.source in text or json.dumps(probe.source)[1:-1] in text) != probe.hidden
    for answer in tiny.answers.values():
        assert answer.split("### BEGIN SOLUTION")[1].split("###")[0].strip() not in text


def test_a_tree_that_would_tell_a_hidden_probe_is_not_released(tiny, tmp_path):
    root = course_of(tiny, tmp_path)
    full = (tiny.root / "solutions" / "key" / "tiny.json").read_text()
    (root / "exercises" / "key" / "tiny.json").write_text(full)
    with pytest.raises(ValueError, match=r"exercises/key/tiny.json tells a hidden probe of tiny, q1"):
        hide(root, tmp_path / "students")
    assert not (tmp_path / "students").exists()


@pytest.mark.parametrize("where", ["course/inside", "taken"])
def test_a_folder_that_can_not_be_the_students_is_refused(tiny, tmp_path, where):
    root = course_of(tiny, tmp_path)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "a").touch()
    with pytest.raises(ValueError, match=r"is not empty|lies in the course itself"):
        hide(root, tmp_path / where)
    with pytest.raises(ValueError, match="no solutions"):
        hide(tmp_path / "taken", tmp_path / "students")
