"""What the number of steps T costs and buys: a model trained for each T, walked through all of its steps.

`python -m gdmcourse.experiments.number_of_steps` trains the eight models on digits, about 8 minutes on one
core, and writes the record `number_of_steps` that the chapter on denoising shows. Source: claim 10.
"""

import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from gdmcourse.experiments import find_recipe
from gdmcourse.experiments.ddpm import DDPMRecipe
from gdmcourse.experiments.records import FOLDER, save_record
from gdmcourse.metrics.report import score_samples
from gdmcourse.training import derive_seed, fit, make_fabric, seeded
from gdmcourse.training.once import use_threads

LENGTHS = (100, 500, 1000, 1500)
SCHEDULES = ("linear", "linear-unscaled")


def measure(noise: str, T: int, *, steps: int, samples: int, seed: int = 0) -> dict[str, Any]:
    """Train for T steps of this schedule, then draw labelled samples in T steps: scores and seconds."""
    base = find_recipe("ddpm-digits", "laptop")
    assert isinstance(base, DDPMRecipe)
    recipe = replace(base, noise=noise, T=T, sample_steps=T, steps=steps, seed=seed)
    train = recipe.data("train")
    with seeded(derive_seed(seed, "weights")):
        model = recipe.model(train)
    with use_threads(1):
        result = fit(
            model,
            recipe.loss,
            recipe.tensors(train),
            steps=steps,
            batch_size=recipe.batch_size,
            lr=recipe.rate(),
            ema_decay=recipe.ema_decay,
            clip_norm=recipe.clip_norm,
            seed=seed,
            fabric=make_fabric(1, 1, accelerator="cpu"),
            progress=False,
        )
        labels = torch.arange(samples) % 10
        began = time.perf_counter()
        images = recipe.draw(result.best, labels, torch.Generator().manual_seed(seed))
        seconds = time.perf_counter() - began
    scores = score_samples(images, labels)
    return {
        "noise": noise,
        "T": T,
        "alpha_bar_T": recipe.schedule().alpha_bar[-1].item(),
        "accuracy": scores.accuracy,
        "frechet": scores.frechet,
        "reference": scores.reference,
        "precision": scores.precision,
        "recall": scores.recall,
        "seconds_a_training_step": result.seconds / steps,
        "seconds_a_sample": seconds / samples,
    }


def main(folder: Path = FOLDER, *, steps: int = 1100, samples: int = 200) -> None:
    """Measure all and write `number_of_steps.json` into `folder`."""
    rows = []
    for noise in SCHEDULES:
        for T in LENGTHS:
            rows.append(measure(noise, T, steps=steps, samples=samples))
            print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    content = {"rows": rows, "training_steps": steps, "samples": samples}
    save_record("number_of_steps", content, folder)


if __name__ == "__main__":
    main()
