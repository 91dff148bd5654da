"""The book made from nothing, against its budgets: each chapter, each trained network, and the whole.

One run of the book's own builder, two workers, no network there before. It keeps the outputs, so that the
line at the head of a chapter tells of the same run as the rows. Time is told at reference speed.
"""

import os
import statistics
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from rich.console import Console

from benchmarks.row import row

ROOT = Path(__file__).parents[1]
SECONDS, TRAINING, MIB, WORKERS = 90.0, 60.0, 2048.0, 2
BOOK = 25 * 60 / 24  # seconds of the whole for each chapter: 25 minutes for 24
UNIT = "s at reference speed"
# What a set of chapters may add to the book from nothing, in seconds of the clock.
PARTS = {
    "Part I": (
        ("hidden_markov", "autoregressive", "variational_autoencoders", "normalizing_flows"),
        4 * 60.0,
    ),
    "Part II": (
        (
            *("minimax", "training_gans", "wasserstein"),
            *("conditional_gans", "image_translation", "style_based"),
        ),
        6 * 60.0,
    ),
    "flow matching and hybrids": (("flow_matching", "diffusion_gan", "few_step"), 4 * 60.0),
}


def rows() -> list[dict[str, str | float]]:
    """Time and memory of each chapter, time of each network and of the whole; the peer is the budget."""
    sys.path.insert(0, str(ROOT / "book/_ext"))
    from gdmbook.chapters import chapters
    from gdmbook.work import execute_pages

    with TemporaryDirectory() as cache, patch.dict(os.environ, GDMCOURSE_CACHE=cache):
        start = time.perf_counter()
        runs, trainings = execute_pages(chapters(ROOT), ROOT, WORKERS, Console())
        whole = time.perf_counter() - start
    speed = statistics.fmean(measured for run in runs.values() for measured in run.speeds)
    found = []
    for page in chapters(ROOT):
        name, run = f"chapter {page.path.stem}", runs[page]
        found.append(row(f"{name}, time (peer: budget)", run.reference_seconds, SECONDS, UNIT))
        found.append(row(f"{name}, memory (peer: budget)", run.peak_mib, MIB, "MiB"))
    for model, training in sorted(trainings.items(), key=lambda item: str(item[0])):
        seconds = training.cpu_seconds * speed
        found.append(row(f"network {model}, time (peer: budget)", seconds, TRAINING, UNIT))
    found += parts({line["name"]: float(line["ours"]) for line in found})
    budget = BOOK * len(runs)
    found.append(row("the book from nothing, time (peer: budget)", whole * speed, budget, UNIT))
    return found


def parts(seconds: dict[str, float]) -> list[dict[str, str | float]]:
    """What sets of chapters add, by the rows: their pages, and the networks that none before them needs."""
    sys.path.insert(0, str(ROOT / "book/_ext"))
    from gdmbook.chapters import chapters
    from gdmbook.library import Library
    from gdmbook.models import fetched, with_needed

    added: dict[str, float] = {}
    known = set[str]()
    for page in chapters(ROOT):
        names = {f"network {model}" for model in with_needed(fetched(page), Library.under(ROOT))} - known
        known |= names
        own = [f"chapter {page.path.stem}", *names]
        added[page.path.stem] = sum(seconds[f"{name}, time (peer: budget)"] for name in own) / WORKERS
    return [
        row(f"{name}, added to the book (peer: budget)", sum(map(added.__getitem__, pages)), budget, UNIT)
        for name, (pages, budget) in PARTS.items()
        if added.keys() >= set(pages)
    ]
