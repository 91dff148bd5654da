"""Finding the answers in what students hand in, and reading files that are no submission at all."""

import json

import pytest

from gdmcourse.grading.assemble import alone, together
from gdmcourse.grading.key import read_key
from gdmcourse.grading.lookup import find_key
from gdmcourse.grading.submission import Unreadable, read_notebook, read_submission

HELPER = {"cell_type": "code", "id": "mine", "metadata": {}, "source": "half = 0.5", "outputs": []}


def read(path, course):
    return read_submission(read_notebook(path), read_key(course.solutions / "key" / "tiny.json"))


def found(path, course):
    return {piece.question: piece.source for piece in read(path, course).pieces}


def strip(notebook, *, ids=True, metadata=True, lines=True):
    for cell in notebook["cells"]:
        if ids:
            cell.pop("id", None)
        if metadata:
            cell["metadata"] = {}
        if lines and isinstance(cell["source"], str):
            cell["source"] = cell["source"].replace("# answer: ", "# ")


def with_lines(course):
    return {q: f"# answer: {q}\n{source}" for q, source in course.answers.items()}


def test_an_answer_is_found_by_its_metadata(submit, course):
    path = submit(lambda nb: strip(nb, metadata=False))
    assert found(path, course) == course.answers


def test_an_answer_is_found_by_its_cell_id(submit, course):
    path = submit(lambda nb: strip(nb, ids=False))
    assert found(path, course) == course.answers


def test_an_answer_is_found_by_the_line_in_its_source(submit, course):
    path = submit(lambda nb: strip(nb, lines=False), **with_lines(course))
    assert found(path, course) == with_lines(course)


def test_an_answer_is_found_by_the_name_that_it_defines(submit, course):
    assert found(submit(strip), course) == course.answers


def test_of_several_answers_the_last_changed_one_counts_and_the_report_says_so(submit, course):
    def edit(notebook):
        cells = notebook["cells"]
        first = next(n for n, cell in enumerate(cells) if cell.get("id") == "q2-answer")
        stub = next(c for c in course.notebook()["cells"] if c["id"] == "q2-answer")
        cells.append({**cells[first], "id": "copy", "source": "def noise(alpha_bar):\n    return 7.0"})
        cells.append({**stub, "id": "untouched"})

    path = submit(edit)
    assert found(path, course)["q2"] == "def noise(alpha_bar):\n    return 7.0"
    note = read(path, course).notes["q2"]
    count = len(json.loads(path.read_text())["cells"])
    assert f", {count - 1}, {count}; the last changed one, cell {count - 1}, counts" in note


def test_the_graders_own_cells_are_put_in_anew(submit, course):
    def edit(notebook):
        for cell in notebook["cells"]:
            if "probe" in cell["metadata"].get("tags", []):
                cell["source"] = "probe = print\nprobe(noise(0.75))"
            if "check" in cell["metadata"].get("tags", []):
                cell["source"] = "check = None"

    assert set(found(submit(edit), course)) == {"q1", "q2", "q3"}


def test_helpers_stay_where_they_are(submit, course):
    def edit(notebook):
        at = next(n for n, cell in enumerate(notebook["cells"]) if cell.get("id") == "q2-answer")
        notebook["cells"].insert(at, dict(HELPER))

    submission = read(submit(edit), course)
    assert [piece.question for piece in submission.pieces] == ["q1", None, "q2", "q3"]
    key = read_key(course.solutions / "key" / "tiny.json")
    order = [cell["metadata"]["gdmcourse"]["role"] for cell in together(key, submission, "t")["cells"]]
    assert order == [
        "setup",
        "answer",
        "probe",
        "probe",
        "helper",
        "answer",
        "probe",
        "probe",
        "answer",
        "probe",
        "probe",
    ]


def test_alone_a_question_takes_along_what_it_builds_on(submit, course):
    key = read_key(course.solutions / "key" / "tiny.json")
    submission = read(submit(), course)
    for question, sources in (("q1", ["q1"]), ("q2", ["q2"]), ("q3", ["q1", "q2", "q3"])):
        cells = alone(key, submission, question, "t")["cells"]
        answers = ["".join(c["source"]) for c in cells if c["metadata"]["gdmcourse"]["role"] == "answer"]
        assert answers == [course.answers[name] for name in sources]


def test_lines_of_magic_hide_nothing(submit, course):
    key = read_key(course.solutions / "key" / "tiny.json")
    answers = {name: f"%%time\n!ls\n{source}" for name, source in course.answers.items()}
    submission = read(submit(lambda nb: strip(nb), **answers), course)
    assert [piece.question for piece in submission.pieces] == ["q1", "q2", "q3"]
    assert len(alone(key, submission, "q3", "t")["cells"]) == 1 + 3 + 2


def test_of_an_answer_that_is_not_needed_the_imports_are_taken_along(submit, course):
    key = read_key(course.solutions / "key" / "tiny.json")
    first = f"import cmath\nfrom math import pi\n{course.answers['q1']}"
    submission = read(submit(q1=first), course)
    sources = ["".join(cell["source"]) for cell in alone(key, submission, "q2", "t")["cells"]]
    assert sources[1:3] == ["import cmath\nfrom math import pi", course.answers["q2"]]


def test_a_changed_setup_cell_is_a_helper(submit, course):
    def edit(notebook):
        setup = next(cell for cell in notebook["cells"] if cell.get("id") == "setup-1")
        setup["source"] = "import math\nimport cmath"

    assert found(submit(edit), course)[None] == "import math\nimport cmath"


def test_untouched_stubs_are_known_even_without_their_comment(course, tmp_path):
    notebook = course.notebook()
    strip(notebook)
    path = tmp_path / "tiny.ipynb"
    path.write_text(json.dumps(notebook))
    assert [piece.untouched for piece in read(path, course).pieces] == [True] * 3


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"PK\x03\x04\xff\xfe", "not JSON"),
        (b'{"cells": [', "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "`nbformat` is missing"),
        (b'{"nbformat": 4}', "cells are missing"),
        (b'{"nbformat": 4, "cells": [7]}', "damaged"),
        (b'{"nbformat": 4, "cells": [{"cell_type": "code"}]}', "damaged"),
        (b'{"nbformat": 4, "cells": []}', "no code cells"),
        (b'{"nbformat": 3, "worksheets": []}', "nbformat 3, and 4 is needed"),
        (b'{"nbformat": 5, "cells": []}', "nbformat 5, and 4 is needed"),
    ],
)
def test_what_is_no_notebook_is_set_aside_with_a_reason(tmp_path, content, reason):
    path = tmp_path / "x.ipynb"
    path.write_bytes(content)
    with pytest.raises(Unreadable, match=reason):
        read_notebook(path)


def test_a_folder_or_a_missing_file_is_set_aside(tmp_path):
    for path in (tmp_path, tmp_path / "none.ipynb"):
        with pytest.raises(Unreadable, match="there is no file"):
            read_notebook(path)


@pytest.mark.parametrize("cells", [["a = 1\n" * 60_000], ["a = 1"] * 1001])
def test_more_code_than_a_parser_can_take_is_set_aside(tmp_path, cells):
    path = tmp_path / "x.ipynb"
    path.write_text(json.dumps({"nbformat": 4, "cells": [{**HELPER, "source": source} for source in cells]}))
    with pytest.raises(Unreadable, match="more than 1000 code cells or 300,000 characters"):
        read_notebook(path)


@pytest.mark.parametrize(
    "source", ["0x" + "f" * 9000, "-" * 90_000 + "1", "x" + ".x" * 20_000, "(" * 9000, "a = 1\0"]
)
def test_code_that_breaks_parsers_does_not_break_this_one(submit, course, source):
    submission = read(submit(q1=f"# answer: q1\n{source}"), course)
    assert [piece.question for piece in submission.pieces] == ["q1", "q2", "q3"]


def test_a_huge_file_is_set_aside_before_it_is_read(tmp_path):
    path = tmp_path / "x.ipynb"
    with path.open("wb") as file:
        file.truncate(160_000_000)
    with pytest.raises(Unreadable, match="larger than 150 MB"):
        read_notebook(path)
    path.write_bytes(b'{"nbformat": 4, "cells": [' + b"{}," * 2_000_000 + b"]}")
    with pytest.raises(Unreadable, match="more than 2,000,000 parts; clear its outputs"):
        read_notebook(path)


def test_a_hundred_megabytes_of_stored_output_are_no_obstacle(submit, course):
    def edit(notebook):
        printed = {"output_type": "stream", "name": "stdout", "text": ["y" * 999 + "\n"] * 100_000}
        next(cell for cell in notebook["cells"] if cell["id"] == "q1-answer")["outputs"] = [printed]

    assert [piece.question for piece in read(submit(edit), course).pieces] == ["q1", "q2", "q3"]


@pytest.mark.parametrize(
    "metadata",
    [{"kernelspec": {"name": "ir", "language": "R"}}, {"language_info": {"name": "julia"}}],
)
def test_another_languages_notebook_is_set_aside(submit, metadata):
    path = submit(lambda notebook: notebook["metadata"].update(metadata))
    with pytest.raises(Unreadable, match="kernel, and Python is needed"):
        read_notebook(path)


def test_a_kernel_of_another_name_does_not_matter(submit):
    kernel = {"kernelspec": {"name": "conda-env-mine", "display_name": "?", "language": "python"}}
    assert read_notebook(submit(lambda notebook: notebook["metadata"].update(kernel)))


@pytest.mark.parametrize("name", ["tiny.ipynb", "renamed (1).ipynb"])
def test_the_key_is_found_by_metadata_or_by_what_is_defined(submit, course, name):
    path = submit(lambda notebook: notebook["metadata"].clear())
    path = path.rename(path.with_name(name))
    assert find_key(read_notebook(path), path, course.solutions).chapter == "tiny"


def test_what_belongs_to_no_exercise_is_set_aside(tmp_path, course):
    path = tmp_path / "other.ipynb"
    path.write_text(json.dumps({"nbformat": 4, "cells": [HELPER]}))
    with pytest.raises(Unreadable, match="name the file after one of tiny"):
        find_key(read_notebook(path), path, course.solutions)


def test_a_missing_or_damaged_key_says_what_to_do(submit, tmp_path, course):
    path = submit()
    (tmp_path / "keys").mkdir()
    with pytest.raises(ValueError, match="there is no key"):
        find_key(read_notebook(path), path, tmp_path / "keys")
    (tmp_path / "keys" / "tiny.json").write_text('{"format": 1}')
    with pytest.raises(ValueError, match="gdmcourse release"):
        find_key(read_notebook(path), path, tmp_path / "keys")
