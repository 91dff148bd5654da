"""A run of `gdmcourse train ddpm-mnist` on the record: 28×28 digits from some minutes of one core.

`gdmcourse study ddpm_mnist` runs that command. The processor's time on record counts all that the command
does with an empty cache: training, sampling, scoring, and the training of the network that scores.
"""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import torch

from gdmcourse.data.roots import VARIABLE, data_root
from gdmcourse.metrics.report import score_samples
from gdmcourse.recipes import find_recipe
from gdmcourse.recipes.ddpm import DDPMRecipe
from gdmcourse.studies.record import save_picture
from gdmcourse.studies.study import Rows, Study
from gdmcourse.training.checkpoint import load_weights

NAME = "ddpm_mnist"
LINES = 6  # of ten digits in the picture


def measure(folder: Path, *, preset: str) -> Rows:
    """Train by the command, score, and draw the picture."""
    recipe = find_recipe("ddpm-mnist", preset)
    assert isinstance(recipe, DDPMRecipe)
    train = recipe.data("train")
    with tempfile.TemporaryDirectory() as scratch:
        run, before = Path(scratch, "run"), os.times()
        subprocess.run(
            [sys.executable, "-m", "gdmcourse", "train", "ddpm-mnist", "--preset", preset, "--out", run],
            env={**os.environ, VARIABLE: str(data_root()), "GDMCOURSE_CACHE": f"{scratch}/cache"},
            check=True,
        )
        after = os.times()
        metrics = json.loads((run / "metrics.json").read_text())
        model = load_weights(run / "checkpoint", recipe.model(train))
    real = score_samples(train.images[: recipe.scored], train.labels[: recipe.scored], dataset="mnist")
    save_picture(NAME, recipe.sample(model, 10 * LINES, torch.Generator().manual_seed(0)), folder)
    row = {
        **metrics,
        "cpu_seconds": round(sum(after[2:4]) - sum(before[2:4]), 1),  # the command's, user and system
        "real": {"frechet": real.frechet, "precision": real.precision, "recall": real.recall},
        "real_accuracy": real.accuracy,
        "recipe": asdict(recipe),
    }
    return [row]


def study(*, preset: str = "laptop") -> Study:
    """The study of this preset."""
    return Study(
        name=NAME,
        parts=[{"preset": preset}],
        measure=measure,
        content=lambda rows: rows[0],
        files=(f"{NAME}.png",),
    )


STUDY = study()
