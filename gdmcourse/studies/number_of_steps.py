"""What the number of steps T buys: a network trained for each T, walked through all of its steps, ten seeds.

`gdmcourse study number_of_steps` trains fifty models on digits, about half an hour on one core.
"""

from dataclasses import replace
from pathlib import Path

import torch

from gdmcourse.metrics.report import score_samples
from gdmcourse.recipes import find_recipe
from gdmcourse.recipes.ddpm import DDPMRecipe
from gdmcourse.studies.study import Rows, Study

# β from 0.0001 to 0.02 whatever T is, and for the shortest walk also scaled by 1000/T; at 1000 these agree.
NETWORKS = (
    ("linear-unscaled", 100),
    ("linear-unscaled", 500),
    ("linear-unscaled", 1000),
    ("linear-unscaled", 1500),
    ("linear", 100),
)


def measure(folder: Path, *, noise: str, T: int, steps: int, samples: int, seed: int) -> Rows:
    """Train for T steps of this schedule, then draw labelled samples in T steps: their scores."""
    base = find_recipe("ddpm-digits", "laptop")
    assert isinstance(base, DDPMRecipe)
    recipe = replace(base, noise=noise, T=T, sample_steps=T, steps=steps, seed=seed)
    played = recipe.train(progress=False)
    labels = torch.arange(samples) % 10
    images = recipe.draw(played.best("model"), labels, torch.Generator().manual_seed(seed))
    scores = score_samples(images, labels)
    row = {
        "noise": noise,
        "T": T,
        "seed": seed,
        "alpha_bar_T": recipe.schedule().alpha_bar[-1].item(),
        "accuracy": scores.accuracy,
        "frechet": scores.frechet,
        "reference": scores.reference,
        "precision": scores.precision,
        "recall": scores.recall,
    }
    return [row]


def study(*, steps: int = 550, samples: int = 100, seeds: int = 10) -> Study:
    """The study with networks of so many training steps, so many samples of each, and so many seeds."""
    sizes = {"steps": steps, "samples": samples}
    return Study(
        name="number_of_steps",
        parts=[
            {"noise": noise, "T": T, "seed": seed, **sizes} for seed in range(seeds) for noise, T in NETWORKS
        ],
        measure=measure,
        content=lambda rows: {
            "rows": rows,
            "seeds": seeds,
            "training_steps": steps,
            "samples": samples,
        },
    )


STUDY = study()
