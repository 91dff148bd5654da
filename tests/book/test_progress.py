"""How long is left: from earlier runs of this machine, or else from the benchmarks at its speed."""

import json
from io import StringIO
from pathlib import Path

from gdmbook.estimates import Estimates
from gdmbook.progress import BuildProgress
from gdmbook.records import FOLDER
from gdmbook.schedule import Task
from rich.console import Console


def test_benchmarks_count_until_this_machine_has_measured(tmp_path: Path):
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / FOLDER).mkdir(parents=True)
    rows = [
        {"name": "chapter one, time (peer: budget)", "ours": 40.0, "unit": "s at reference speed"},
        {"name": "chapter one, memory (peer: budget)", "ours": 900.0, "unit": "MiB"},
    ]
    (tmp_path / "benchmarks/results.json").write_text(json.dumps(rows))
    assert Estimates(tmp_path, speed=0.5).seconds("chapter one") == 80
    assert Estimates(tmp_path, speed=0.5).seconds("chapter two") == 120
    Estimates(tmp_path, speed=0.5).note("chapter one", 70.04)
    assert Estimates(tmp_path, speed=2.0).seconds("chapter one") == 70.0


def test_time_left_follows_what_is_done(monkeypatch):
    now = 0.0
    shown = StringIO()
    console = Console(file=shown, width=200)
    progress = BuildProgress(console, 2)
    progress.bars.get_time = lambda: now
    tasks = [Task("a", str, 100), Task("b", str, 100), Task("c", str, 200)]
    assert progress.expect(tasks) == "about 3 min"
    progress.tick({})
    now = 50
    progress.tick({"a": 50, "b": 50})
    now = 60
    progress.finished(tasks[0], 60, "quick")
    assert "✓ a: quick; about 2 min left" in shown.getvalue()
    now = 200
    progress.tick({"c": 140, "b": 200})  # b takes longer than expected, and what is ahead stays
    progress.finished(tasks[1], 200, "slow")
    progress.finished(tasks[2], 190, "done")
    assert shown.getvalue().splitlines()[-1] == "  ✓ c: done"
