"""Cells are read as IPython reads them: its lines of magic, its prompts, and cells that it hands on."""

import textwrap

import pytest

from gdmcourse.grading.syntax import open_statements, without

from .test_match import cell, states


@pytest.mark.parametrize(
    "answer",
    [
        "%matplotlib inline\ndef signal(a):  # is it the square root?\n    return math.sqrt(a)",
        "%matplotlib inline\nn = (7\n     % 3)\ndef signal(a):\n    return math.sqrt(a)",
        "!pip install \\\n    numpy\ndef signal(a):\n    return math.sqrt(a)",
        "if True:\n    %matplotlib inline\ndef signal(a):\n    return math.sqrt(a)",
        "\n    def signal(a):\n        return math.sqrt(a)\n    %time signal(1)",
        ">>> def signal(a):\n...     return math.sqrt(a)\n>>> signal(1)",
        "In [3]: def signal(a):\n   ...:     return math.sqrt(a)",
        "%time 1\ntext = 'a\u2028b'\n\x0c\ndef signal(a):\n    return math.sqrt(a)",
        "!echo (\n!echo it's\ndef signal(a):\n    return math.sqrt(a)\nsignal??",
    ],
)
def test_a_cell_is_read_as_ipython_reads_it(submit, matched, answer):
    found = matched(submit(q1=answer))
    assert states(found) == ["answered"] * 3
    assert found.pieces[0].source == answer


def test_a_stub_above_an_indented_answer_goes_without_its_indent(submit, matched):
    stub = "    def signal(a):\n        raise NotImplementedError\n"
    dumps = {dump for dump, _ in open_statements(textwrap.dedent(stub))}
    left = without(stub + "    %time 1\n    def signal(a):\n        return 1", dumps)
    assert left == "pass\n\n%time 1\ndef signal(a):\n    return 1"


def test_code_that_hides_its_magic_takes_no_time(submit, matched):
    answer = "\n".join(["!echo ("] * 20_000)
    assert states(matched(submit(q1=f"def signal(a:\n{answer}")))[0] == "missing"


@pytest.mark.parametrize(
    "magic", ["%%writefile mine.py", "%%timeit -n 1", "%%script python", "%%Bash", "%%!"]
)
def test_a_copy_in_a_cell_that_is_handed_on_is_no_definition(submit, matched, magic):
    def edit(notebook):
        notebook["cells"].append(cell(f"{magic}\ndef noise(a):\n    return 7"))

    found = matched(submit(edit)).questions["q2"]
    assert (found.note, len(found.places)) == (None, 1)
    missed = matched(submit(edit, q2="")).questions["q2"]
    assert missed.reason.endswith(f"below {magic.split()[0]} nothing is defined in the notebook itself")


def test_loading_an_extension_defines_nothing(submit, matched):
    assert matched(submit(q2="%load_ext autoreload")).questions["q2"].state == "missing"
