"""What counts is the last definition in the order of the notebook; what is missing is told in a sentence."""

import pytest

from gdmcourse.grading.match import needed

STUB = 'raise NotImplementedError("q{}: replace this line by your answer")'


def cell(source, kind="code", **more):
    return {"cell_type": kind, "id": "x", "metadata": {}, "source": source, "outputs": [], **more}


def at(notebook, name):
    return next(n for n, cell in enumerate(notebook["cells"]) if cell.get("id") == name)


def states(found):
    return [question.state for question in found.questions.values()]


def test_ids_tags_and_comments_decide_nothing(submit, matched, course):
    def strip(notebook):
        for cell in notebook["cells"]:
            cell["metadata"] = {}
            cell["id"] = "q1-answer"

    found = matched(submit(strip, q2=course.answers["q2"] + "\n# Answer: q1 is above"))
    assert [piece.answers for piece in found.pieces] == [("q1",), ("q2",), ("q3",)]
    assert states(found) == ["answered"] * 3


def test_the_last_of_several_definitions_counts_and_a_note_says_so(submit, matched):
    def edit(notebook):
        notebook["cells"].append(cell("def noise(alpha_bar):\n    return 7.0"))

    found = matched(submit(edit)).questions["q2"]
    assert found.note.startswith("defined in cells ")
    assert found.note.endswith("; the last definition counts")


def test_a_stub_below_an_answer_is_no_definition(submit, matched, course):
    def edit(notebook):
        stub = next(c for c in course.notebook()["cells"] if c["id"] == "q2-answer")
        notebook["cells"].append({**stub, "id": "again"})

    found = matched(submit(edit))
    assert found.questions["q2"].note is None
    assert len(found.pieces) == 3


def test_two_answers_in_one_cell_are_two_answers(submit, matched, course):
    found = matched(submit(q1="\n\n".join(course.answers.values()), q2="", q3=""))
    assert [piece.answers for piece in found.pieces] == [("q1", "q2", "q3")]


def test_definitions_below_an_if_and_under_magic_are_found(submit, matched):
    answers = {
        "q1": "%%time\nif True:\n    def signal(a):\n        return 1",
        "q2": "!ls\nnoise = lambda a: 1\nnoise?",
        "q3": "files = !ls\nfrom math import sqrt as snr",
    }
    assert states(matched(submit(**answers))) == ["answered"] * 3


def test_a_definition_by_a_global_statement_is_found(submit, matched):
    answer = "def main():\n    global signal\n    signal = math.sqrt\nmain()"
    assert states(matched(submit(q1=answer))) == ["answered"] * 3


def test_an_untouched_stub_is_one_whatever_stands_beside_it(submit, matched, course):
    stub = next("".join(c["source"]) for c in course.notebook()["cells"] if c["id"] == "q1-answer")
    found = matched(submit(q1=f"{stub}\n%time import builtins; builtins.seen = []"))
    assert states(found) == ["untouched", "answered", "answered"]
    assert [piece.answers for piece in found.pieces] == [(), ("q2",), ("q3",)]
    assert "NotImplementedError" not in found.pieces[0].source


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        ("def noise(a):\n    return a", "markdown", "is Markdown; turn it into a code cell"),
        ("def noise(a):\n    return a", "raw", "is Raw; turn it into a code cell"),
        ("def nosie(a):\n    return a", "code", "defines nothing called noise; keep the name"),
        ("def noise(a:\n    return a", "code", "it isn't Python ("),
        ("", "code", "no answer found: no cell defines noise"),
    ],
)
def test_an_answer_that_is_not_found_is_missed_with_a_sentence(submit, matched, answer, kind, said):
    def edit(notebook):
        notebook["cells"][at(notebook, "q2-answer")]["cell_type"] = kind

    found = matched(submit(edit, q2=answer)).questions["q2"]
    assert found.state == "missing"
    assert said in found.reason


def test_a_listing_within_a_statement_is_no_answer(submit, matched):
    def edit(notebook):
        listing = "Somebody wrote\n\n    def noise(a):\n        return a\n"
        notebook["cells"][at(notebook, "introduction")]["source"] = listing

    assert "is Markdown" not in (matched(submit(edit, q2="")).questions["q2"].reason or "")


@pytest.mark.parametrize("way", ["exec", "%run mine.py", "from mine import *", "globals()['noise'] = 1"])
def test_what_may_define_anything_is_tried(submit, matched, way):
    found = matched(submit(q2="exec('noise = 1')" if way == "exec" else way))
    assert found.questions["q2"].state == "answered"


def test_an_import_below_a_try_is_needed_as_it_wont_run_otherwise(submit, matched):
    def edit(notebook):
        source = "try:\n    import cmath as c\nexcept ImportError:\n    !pip install cmath"
        notebook["cells"].insert(at(notebook, "q1-answer"), cell(source))

    pieces = matched(submit(edit, q1="def signal(a):\n    return c.sqrt(a).real")).pieces
    assert [piece.answers for piece in needed(pieces, ("signal",))] == [(), ("q1",)]


@pytest.mark.parametrize("change", ["fill(table)", "table.limit = 1", "fill(of=table.rows[0])"])
def test_a_cell_that_changes_what_an_answer_reads_is_needed(submit, matched, change):
    def edit(notebook):
        for source in ("table = Table()", "print(tables)", change):
            notebook["cells"].insert(at(notebook, "q1-answer"), cell(source))

    pieces = matched(submit(edit, q1="def signal(a):\n    return table[0]")).pieces
    assert [p.source for p in needed(pieces, ("signal",))][:2] == ["table = Table()", change]


def test_what_a_question_builds_on_is_needed_and_no_patch_of_another_answer(submit, matched):
    def edit(notebook):
        cells = notebook["cells"]
        cells.insert(at(notebook, "q2-answer"), cell("half = 0.5\ntable = [1]", id="a"))
        cells.insert(at(notebook, "q2-answer"), cell("table.append(2)", id="b"))
        cells.insert(at(notebook, "q2-answer"), cell("import os, math\nos.getcwd()", id="c"))

    answers = {
        "q1": "def signal(a):\n    return math.sqrt(a)\nmath.sqrt = None\nmath.seterr()",
        "q2": "def noise(a):\n    return math.sqrt(1 - a) + 0 * table[0]",
    }
    found = matched(submit(edit, **answers))
    chosen = {
        q: [p.source.split("\n")[0] for p in needed(found.pieces, (q,))] for q in ("signal", "noise", "snr")
    }
    assert chosen["signal"] == ["def signal(a):"]
    assert chosen["noise"] == ["half = 0.5", "table.append(2)", "def noise(a):"]
    assert len(chosen["snr"]) == 5


@pytest.mark.parametrize(
    "import_it",
    [
        "from gdmcourse.probability import gaussian_kl as noise",
        "import gdmcourse.probability.gaussian as gaussian\ndef noise(a):\n    return gaussian.noise(a)",
        "def noise(a):\n    from gdmcourse.probability import noise\n    return noise(a)",
        "import gdmcourse.recipes\nnoise = gdmcourse.probability.noise",
        "import importlib\nnoise = importlib.import_module('gdmcourse.probability.gaussian').noise",
    ],
)
def test_a_forbidden_import_is_named_where_the_answer_uses_it(submit, matched, import_it):
    found = matched(submit(q2=import_it), forbid=["gdmcourse.probability"]).questions
    assert (found["q1"].state, found["q2"].state) == ("answered", "forbidden")
    assert "may not be imported here" in found["q2"].reason
    allowed = matched(submit(q2=import_it), forbid=["gdmcourse.diffusion"]).questions
    assert allowed["q2"].state == "answered"


@pytest.mark.parametrize(
    "hand_over",
    [
        "import gdmcourse.probability as theirs\nmath.helper = theirs.noise",
        "import gdmcourse.probability as theirs\nsetattr(math, 'helper', theirs.noise)",
        "from gdmcourse.probability import *\nmath.helper = 0",
        "exec('from gdmcourse.probability import noise as helper')",
        "import sys\nmath.__dict__['helper'] = sys.modules['gdmcourse.probability'].noise",
    ],
)
def test_a_cell_that_could_hand_over_a_forbidden_import_unseen_is_left_out(submit, matched, hand_over):
    """By a module's field, by a star, by code in a text: what the answer reads isn't seen to come from it."""

    def edit(notebook):
        notebook["cells"].insert(2, cell(hand_over))

    answer = "def noise(a):\n    return math.helper(a)"
    found = matched(submit(edit, q2=answer), forbid=["gdmcourse.probability"])
    assert not [piece for piece in found.pieces if "probability" in piece.source]
    assert len(matched(submit(edit, q2=answer), forbid=["gdmcourse.gan"]).pieces) == 4


@pytest.mark.parametrize(
    "answer",
    [
        "import gdmcourse as g\ndef noise(a):\n    return g.probability.noise(a)",
        "exec('from gdmcourse.probability import noise')",
        "import importlib\ndef noise(a):\n    return importlib.import_module('ot').noise(a)",
    ],
)
def test_another_way_to_name_a_forbidden_module_is_seen_through(submit, matched, answer):
    found = matched(submit(q2=answer), forbid=["gdmcourse.probability", "ot"]).questions
    assert (found["q1"].state, found["q2"].state) == ("answered", "forbidden")


@pytest.mark.parametrize(
    "answer",
    [
        "def noise(a):\n    ot = a * a\n    return ot.sum()",
        "def noise(ot, kind='ot'):\n    'ot'\n    return ot.sum()",
        "def noise(a):\n    'gdmcourse.probability. Mine is like the one there.'\n    return 1",
        "def noise(a):\n    'It does what `from gdmcourse.probability import noise` would do.'\n    return 1",
    ],
)
def test_a_word_that_a_forbidden_module_is_called_by_is_no_import(submit, matched, answer):
    """A transport plan may be called ``ot`` where the package of that name is forbidden."""
    found = matched(submit(q2=answer), forbid=["ot", "gdmcourse.probability"]).questions["q2"]
    assert (found.state, found.reason) == ("answered", None)


def test_an_import_that_nothing_reads_forbids_no_answer(submit, matched):
    """All imports stand in one cell, which every answer needs."""

    def edit(notebook):
        notebook["cells"].insert(2, cell("import cmath as c\nfrom gdmcourse.probability import x as theirs"))

    for returned, state in (("c.sqrt(a)", "answered"), ("c.sqrt(theirs(a))", "forbidden")):
        answer = f"def noise(a):\n    return {returned}"
        found = matched(submit(edit, q2=answer), forbid=["gdmcourse.probability"]).questions
        assert (found["q1"].state, found["q2"].state) == ("answered", state)


@pytest.mark.parametrize(
    "comparison", ["print(theirs, noise(1))", "math.fsum([noise(1), theirs])", "compare(noise, theirs)"]
)
def test_a_comparison_with_the_library_beside_the_answer_is_allowed(submit, matched, comparison):
    def edit(notebook):
        notebook["cells"].append(cell(source))

    source = f"from gdmcourse.probability import x as theirs\n{comparison}"
    found = matched(submit(edit), forbid=["gdmcourse.probability"])
    assert states(found) == ["answered"] * 3


def test_an_odd_kind_of_cell_is_told_in_few_words(submit, matched):
    def edit(notebook):
        notebook["cells"].append(cell("def noise(a):\n    return 1", kind="\ud800" + "<b>" * 100_000))

    reason = matched(submit(edit, q2="")).questions["q2"].reason
    assert reason.startswith("cell ")
    assert len(reason) < 100
    assert reason.isprintable()


@pytest.mark.parametrize(
    "source", ["0x" + "f" * 9000, "-" * 90_000 + "1", "x" + ".x" * 20_000, "(" * 9000, "a = 1\0"]
)
def test_code_that_breaks_parsers_does_not_break_this_one(submit, matched, source):
    found = matched(submit(q1=f"# answer: q1\n{source}"))
    assert states(found)[1:] == ["answered"] * 2
    assert found.questions["q1"].reason
