"""`make book` on a tiny book: it says what fails, runs what changed, and does nothing when nothing has."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from gdmbook.chapters import Page, chapters
from gdmbook.execution import ChapterError, execute
from gdmbook.records import Records
from gdmbook.work import execute_pages
from rich.console import Console

from tests.book.tiny import ROOT, chapter, make


def build(root: Path, *pages: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(ROOT / "book/_ext"), os.environ["PYTHONPATH"]])
    environment = {**os.environ, "PYTHONPATH": path, "COLUMNS": "200"}
    command = [sys.executable, "-m", "gdmbook", "--root", str(root), *pages]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)


def quiet(page: Page, done: int, total: int) -> None:
    pass


def even() -> float:
    return 1.0


@pytest.mark.slow
def test_failing_cell_stops_the_build_and_is_shown(tmp_path):
    root = make(tmp_path, bad=chapter("Bad", "y = 2", "marker = 3\nmarker / 0"))
    done = build(root)
    assert done.returncode == 1
    line = chapter("Bad", "y = 2", "").splitlines().index("```{code-cell} ipython3", 18) + 1
    assert f"bad.md, line {line}: cell" in done.stdout
    assert "marker / 0" in done.stdout
    assert "ZeroDivisionError" in done.stdout
    assert not (root / "_build/html/index.html").exists()


@pytest.mark.slow
def test_a_warning_fails_the_build_again_and_again_and_so_does_noise_on_stderr(tmp_path):
    loud = chapter("Loud", "import sys\nprint('noise', file=sys.stderr)")
    root = make(tmp_path, loud=loud + "\nSee {eq}`eq-nowhere`.\n")
    for _ in range(2):
        done = build(root)
        assert done.returncode == 1
        assert "eq-nowhere" in done.stderr
        assert "stderr" in done.stderr


def test_missing_page_is_named(tmp_path):
    root = make(tmp_path, plain=chapter("Plain", "x = 1"))
    (root / "plain.md").unlink()
    done = build(root)
    assert done.returncode == 1
    assert "plain.md" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_chapters_run_beside_each_other(tmp_path):
    meet = (
        "import pathlib, time\nhere, there = (pathlib.Path({0!r}) / name for name in {1!r})\nhere.touch()\n"
        "for _ in range(600):\n    if not there.exists():\n        time.sleep(0.1)\nassert there.exists()"
    )
    one, two = (meet.format(str(tmp_path), names) for names in (("a", "b"), ("b", "a")))
    root = make(tmp_path / "book", one=chapter("One", one), two=chapter("Two", two))
    runs, _ = execute_pages(chapters(root), root, 2, Console(quiet=True))
    assert set(runs) == set(chapters(root))


FIGURE = """---
mystnb:
  figure: {name: fig-drawn, caption: A line}
---
import gdmcourse.plots
from myst_nb import glue
glue('number', 1.25, display=False)
glue('row-one-size', 2.75, display=False)
1 + 1"""
SLIDES = """from IPython.display import HTML
page = '<div class="frames" data-values="[&quot;1&quot;]"><img src="data:image/png;base64,AAAA" alt="A dot">'
HTML(page + '<span class="frames-label">k</span><p class="frames-caption">A slider</p></div>')"""
READS = """
The number is {glue:text}`number:.2f`, see {numref}`fig-drawn`.

```{scores} row
| row | size: its size |
| first | one |
```

```{opening} slider
```
"""


def text(root: Path, name: str) -> str:
    page = (root / f"_build/html/{name}.html").read_text(encoding="utf-8")
    return BeautifulSoup(page, "html.parser").select_one("main").get_text()


@pytest.mark.slow
def test_build_executes_what_it_is_asked_for_and_what_could_have_changed(tmp_path):
    drawn = chapter("Drawn", FIGURE, SLIDES) + READS
    root = make(tmp_path, plain=chapter("Plain", "print(1 + 1)"), drawn=drawn)
    named = build(root, "plain")
    assert named.returncode == 0, named.stdout + named.stderr
    assert "1 of 2 chapters" in named.stdout
    assert "✓ plain" in named.stdout
    assert f"Open {root}/_build/html/index.html" in named.stdout
    assert "warning" not in text(root, "plain").lower()
    assert "Nothing on this page was computed" in text(root, "drawn")
    assert "make book PAGES=drawn" in text(root, "drawn")
    assert "The number is …, see Fig." in text(root, "drawn")
    assert "first\n…" in text(root, "drawn")

    whole = build(root)
    assert whole.returncode == 0, whole.stdout + whole.stderr
    assert "✓ drawn" in whole.stdout
    assert "✓ plain" not in whole.stdout
    assert "warning" not in text(root, "drawn").lower()
    assert "The number is 1.25, see Fig." in text(root, "drawn")
    assert "first\n2.75" in text(root, "drawn")
    assert "A slider" in text(root, "drawn")

    again = build(root)
    assert "Nothing has changed" in again.stdout
    assert "to execute" not in again.stdout

    (root / "gdmcourse/plots/__init__.py").write_text("# changed\n")
    older = build(root, "plain")
    assert older.returncode == 0, older.stdout + older.stderr
    assert "to execute" not in older.stdout
    assert "The number is 1.25, see Fig." in text(root, "drawn")
    assert "computed before the last change" in text(root, "drawn")
    assert Records(root).find(chapters(root)[1]) is None


def test_a_page_that_is_not_there_is_refused_with_those_that_are(tmp_path):
    done = build(make(tmp_path, plain=chapter("Plain", "x = 1")), "plane")
    assert done.returncode == 1
    assert "there is no page 'plane'; there are: index, plain" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_what_was_executed_beside_a_failure_is_kept(tmp_path):
    root = make(
        tmp_path, bad=chapter("Bad", "1 / 0"), good=chapter("Good", "import time\ntime.sleep(3)\nx = 1")
    )
    with pytest.raises(ChapterError, match="ZeroDivisionError"):
        execute_pages(chapters(root), root, 2, Console(quiet=True))
    bad, good = chapters(root)
    assert Records(root).find(bad) is None
    assert Records(root).find(good) is not None


def test_run_measures_time_and_the_peak_of_memory(tmp_path):
    root = make(
        tmp_path, large=chapter("Large", "import time\nx = bytearray(300 * 2**20)\ndel x\ntime.sleep(1)")
    )
    _, run = execute(chapters(root)[0], quiet, even)
    assert run.execution_seconds >= 1
    assert 300 < run.peak_mib < 1000
    assert run.cpu_seconds > 0
    assert run.speeds == [1.0, 1.0]


def test_a_chapter_starts_in_an_empty_folder_on_a_static_page(tmp_path):
    root = make(
        tmp_path, where=chapter("Where", "import os\nprint(os.listdir(), os.environ['GDMCOURSE_STATIC'])")
    )
    notebook, _ = execute(chapters(root)[0], quiet, even)
    assert notebook.cells[-1].outputs[0].text == "[] 1\n"


def test_a_kernel_that_dies_is_reported(tmp_path):
    root = make(tmp_path, dead=chapter("Dead", "import os\nos._exit(1)"))
    with pytest.raises(ChapterError, match=r"(?s)dead\.md.*os\._exit"):
        execute(chapters(root)[0], quiet, even)


def test_records_are_found_while_current_and_removed_when_stale(tmp_path):
    root = make(tmp_path, plain=chapter("Plain", "x = 1"))
    records, page = Records(root), chapters(root)[0]
    assert records.find(page) is None
    records.store(page, *execute(page, quiet, even))
    assert records.find(page) is not None
    assert records.executed(page).cells[-1].execution_count == 1
    (root / "plain.md").write_text(chapter("Plain", "x = 2"))
    assert records.find(chapters(root)[0]) is None
    records.prune(root)
    assert records.cache.list_cache_records() == []
