"""What else a source may hold: words that a teacher marks, helper files, edits of the reference."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from gdmcourse.grading.exercise import TO_WRITE, SourceError, edited
from gdmcourse.grading.grade import grade
from gdmcourse.grading.key import read_key
from gdmcourse.grading.match import match
from gdmcourse.grading.read import read
from gdmcourse.grading.release import release
from gdmcourse.grading.report import as_html, as_text
from gdmcourse.grading.source import read_source

HERE = Path(__file__).parent / "course" / "solutions"


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    root = tmp_path_factory.mktemp("open")
    shutil.copytree(HERE, root / "solutions")
    release(root / "solutions" / "open.md", root / "exercises")
    return root


@pytest.fixture
def hand_in(opened, tmp_path):
    def write(**answers):
        notebook = json.loads((opened / "exercises" / "open.ipynb").read_text())
        for cell in notebook["cells"]:
            cell["source"] = answers.get(cell["id"].replace("-", "_"), cell["source"])
        path = tmp_path / "open.ipynb"
        path.write_text(json.dumps(notebook))
        return path

    return write


RIGHT = "def scaled_mean(values):\n    return FACTOR * sum(values) / len(values)"
WORDS = "A mean follows one <b>large</b> value.\nA median doesn't."


def test_a_teacher_gets_the_words_and_the_rubric(opened, hand_in):
    path = hand_in(q1_answer=RIGHT, q2_answer="example = [1, 1, 9]", q2_written=WORDS)
    result = grade(path, opened / "solutions" / "key")
    assert (result.earned, result.points, result.marked_points) == (2.5, 2.5, 2.5)
    text, page = as_text(result), as_html(result)
    assert "To mark (1.5 points): says what to use in its place" in text
    assert "2.5 more are marked by hand" in text
    assert "<blockquote>A mean follows one &lt;b&gt;large&lt;/b&gt; value.\nA median" in page


def test_a_student_is_told_that_the_teacher_marks_it(opened, hand_in):
    path = hand_in(q1_answer=RIGHT, q2_answer="example = [1, 1, 9]", q2_written=WORDS)
    result = grade(path, opened / "exercises" / "key")
    assert "2.5 more points are marked by your teacher" in as_text(result)
    assert "says what to use" not in as_text(result)
    assert "says what to use" not in (opened / "exercises" / "key" / "open.json").read_text()
    words_only = replace(result.questions[1], points=0.0)
    assert "q2. Why the mean: marked by your teacher" in as_text(replace(result, questions=[words_only]))


def test_what_the_source_forbids_earns_nothing_and_says_so(opened, hand_in):
    borrowed = "import statistics\ndef scaled_mean(values):\n    return FACTOR * statistics.mean(values)"
    graded = grade(hand_in(q1_answer=borrowed), opened / "solutions" / "key").questions[0]
    assert graded.earned == 0
    assert graded.reasons == ["statistics may not be imported here: write the answer yourself"]


def test_a_helper_file_is_handed_out_and_is_there_when_the_notebook_runs(opened):
    assert (opened / "exercises" / "scale.py").read_text().startswith("FACTOR = 3.0")
    assert json.loads((opened / "solutions" / "key" / "open.json").read_text())["files"]["scale.py"]


def test_a_wrong_answer_may_be_an_edit_of_the_reference():
    wrong = read_source(HERE / "open.md").questions[0].wrong
    assert wrong[0].source.endswith("total = sum(values)\n    return FACTOR * total")
    assert wrong[1].source.endswith("sum(map(abs, values))\n    return total * FACTOR / len(values)")
    assert (wrong[0].hidden_only, wrong[1].hidden_only) == (
        None,
        "no value is negative in what a student sees",
    )


def test_an_edit_names_a_text_that_is_there_once():
    for old in ("x", "y"):
        with pytest.raises(SourceError, match="name a text that is there once"):
            edited("x = 1\nreturn x", ((old, "z"),))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('replace: "total / len(values) -> total"', 'replace: "total"', "must be `old -> new`"),
        ('replace: "total / len(values) -> total"', "", "either a whole answer or"),
        ('replace: "total / len(values) -> total"', 'replace: "total -> sum"', "is in the reference 2 times"),
        ('replace: "total / len(values) -> total"', 'replace: "total / -> )"', "isn't Python"),
        ("- 1: names values", "- names values", "must be lines such as"),
        ('"kind": "open"', '"kind": "shut"', "has 1 cells tagged rubric, and needs exactly 0"),
        ("(3 points)", "(9 points)", "says 9 points, and those of q2 add up to 3"),
        ("files: [scale.py]", "files: 7", "must be a list of names"),
    ],
)
def test_what_breaks_the_form_is_named(tmp_path, old, new, message):
    text = (HERE / "open.md").read_text()
    assert old in text
    path = tmp_path / "open.md"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(SourceError, match=message):
        read_source(path)


@pytest.mark.parametrize("name", ["none.py", "../open.md"])
def test_a_file_that_is_not_there_is_named(tmp_path, name):
    (tmp_path / "open.md").write_text((HERE / "open.md").read_text().replace("[scale.py]", f"[{name}]"))
    with pytest.raises(SourceError, match="with this name beside the source"):
        release(tmp_path / "open.md", tmp_path / "exercises")


def words_of(opened, hand_in, edit):
    """What a teacher is shown of the words, after an edit of the handed-in cells."""
    path = hand_in(q2_written=WORDS)
    notebook = json.loads(path.read_text())
    edit(notebook["cells"], next(n for n, c in enumerate(notebook["cells"]) if c["id"] == "q2-written"))
    path.write_text(json.dumps(notebook))
    key = read_key(opened / "solutions" / "key" / "open.json")
    return match(read(path), key).questions["q2"].written


def test_words_in_a_new_cell_below_belong_to_the_answer(opened, hand_in):
    """Many write below “Write your answer here” and leave that as it is."""

    def below(cells, n):
        cells[n]["source"] = TO_WRITE
        for k, text in enumerate(("First thought.", "Second thought.")):
            cells.insert(n + 1 + k, {"cell_type": "markdown", "id": f"a{k}", "metadata": {}, "source": text})

    assert words_of(opened, hand_in, below) == "First thought.\n\nSecond thought."
    assert words_of(opened, hand_in, lambda cells, n: None) == WORDS


def test_pictures_kept_as_text_hide_no_words_and_a_book_is_cut(opened, hand_in):
    def drawn(cells, n):
        cells[n]["source"] = f"![a](data:image/png;base64,{'QUJD' * 90_000}) and {WORDS}"

    assert words_of(opened, hand_in, drawn) == f"![a]((a picture)) and {WORDS}"

    def long(cells, n):
        cells[n]["source"] = "word " * 2_000_000

    assert words_of(opened, hand_in, long).endswith("word  … (here it was cut)")
    assert len(words_of(opened, hand_in, long)) < 110_000
