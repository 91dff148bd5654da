"""A run of `gdmcourse train ddpm-mnist` on the record: 28×28 digits from some minutes of one core.

`python -m gdmcourse.experiments.mnist_record` runs that command and writes the record `ddpm_mnist` and its
picture, which the chapter on denoising shows. The processor's time on record counts all that the command
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
from gdmcourse.experiments import find_recipe
from gdmcourse.experiments.ddpm import DDPMRecipe
from gdmcourse.experiments.records import FOLDER, save_picture, save_record
from gdmcourse.metrics.report import score_samples
from gdmcourse.training import load_weights

NAME = "ddpm_mnist"
ROWS = 6  # of ten digits in the picture


def main(folder: Path = FOLDER, preset: str = "laptop") -> None:
    """Train, score, and write `ddpm_mnist.json` and `ddpm_mnist.png` into `folder`."""
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
    content = {
        **metrics,
        "cpu_seconds": round(sum(after[2:4]) - sum(before[2:4]), 1),  # the command's, user and system
        "real": {"frechet": real.frechet, "precision": real.precision, "recall": real.recall},
        "real_accuracy": real.accuracy,
        "recipe": asdict(recipe),
    }
    save_picture(NAME, recipe.sample(model, 10 * ROWS, torch.Generator().manual_seed(0)), folder)
    save_record(NAME, content, folder)


if __name__ == "__main__":
    main()
