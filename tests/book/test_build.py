"""`make book` on a tiny book: it says what fails, runs what changed, and does nothing when nothing has."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from gdmbook.chapters import Page, chapters
from gdmbook.execution import ChapterError, execute, execute_all
from gdmbook.records import Records

from tests.book.tiny import ROOT, chapter, make


def build(root: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "book/_ext"), "COLUMNS": "200"}
    command = [sys.executable, "-m", "gdmbook", "--root", str(root)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)


def quiet(page: Page, done: int, total: int) -> None:
    pass


@pytest.mark.slow
def test_build_again_executes_what_could_have_changed_and_nothing_else(tmp_path):
    root = make(
        tmp_path, plain=chapter("Plain", "print(1 + 1)"), drawn=chapter("Drawn", "import gdmcourse.plots")
    )
    first = build(root)
    assert first.returncode == 0, first.stdout + first.stderr
    assert "Executing 2 of 2 chapters" in first.stdout
    assert f"Open {root}/_build/html/index.html" in first.stdout

    start = time.perf_counter()
    again = build(root)
    assert "Nothing has changed" in again.stdout
    assert "Executing" not in again.stdout
    assert time.perf_counter() - start < 60

    (root / "gdmcourse/plots/__init__.py").write_text("# changed\n")
    third = build(root)
    assert "Executing 1 of 2 chapters" in third.stdout
    assert "✓ drawn" in third.stdout
    assert "✓ plain" not in third.stdout


@pytest.mark.slow
def test_failing_cell_stops_the_build_and_is_shown(tmp_path):
    root = make(
        tmp_path, good=chapter("Good", "x = 1"), bad=chapter("Bad", "y = 2", "marker = 3\nmarker / 0")
    )
    done = build(root)
    assert done.returncode == 1
    line = chapter("Bad", "y = 2", "").splitlines().index("```{code-cell} ipython3", 18) + 1
    assert f"bad.md, line {line}: cell" in done.stdout
    assert "marker / 0" in done.stdout
    assert "ZeroDivisionError" in done.stdout
    assert not (root / "_build/html/index.html").exists()


@pytest.mark.slow
def test_a_warning_fails_the_build_again_and_again(tmp_path):
    root = make(tmp_path, plain=chapter("Plain", "x = 1") + "\nSee {eq}`eq-nowhere`.\n")
    for _ in range(2):
        done = build(root)
        assert done.returncode == 1
        assert "eq-nowhere" in done.stderr


def test_noise_on_stderr_is_seen(tmp_path):
    root = make(tmp_path, loud=chapter("Loud", "import sys\nprint('noise', file=sys.stderr)"))
    done = build(root)
    assert done.returncode == 1
    assert "stderr" in done.stderr


def test_missing_page_is_named(tmp_path):
    root = make(tmp_path, plain=chapter("Plain", "x = 1"))
    (root / "plain.md").unlink()
    done = build(root)
    assert done.returncode == 1
    assert "plain.md" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_chapters_run_beside_each_other(tmp_path):
    wait = "import time, pathlib\nstart = time.time()\ntime.sleep(2)\nprint(start, time.time())"
    root = make(tmp_path, one=chapter("One", wait), two=chapter("Two", wait))
    spans = []
    for _, notebook, _ in execute_all(chapters(root), 2, quiet):
        spans.append(
            [
                float(word)
                for cell in notebook.cells
                for out in cell.get("outputs", [])
                for word in out.text.split()
            ]
        )
    (a, b), (c, d) = spans
    assert max(a, c) < min(b, d)


def test_run_measures_time_and_the_peak_of_memory(tmp_path):
    root = make(
        tmp_path, large=chapter("Large", "import time\nx = bytearray(300 * 2**20)\ndel x\ntime.sleep(1)")
    )
    _, run = execute(chapters(root)[0], quiet)
    assert 1 <= run.execution_seconds < 60
    assert 300 < run.peak_mib < 1000


def test_a_chapter_starts_in_an_empty_folder_on_a_static_page(tmp_path):
    root = make(
        tmp_path, where=chapter("Where", "import os\nprint(os.listdir(), os.environ['GDMCOURSE_STATIC'])")
    )
    notebook, _ = execute(chapters(root)[0], quiet)
    assert notebook.cells[-1].outputs[0].text == "[] 1\n"


def test_a_kernel_that_dies_is_reported(tmp_path):
    root = make(tmp_path, dead=chapter("Dead", "import os\nos._exit(1)"))
    with pytest.raises(ChapterError, match=r"(?s)dead\.md.*os\._exit"):
        execute(chapters(root)[0], quiet)


def test_records_are_found_while_current_and_removed_when_stale(tmp_path):
    root = make(tmp_path, plain=chapter("Plain", "x = 1"))
    records, page = Records(root), chapters(root)[0]
    assert records.find(page) is None
    records.store(page, *execute(page, quiet))
    assert records.find(page) is not None
    assert records.executed(page).cells[-1].execution_count == 1
    (root / "plain.md").write_text(chapter("Plain", "x = 2"))
    assert records.find(chapters(root)[0]) is None
    records.prune(root)
    assert records.cache.list_cache_records() == []
