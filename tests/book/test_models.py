"""The models that chapters fetch are found in their cells and trained before the chapters run."""

import pytest
from gdmbook.chapters import chapters
from gdmbook.models import ModelError, fetched, train_all

from tests.book.test_build import build
from tests.book.tiny import chapter, make


def test_models_are_found_in_cells_in_their_order(tmp_path):
    cells = ['%matplotlib inline\nb = trained("b").model', 'a = [trained("a"), trained("b"), untrained("c")]']
    root = make(tmp_path, some=chapter("Some", *cells), none=chapter("None", "# trained('x')\ny = 1"))
    assert [fetched(page) for page in chapters(root)] == [["b", "a"], []]


@pytest.mark.slow
def test_a_model_is_trained_once_and_its_seconds_are_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("GDMCOURSE_CACHE", str(tmp_path))
    first, again = (dict(train_all(["classifier-digits"], 1)) for _ in range(2))
    assert first["classifier-digits"] > 0.5
    assert again == first  # a second training would take another time


def test_a_model_that_is_not_there_stops_the_build_and_is_named(tmp_path):
    root = make(tmp_path, some=chapter("Some", 'if False:\n    trained("no-such-model")'))
    done = build(root)
    assert done.returncode == 1
    assert "no-such-model" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    with pytest.raises(ModelError, match="no-such-model"):
        list(train_all(["no-such-model"], 1))
