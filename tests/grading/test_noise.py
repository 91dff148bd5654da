"""Correct answers keep their points, whatever surrounds them and whatever an editor does to a notebook."""

import random

import pytest

pytestmark = pytest.mark.slow
FULL = {"q1": 3.0, "q2": 4.0, "q3": 3.0}


def earned(result):
    return {question.id: question.earned for question in result.questions}


def loud(answer, before):
    return f"{before}\n{answer}"


def test_noise_on_both_streams_and_threads_that_print(submit, judge, course):
    noise = (
        "import sys, threading, time, os\n"
        "def shout():\n"
        "    while True:\n"
        "        print('noise'); sys.stderr.write('noise'); os.write(1, b'noise'); display('noise')\n"
        "        time.sleep(0.001)\n"
        "for _ in range(3):\n"
        "    threading.Thread(target=shout, daemon=True).start()"
    )
    assert earned(judge(submit(q1=loud(course.answers["q1"], noise)))) == FULL


def test_a_hundred_megabytes_printed(submit, judge, course):
    printing = "print('x' * 50_000_000)\nfor _ in range(50_000):\n    print('y' * 1000)"
    assert earned(judge(submit(q1=loud(course.answers["q1"], printing)))) == FULL


def test_a_hundred_megabytes_displayed(submit, judge, course):
    """Not even what goes by the notebook's own channel is kept, or loses what comes after it."""
    showing = "for _ in range(25):\n    display({'text/html': 'x' * 4_000_000}, raw=True)"
    assert earned(judge(submit(q1=loud(course.answers["q1"], showing)))) == FULL


def test_answers_in_another_order_and_duplicated(submit, judge, course):
    def edit(notebook):
        random.Random(3).shuffle(notebook["cells"])
        stub = next(c for c in course.notebook()["cells"] if c["id"] == "q1-answer")
        notebook["cells"].insert(0, {**stub, "id": "again"})
        notebook["cells"].append({**stub, "id": "and-again"})

    result = judge(submit(edit))
    assert earned(result) == FULL
    assert result.questions[0].note is None  # a stub is no answer


def test_ids_and_tags_stripped_and_checks_edited_or_deleted(submit, judge, course):
    def edit(notebook):
        notebook["metadata"] = {}
        cells = [c for c in notebook["cells"] if "q2-probe" not in c["id"] and c["id"] != "q1-check"]
        for cell in cells:
            if "q1-probe" in cell["id"]:
                cell["source"] = "probe([0.0]); raise SystemExit"
            cell.pop("id")
            cell["metadata"] = {}
        notebook["cells"] = cells

    marked = {name: f"# answer: {name}\n{source}" for name, source in course.answers.items()}
    assert earned(judge(submit(edit, **marked))) == FULL


def test_stored_outputs_and_steering_comments_have_no_effect(submit, judge, course):
    def edit(notebook):
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "old"}]
                cell["metadata"]["tags"] = [
                    *cell["metadata"].get("tags", []),
                    "nbval-skip",
                    "raises-exception",
                ]

    skipping = "#NBVAL_SKIP\n# NBVAL_RAISES_EXCEPTION\n# NBVAL_IGNORE_OUTPUT\n"
    right = judge(submit(edit, **{q: skipping + a for q, a in course.answers.items()}))
    assert earned(right) == FULL
    wrong = judge(submit(edit, q2=f"{skipping}def noise(a):\n    return a", q3=course.answers["q3"]))
    assert earned(wrong)["q2"] == 0


def test_helpers_below_their_use_and_helpers_that_fail(submit, judge):
    def edit(notebook):
        cell = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
        notebook["cells"] += [
            {**cell, "id": "a", "source": "root = math.sqrt\nraise RuntimeError('a scratch cell')"},
            {**cell, "id": "b", "source": "%matplotlib inline\nsignal = 3"},
        ]

    assert earned(judge(submit(edit, q1="def signal(a):\n    return root(a)"))) == FULL
