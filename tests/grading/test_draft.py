"""A draft of exercises on a game and on a chain, with torch, released and graded as a chapter's are."""

import json
import shutil
from pathlib import Path

import pytest

from gdmcourse.grading.grade import grade
from gdmcourse.grading.release import release
from gdmcourse.grading.source import read_source

SOURCE = Path(__file__).parent / "course" / "solutions" / "draft.md"
QUESTIONS = read_source(SOURCE).questions


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    root = tmp_path_factory.mktemp("draft")
    (root / "solutions").mkdir()
    shutil.copy(SOURCE, root / "solutions")
    release(root / "solutions" / "draft.md", root / "exercises")
    return root


def graded(released, folder, answers):
    notebook = json.loads((released / "exercises" / "draft.ipynb").read_text())
    for cell in notebook["cells"]:
        cell["source"] = answers.get(cell["id"].removesuffix("-answer"), cell["source"])
    path = folder / "draft.ipynb"
    path.write_text(json.dumps(notebook))
    return grade(path, released / "solutions" / "key")


def test_the_reference_earns_all(released, tmp_path):
    result = graded(released, tmp_path, {question.id: question.answer for question in QUESTIONS})
    assert (result.earned, result.points) == (6, 6)


@pytest.mark.parametrize("which", [0, 1])
def test_a_wrong_answer_loses_points_and_gets_its_hint(released, tmp_path, which):
    wrong = {question.id: question.wrong[which] for question in QUESTIONS}
    result = graded(released, tmp_path, {name: answer.source for name, answer in wrong.items()})
    for question in result.questions:
        assert question.earned < question.points
        assert question.hint == wrong[question.id].hint


def test_the_librarys_own_function_is_refused(released, tmp_path):
    borrowed = "from gdmcourse.gan import discriminator_loss as critic_loss"
    result = graded(released, tmp_path, {"q1": borrowed})
    assert result.questions[0].earned == 0
    assert "gdmcourse.gan may not be imported here" in result.questions[0].reasons[0]
