"""The models that chapters fetch are found in their cells and trained before the chapters run."""

from pathlib import Path

import pytest
from gdmbook.chapters import chapters
from gdmbook.library import RECIPES, Library
from gdmbook.models import Model, ModelError, fetched, with_needed
from gdmbook.records import Records
from gdmbook.work import execute_pages
from rich.console import Console

from tests.book.test_build import build
from tests.book.tiny import chapter, make


def test_models_are_found_in_cells_in_their_order(tmp_path):
    cells = ['%matplotlib inline\nb = trained("b").model', 'a = [trained("a"), trained("b"), untrained("c")]']
    root = make(tmp_path, some=chapter("Some", *cells), none=chapter("None", "# trained('x')\ny = 1"))
    assert [fetched(page) for page in chapters(root)] == [[Model("b"), Model("a")], []]


def test_a_preset_and_changes_make_another_model(tmp_path):
    calls = ['trained("a")', 'trained("a", "gpu")', 'trained("a", preset="gpu")', 'trained("a", steps=9)']
    root = make(tmp_path, some=chapter("Some", *calls))
    found = fetched(chapters(root)[0])
    assert found == [Model("a"), Model("a", "gpu"), Model("a", changes=(("steps", 9),))]
    assert [str(model) for model in found] == ["a", "a (gpu)", "a (steps=9)"]


@pytest.mark.parametrize(
    "call", ["trained(name)", "trained('a', steps=n)", "trained()", "trained(**{'a': 1})"]
)
def test_what_is_not_written_out_is_refused_with_the_page_and_a_way(tmp_path, call):
    root = make(tmp_path, some=chapter("Some", call))
    with pytest.raises(ModelError, match=r"some\.md: .*has to name its recipe.*steps=100"):
        fetched(chapters(root)[0])


def test_a_model_is_trained_after_those_it_is_made_with(tmp_path):
    package = tmp_path.joinpath(*RECIPES.split("."))
    package.mkdir(parents=True)
    (tmp_path / "gdmcourse/__init__.py").touch()
    (package / "__init__.py").write_text("CATALOG = {'a': ('one', ''), 'b': ('one', ''), 'c': ('two', '')}")
    (package / "one.py").write_text("RECIPES = {'a': {}, 'b': {}}")
    (package / "two.py").write_text("RECIPES = {'c': {'coder': 'a'}}")
    needs = with_needed([Model("c", "smoke"), Model("b")], Library.under(tmp_path))
    coder = Model("a", "smoke")
    assert needs == {Model("c", "smoke"): [coder], coder: [], Model("b"): []}


@pytest.mark.slow
def test_a_model_is_trained_once_and_its_seconds_are_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("GDMCOURSE_CACHE", str(tmp_path))
    root = make(
        tmp_path / "book", some=chapter("Some", 'if False:\n    trained("classifier-digits", "smoke")')
    )
    seconds = []
    for _ in range(2):
        runs, _ = execute_pages(chapters(root), root, 1, Console(quiet=True))
        seconds.append(runs[chapters(root)[0]].models)
    assert seconds[0]["classifier-digits (smoke)"] > 0
    assert seconds[1] == seconds[0]  # a second training would take another time
    assert Records(root).find(chapters(root)[0]).models == seconds[0]


def test_a_model_that_is_not_there_stops_the_build_and_is_named(tmp_path):
    root = make(tmp_path, some=chapter("Some", 'if False:\n    trained("no-such-model")'))
    done = build(root)
    assert done.returncode == 1
    assert "no-such-model" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_the_real_recipes_need_what_they_are_made_with():
    root = Path(__file__).parents[2]
    needs = with_needed([Model("text-digits"), Model("ddpm-digits")], Library.under(root))
    coder = Model("autoencoder-digits")
    assert needs == {Model("text-digits"): [coder], Model("ddpm-digits"): [], coder: []}
