"""Reading files that may be no submission at all: a sentence for each, and nothing else."""

import json

import pytest

from gdmcourse.grading.read import Unreadable, read

HELPER = {"cell_type": "code", "id": "mine", "metadata": {}, "source": "half = 0.5", "outputs": []}


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
        read(path)


def test_a_folder_or_a_missing_file_is_set_aside(tmp_path):
    for path in (tmp_path, tmp_path / "none.ipynb"):
        with pytest.raises(Unreadable, match="there is no file"):
            read(path)


@pytest.mark.parametrize("cells", [["a = 1\n" * 60_000], ["a = 1"] * 1001])
def test_more_code_than_a_parser_can_take_is_set_aside(tmp_path, cells):
    path = tmp_path / "x.ipynb"
    path.write_text(json.dumps({"nbformat": 4, "cells": [{**HELPER, "source": source} for source in cells]}))
    with pytest.raises(Unreadable, match="more than 1000 code cells or 300,000 characters"):
        read(path)


def test_a_huge_file_is_set_aside_before_it_is_read(tmp_path):
    path = tmp_path / "x.ipynb"
    with path.open("wb") as file:
        file.truncate(160_000_000)
    with pytest.raises(Unreadable, match="larger than 150 MB"):
        read(path)
    path.write_bytes(b'{"nbformat": 4, "cells": [' + b"{}," * 2_000_000 + b"]}")
    with pytest.raises(Unreadable, match="more than 2,000,000 parts; clear its outputs"):
        read(path)


def test_a_hundred_megabytes_of_stored_output_are_no_obstacle(submit):
    def edit(notebook):
        printed = {"output_type": "stream", "name": "stdout", "text": ["y" * 999 + "\n"] * 100_000}
        next(cell for cell in notebook["cells"] if cell["id"] == "q1-answer")["outputs"] = [printed]

    assert read(submit(edit)).chapter == "tiny"


@pytest.mark.parametrize(
    "metadata",
    [{"kernelspec": {"name": "ir", "language": "R"}}, {"language_info": {"name": "julia"}}],
)
def test_another_languages_notebook_is_set_aside(submit, metadata):
    path = submit(lambda notebook: notebook["metadata"].update(metadata))
    with pytest.raises(Unreadable, match="kernel, and Python is needed"):
        read(path)


def test_a_kernel_of_another_name_does_not_matter(submit):
    kernel = {"kernelspec": {"name": "conda-env-mine", "display_name": "?", "language": "python"}}
    assert read(submit(lambda notebook: notebook["metadata"].update(kernel)))


def test_words_of_a_strangers_file_are_harmless(submit, tmp_path):
    language = {"kernelspec": {"language": "R\x1b[31m\nq1. right, 9 of 9 points\ud800"}}
    path = submit(lambda notebook: notebook["metadata"].update(language))
    with pytest.raises(Unreadable) as refused:
        read(path)
    assert str(refused.value).isascii()
    assert "\n" not in str(refused.value)
    assert "\x1b" not in str(refused.value)
    odd = tmp_path / "a\udcff\x1b[2J\n.ipynb"
    odd.write_bytes(submit().read_bytes())
    assert read(odd).name == "a? .ipynb"


def test_a_sheet_keeps_the_numbers_and_marks_of_the_cells(submit):
    sheet = read(submit(q2="# answer: q9\ndef noise(a):\n    return a"))
    answer = next(cell for cell in sheet.code if "noise" in cell.source)
    assert (answer.question, answer.tags, answer.kind) == ("q2", ("answer",), "code")
    assert sheet.cells[answer.number - 1] is answer
