"""What the number of steps T costs and buys: a model trained for each T, walked through all of its steps.

`gdmcourse study number_of_steps` trains the eight models on digits, about 8 minutes on one core.
"""

import time
from dataclasses import replace
from pathlib import Path

import torch

from gdmcourse.metrics.report import score_samples
from gdmcourse.recipes import find_recipe
from gdmcourse.recipes.ddpm import DDPMRecipe
from gdmcourse.studies.study import Rows, Study

LENGTHS = (100, 500, 1000, 1500)
SCHEDULES = ("linear", "linear-unscaled")


def measure(folder: Path, *, noise: str, T: int, steps: int, samples: int, seed: int) -> Rows:
    """Train for T steps of this schedule, then draw labelled samples in T steps: scores and seconds."""
    base = find_recipe("ddpm-digits", "laptop")
    assert isinstance(base, DDPMRecipe)
    recipe = replace(base, noise=noise, T=T, sample_steps=T, steps=steps, seed=seed)
    played = recipe.train(progress=False)
    labels = torch.arange(samples) % 10
    began = time.perf_counter()
    images = recipe.draw(played.best("model"), labels, torch.Generator().manual_seed(seed))
    seconds = time.perf_counter() - began
    scores = score_samples(images, labels)
    row = {
        "noise": noise,
        "T": T,
        "alpha_bar_T": recipe.schedule().alpha_bar[-1].item(),
        "accuracy": scores.accuracy,
        "frechet": scores.frechet,
        "reference": scores.reference,
        "precision": scores.precision,
        "recall": scores.recall,
        "seconds_a_training_step": played.seconds / steps,
        "seconds_a_sample": seconds / samples,
    }
    return [row]


def study(*, steps: int = 1100, samples: int = 200, seed: int = 0) -> Study:
    """The study with networks of so many training steps, and so many samples of each."""
    sizes = {"steps": steps, "samples": samples, "seed": seed}
    return Study(
        name="number_of_steps",
        parts=[{"noise": noise, "T": T, **sizes} for noise in SCHEDULES for T in LENGTHS],
        measure=measure,
        content=lambda rows: {"rows": rows, "training_steps": steps, "samples": samples},
    )


STUDY = study()
