"""The course as teachers plan it: what builds on what, the hours of weeks, no chapter forgotten."""

import re
from pathlib import Path

import pytest
from docutils import nodes
from gdmbook.course import builds_on, course, exercises, linked, minutes, rows, weeks
from gdmbook.plan import Time, said
from gdmbook.prerequisites import drawn, lanes, listed

from gdmcourse.grading.source import read_source

ROOT = Path(__file__).parents[2]
CHAPTERS = [page.name for page in course(ROOT)]
NEEDS = builds_on(ROOT)
TEACHING = (ROOT / "book/teaching/course.md").read_text(encoding="utf-8")

RUN_TIME = "\n```{run-time}\n```\n"


def small(root: Path, texts: dict[str, str]) -> Path:
    chapters = "".join(f"      - file: book/{name}\n" for name in texts)
    (root / "_toc.yml").write_text(f"root: book/index\nparts:\n  - chapters:\n{chapters}")
    for name, text in {"index": "# Index", **texts}.items():
        path = root / f"book/{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_a_chapter_builds_on_what_it_names_between_its_need_and_its_run_time(tmp_path):
    root = small(
        tmp_path,
        {
            "a/one": f"# One\n\nYou need little.\n{RUN_TIME}\n$$ x $$ (eq-one)\n",
            "a/two": f"# Two\n[One](one.md)\n\nYou need nothing.\n{RUN_TIME}\nSee [One](one.md).\n",
            "b/three": f"# Three\n\nYou need {{eq}}`eq-one` and [two](../a/two).\n\n[x](y.md).\n{RUN_TIME}",
            "b/page": "# No chapter\n\nYou need [One](../a/one.md).\n",
        },
    )
    assert builds_on(root) == {
        "book/a/one": [],
        "book/a/two": [],
        "book/b/three": ["book/a/one", "book/a/two"],
    }


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_each_chapter_says_what_it_needs_and_stands_after_it(chapter):
    text = (ROOT / f"{chapter}.md").read_text(encoding="utf-8")
    assert re.search(r"^You need .*?^```\{run-time\}", text, re.S | re.M)
    assert all(CHAPTERS.index(other) < CHAPTERS.index(chapter) for other in NEEDS[chapter])
    assert NEEDS[chapter] or chapter == "book/start/notation"


@pytest.mark.parametrize("route", ["six", "twelve"])
def test_a_route_goes_through_each_chapter_after_what_it_needs(route):
    order = [name for week in weeks(ROOT, route) for name in week.chapters]
    missing = {
        name: [other for other in NEEDS[name] if other not in order[: order.index(name)]] for name in order
    }
    assert order
    assert {name: needs for name, needs in missing.items() if needs} == {}


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_teacher_is_told_what_students_get_wrong(chapter):
    told = TEACHING.split("(teaching-say)=")[1].split("(teaching-short)=")[0]
    assert chapter in linked(told, "book/teaching/course")


def test_lines_in_one_column_do_not_meet():
    names = list("abcdef")
    needs = {"a": [], "b": ["a"], "c": ["b"], "d": ["a"], "e": ["d"], "f": ["a", "e"]}
    column = lanes(names, needs)
    assert column == {"a": 0, "b": 1, "d": 1, "e": 2}
    assert "c" not in column


def test_the_drawing_says_in_words_what_it_draws():
    picture = drawn({"a": "A & co", "b": "B", "c": "C"}, {"a": [], "b": ["a"], "c": ["a", "b"]})
    assert picture.count("<circle") == 3
    assert picture.count("<text") == 3
    words = "A &amp; co builds on no other; B builds on A &amp; co; C builds on A &amp; co and B"
    assert f'role="img" aria-label="{words}"' in picture


@pytest.mark.parametrize(
    ("words", "text"), [(["A"], "A"), (["A", "B"], "A or B"), (["A", "B", "C"], "A, B or C")]
)
def test_words_are_listed(words, text):
    assert listed(words) == text


def time(chapters: list[str], more: int = 0, *, whole: bool = False, hours: bool = False) -> Time:
    return Time(chapters=chapters, more=more, whole=whole, hours=hours)


def test_times_are_those_of_the_pages_and_the_exercises():
    times = {"a": (60, 90), "b": (30, 30)}
    assert said(times, time(["a", "b"])) == "90\u00a0min"
    assert said(times, time(["a", "b"], whole=True)) == "120\u00a0min"
    assert said(times, time(["a", "b"], 60, hours=True)) == "2.5"
    assert said(times, time(["c"], 60, hours=True)) == "–"


def test_points_are_those_of_the_sources():
    found = exercises(ROOT, "book/diffusion/forward_process")
    assert found == read_source(ROOT / "solutions/forward_process.md")
    assert minutes(found.points) == 60
    assert exercises(ROOT, "book/start/index") is None


def test_a_row_holds_the_chapters_that_are_written():
    lines = ["| Week | Read |", "| --- | --- |", "| 2 | [](../a/b.md); Later; [x](#here) | all |"]
    assert [(week.number, week.chapters) for week in rows(lines, "book/start/how_to", {"book/a/b"})] == [
        (2, ("book/a/b",))
    ]


def test_the_minutes_of_a_page_are_kept_beside_its_sentence():
    from docutils.utils import new_document
    from gdmbook.reading import Fold, ReadingTime

    page = new_document("test")
    page += nodes.section("", nodes.title("", "T"), ReadingTime(), nodes.paragraph("", "word " * 1000))
    Fold(page).apply()
    (line,) = (part for part in page.findall(nodes.paragraph) if "reading" in part)
    assert line["reading"] == (10, 10)
    assert line.astext() == "Reading: about 10 minutes."
