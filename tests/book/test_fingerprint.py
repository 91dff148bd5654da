"""A change in the library re-executes the chapters that could be affected, and no other."""

from pathlib import Path

import pytest
from gdmbook.chapters import Page
from gdmbook.fingerprint import fingerprint
from gdmbook.library import RECIPES, STUDIES, Library

from tests.book.tiny import chapter as text_of

LIBRARY = {
    "__init__.py": "",
    "low/__init__.py": "from gdmcourse.low.base import zero",
    "low/base.py": "zero = 0",
    "low/other.py": "",
    "mid/__init__.py": "",
    "mid/relative.py": "from ..low import other",
    "mid/late.py": "def f():\n    from gdmcourse.low import other\n    return other",
    "mid/dynamic.py": "import importlib as i\nload = lambda name: i.import_module(f'gdmcourse.low.{name}')",
    "mid/named.py": "MODULE = 'gdmcourse.low.other'",
    "lonely.py": "",
}
HOME, RECORDED = (name.replace(".", "/").removeprefix("gdmcourse/") for name in (RECIPES, STUDIES))
STUDY = {
    f"{HOME}/__init__.py": (
        "from importlib import import_module\n"
        "CATALOG = {\n    'flow': ('flow', 'a'),\n    'latent': ('latent', 'b'),\n"
        "    'coder': ('coder', 'c'),\n}\n"
        f"def find_recipe(name):\n    return import_module(f'{RECIPES}.{{CATALOG[name][0]}}')\n"
    ),
    f"{HOME}/flow.py": "from gdmcourse.low import zero",
    f"{HOME}/latent.py": "RECIPES = {'latent': {'autoencoder': 'coder'}}",
    f"{HOME}/coder.py": "import gdmcourse.lonely",
    f"{RECORDED}/__init__.py": (
        "from importlib import import_module\n"
        "CATALOG = {\n    'steps': 'a',\n    'scale': 'b',\n}\n"
        f"def find_study(name):\n    return import_module(f'{STUDIES}.{{name}}').STUDY\n"
    ),
    f"{RECORDED}/steps.py": "import gdmcourse.lonely",
    f"{RECORDED}/steps.json": "{}",
    f"{RECORDED}/scale.json": "{}",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in (LIBRARY | STUDY).items():
        path = tmp_path / "gdmcourse" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "constraints.txt").write_text("torch==1\n")
    (tmp_path / "_config.yml").write_text("parse:\n  myst_enable_extensions: [dollarmath]\n")
    return tmp_path


def page(root: Path, code: str) -> Page:
    (root / "page.md").write_text(text_of("Page", code))
    return Page(root, "page")


LOW = {"gdmcourse", "gdmcourse.low", "gdmcourse.low.base"}


@pytest.mark.parametrize(
    ("code", "modules"),
    [
        ("import math", set()),
        ("import gdmcourse.lonely", {"gdmcourse", "gdmcourse.lonely"}),
        ("from gdmcourse.low.other import x", LOW | {"gdmcourse.low.other"}),
        ("from gdmcourse.low import zero", LOW),
        ("def f():\n    import gdmcourse.lonely", {"gdmcourse", "gdmcourse.lonely"}),
        (
            "from gdmcourse.mid.relative import x",
            LOW | {"gdmcourse.low.other", "gdmcourse.mid", "gdmcourse.mid.relative"},
        ),
        ("import gdmcourse.mid.late", LOW | {"gdmcourse.low.other", "gdmcourse.mid", "gdmcourse.mid.late"}),
        ("import gdmcourse.mid.named", LOW | {"gdmcourse.low.other", "gdmcourse.mid", "gdmcourse.mid.named"}),
        (
            "import gdmcourse.mid.dynamic",
            LOW | {"gdmcourse.low.other", "gdmcourse.mid", "gdmcourse.mid.dynamic"},
        ),
    ],
)
def test_modules_that_code_reaches(root, code, modules):
    assert Library.under(root).reached([code])[0] == modules


@pytest.mark.parametrize("code", ["!gdmcourse train classifier-digits", "%run -m gdmcourse.lonely"])
def test_a_command_of_the_shell_or_of_ipython_may_reach_everything(root, code):
    assert {"gdmcourse.mid.late", "gdmcourse.low.other"} <= Library.under(root).reached([code])[0]


@pytest.mark.parametrize(
    ("changed", "affected"),
    [
        ("gdmcourse/low/base.py", True),
        ("gdmcourse/low/other.py", True),
        ("gdmcourse/mid/__init__.py", True),
        ("gdmcourse/mid/dynamic.py", False),
        ("gdmcourse/lonely.py", False),
        ("constraints.txt", True),
    ],
)
def test_fingerprint_changes_with_what_is_reached_only(root, changed, affected):
    chapter = page(root, "from gdmcourse.mid.late import f")
    before = fingerprint(chapter)
    (root / changed).write_text("# changed\n" + (root / changed).read_text())
    assert (fingerprint(Page(root, "page")) != before) is affected


def test_a_file_of_data_beside_a_package_counts(root):
    chapter = page(root, "import gdmcourse.low")
    before = fingerprint(chapter)
    (root / "gdmcourse/low/table.json").write_text("{}")
    assert fingerprint(chapter) != before


def test_prose_does_not_count_and_code_does(root):
    chapter = page(root, "x = 1")
    before = fingerprint(chapter)
    chapter.path.write_text(chapter.path.read_text() + "\nMore words.\n")
    assert fingerprint(Page(root, "page")) == before
    assert fingerprint(page(root, "x = 2")) != before


def edit(root: Path, name: str, old: str, new: str) -> None:
    path = root / "gdmcourse" / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


FETCH = f"from {RECIPES} import find_recipe\nmodel = find_recipe('%s')"


@pytest.mark.parametrize(
    ("recipe", "changed", "affected"),
    [
        ("flow", "flow.py", True),
        ("flow", "latent.py", False),
        ("flow", "coder.py", False),
        ("latent", "latent.py", True),
        ("latent", "coder.py", True),  # named in the presets of latent
        ("latent", "flow.py", False),
        ("flow", "__init__.py", True),
    ],
)
def test_a_change_of_a_recipe_affects_the_pages_that_name_it(root, recipe, changed, affected):
    chapter = page(root, FETCH % recipe)
    before = fingerprint(chapter)
    path = root / "gdmcourse" / HOME / changed
    path.write_text(path.read_text() + "# changed\n")
    assert (fingerprint(chapter) != before) is affected


def test_what_a_recipe_imports_is_reached_through_its_name(root):
    modules = Library.under(root).reached([FETCH % "latent"])[0]
    assert {f"{RECIPES}.coder", "gdmcourse.lonely"} <= modules
    assert f"{RECIPES}.flow" not in modules


def test_a_new_recipe_affects_no_page(root):
    chapter = page(root, FETCH % "latent")
    before = fingerprint(chapter)
    edit(root, f"{HOME}/__init__.py", "CATALOG = {\n", "CATALOG = {\n    'gan': ('gan', 'd'),\n")
    (root / "gdmcourse" / HOME / "gan.py").write_text("import gdmcourse.lonely")
    assert fingerprint(chapter) == before


def test_a_recipe_that_moves_to_another_module_affects_the_pages_that_name_it(root):
    chapter, other = page(root, FETCH % "flow"), FETCH % "latent"
    before = fingerprint(chapter)
    edit(root, f"{HOME}/__init__.py", "('flow', 'a')", "('latent', 'a')")
    assert fingerprint(chapter) != before
    assert "gdmcourse.low" not in Library.under(root).reached([other])[0]


def test_a_name_that_only_the_run_knows_may_be_any_recipe(root):
    modules = Library.under(root).reached(["for name in names:\n    recipes.find_recipe(name)"])[0]
    assert {f"{RECIPES}.{name}" for name in ("flow", "latent", "coder")} <= modules


@pytest.mark.parametrize(("changed", "affected"), [("steps.json", True), ("scale.json", False)])
def test_a_change_of_a_record_affects_the_pages_that_name_it(root, changed, affected):
    chapter = page(root, f"from {STUDIES} import record\nrecord('steps')")
    before = fingerprint(chapter)
    (root / "gdmcourse" / RECORDED / changed).write_text('{"a": 1}')
    assert (fingerprint(chapter) != before) is affected


def test_a_new_study_affects_no_page_nor_does_the_code_behind_a_record(root):
    chapter = page(root, f"from {STUDIES} import record\nrecord('steps')")
    before = fingerprint(chapter)
    (root / "gdmcourse" / RECORDED / "new.json").write_text("{}")
    edit(root, f"{RECORDED}/__init__.py", "CATALOG = {\n", "CATALOG = {\n    'new': 'c',\n")
    edit(root, f"{RECORDED}/steps.py", "import", "import math, ")
    assert fingerprint(chapter) == before


def test_a_study_that_a_page_runs_is_reached(root):
    modules = Library.under(root).reached([f"from {STUDIES} import find_study\nfind_study('steps')"])[0]
    assert {f"{STUDIES}.steps", "gdmcourse.lonely"} <= modules
