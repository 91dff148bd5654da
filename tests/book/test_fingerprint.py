"""A change in the library re-executes the chapters that could be affected, and no other."""

from pathlib import Path

import pytest
from gdmbook.chapters import Page
from gdmbook.fingerprint import fingerprint, reached

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


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in LIBRARY.items():
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
    assert reached([code], root) == modules


@pytest.mark.parametrize("code", ["!gdmcourse train classifier-digits", "%run -m gdmcourse.lonely"])
def test_a_command_of_the_shell_or_of_ipython_may_reach_everything(root, code):
    assert {"gdmcourse.mid.late", "gdmcourse.low.other"} <= reached([code], root)


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
    # A new reader of the same page, as in a new build; the cache of parsed imports belongs to one build.
    reached.__globals__["_imports"].cache_clear()
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
