"""Whether a critic's value tells how good the samples are: value and Fréchet distance along a training.

`gdmcourse study critic_value` trains two games on digits between the same networks, with ten seeds each,
seven minutes on one core.
"""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from gdmcourse.data import load
from gdmcourse.gan import discriminator_loss
from gdmcourse.metrics.report import score_samples
from gdmcourse.recipes import find_recipe
from gdmcourse.recipes.wgan import WassersteinImageRecipe
from gdmcourse.studies.study import Rows, Study
from gdmcourse.training.play import play

# What is changed in the recipe of the Wasserstein game, between the same networks at the same rates.
GAMES: dict[str, dict[str, Any]] = {
    "wasserstein": {},
    "jensen-shannon": {"objective": "non-saturating", "penalty": None},
}


def measure(folder: Path, *, game: str, seed: int, steps: int, samples: int, preset: str) -> Rows:
    """Play, and at twenty moments score samples and ask the critic, of held-out images and of these samples.

    The value is E f(x) − E f(G(z)) of a Wasserstein critic, and of a discriminator (log 4 − its loss) / 2:
    the divergence of Jensen and Shannon, if it were the best one.
    """
    base = find_recipe("wgan-gp-digits", preset)
    assert isinstance(base, WassersteinImageRecipe)
    recipe = replace(base, steps=steps, warmup=None, seed=seed, **GAMES[game])
    train, held_out = recipe.data("train"), load("digits", "test").images
    modules = recipe.build(train)
    rows: Rows = []

    def look(step: int) -> None:
        if step % max(1, steps // 20):
            return
        for module in modules.values():
            module.eval()
        with torch.no_grad():
            images = recipe.sample(modules["generator"], samples, torch.Generator().manual_seed(seed))
            real, fake = modules["critic"](held_out), modules["critic"](images)
        for module in modules.values():
            module.train()
        if recipe.objective == "wasserstein":
            value = (real.mean() - fake.mean()).item()
        else:
            value = (math.log(4) - discriminator_loss(real, fake).item()) / 2
        scores = score_samples(images)
        rows.append(
            {
                "game": game,
                "seed": seed,
                "step": step,
                "value": value,
                "frechet": scores.frechet,
                "reference": scores.reference,
            }
        )

    play(
        modules,
        recipe.players(modules),
        recipe.tensors(train),
        steps=steps,
        batch_size=recipe.batch_size,
        seed=seed,
        after_step=look,
        progress=False,
    )
    return rows


def study(*, seeds: int = 10, steps: int = 600, samples: int = 500, preset: str = "laptop") -> Study:
    """The study with so many seeds and steps, and so many samples at each moment."""
    sizes = {"steps": steps, "samples": samples, "preset": preset}
    return Study(
        name="critic_value",
        parts=[{"game": game, "seed": seed, **sizes} for seed in range(seeds) for game in GAMES],
        measure=measure,
        content=lambda rows: {"rows": rows, "seeds": seeds, **sizes},
    )


STUDY = study()
