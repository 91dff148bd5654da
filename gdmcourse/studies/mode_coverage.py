"""How many modes of eight and of twenty-five Gaussians each way of training a GAN finds (PacGAN's protocol).

`gdmcourse study mode_coverage` trains every way on both sets from ten seeds, about 2 hours on one core.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from gdmcourse.recipes import find_recipe
from gdmcourse.studies.study import Rows, Study
from gdmcourse.training.randomness import derive_seed

RECIPES = {"8gaussians": "gan-ring", "25gaussians": "gan-grid"}
# What all ways share: the networks, the falling rate and the average of the generator's weights.
COMMON: dict[str, Any] = {
    "objective": "non-saturating",
    "penalty": None,
    "noise_dim": 4,
    "width": 128,
    "batch_size": 512,
    "lr": 2e-3,
    "warmup": 50,
    "ema_decay": 0.995,
    "betas": (0.5, 0.999),
}
# Each way has the steps that about 50 CPU seconds buy it.
WAYS: dict[str, dict[str, Any]] = {
    "plain": {"steps": 5000},
    "minibatch": {"steps": 1200, "kernels": 8},
    "pack2": {"steps": 5000, "pack": 2},
    "pack4": {"steps": 5000, "pack": 4},
    "wgan-gp": {
        "steps": 1000,
        "objective": "wasserstein",
        "penalty": "unit-norm",
        "penalty_weight": 0.1,
        "critic_moves": 5,
    },
    "r1": {"steps": 3500, "penalty": "r1", "penalty_weight": 0.02},
    "relativistic": {"steps": 2800, "objective": "relativistic", "penalty": "r1+r2", "penalty_weight": 0.02},
}


def measure(folder: Path, *, toy: str, way: str, seed: int, preset: str, steps: int | None) -> Rows:
    """Train one game and count: modes found, and the share of samples of high quality."""
    changes = {**COMMON, **WAYS[way], "seed": seed}
    if steps is not None:
        changes |= {"steps": steps, "warmup": None, "batch_size": 8, "width": 8}
    recipe = replace(find_recipe(RECIPES[toy], preset), **changes)
    played = recipe.train(progress=False)
    rng = torch.Generator().manual_seed(derive_seed(seed, "samples"))
    counted = recipe.metrics(played.best(recipe.result), rng)
    return [{"toy": toy, "way": way, "seed": seed, "seconds": played.seconds, **counted}]


def study(*, seeds: int = 10, preset: str = "laptop", steps: int | None = None) -> Study:
    """The study with so many seeds, seed by seed; with `steps` given every game is tiny and that long."""
    return Study(
        name="mode_coverage",
        parts=[
            {"toy": toy, "way": way, "seed": seed, "preset": preset, "steps": steps}
            for seed in range(seeds)
            for toy in RECIPES
            for way in WAYS
        ],
        measure=measure,
        content=lambda rows: {"rows": rows, "seeds": seeds},
    )


STUDY = study()
