"""How often a small GAN fails when its learning rate, its balance or its momentum is another one.

`gdmcourse study gan_stability` trains two games from ten seeds at seven settings each, a quarter of an hour
on one core. What failing means, see `failed`, was changed once, after two trial runs of another seed and
before the first of these.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gdmcourse.data.catalog import load
from gdmcourse.data.levels import LEVELS, from_levels
from gdmcourse.metrics.report import score_samples
from gdmcourse.recipes import find_recipe
from gdmcourse.recipes.gan_images import ImageGANRecipe
from gdmcourse.studies.study import Rows, Study
from gdmcourse.training.randomness import derive_seed
from gdmcourse.training.run import NonFiniteLoss

# The two games: all other fields are those of the recipe, but for what makes it small and quick.
GAMES = {"plain": "dcgan-digits", "modern": "r3gan-digits"}
SMALL: dict[str, Any] = {"width": 8, "warmup": 25, "ema_decay": 0.98}
# One thing at a time is moved away from what the recipe has: both rates, the momentum, the generator's rate.
SETTINGS: dict[str, dict[str, Any]] = {
    "as it is": {},
    "rate × ¼": {"rate": 0.25},
    "rate × 4": {"rate": 4.0},
    "β₁ = 0 or ½": {"beta": None},  # the other game's
    "β₁ = 0.9": {"beta": 0.9},
    "generator × 4": {"rate_ratio": 4.0},
    "generator × ¼": {"rate_ratio": 0.25},
}
SHOWN = 16  # samples kept of the first seed; its curves have a point every 10 steps, as `play` logs them
LEVEL, LETTERS = LEVELS["digits"], "0123456789abcdefg"


def failed(row: dict[str, Any]) -> bool:
    """Whether a run failed: no number came out, or its samples are worse than pixels drawn one by one.

    Each of these is drawn from the training images' values at its place, whatever the others are; worse is
    farther from the held-out digits, by Fréchet distance.
    """
    return row["relative"] is None or row["relative"] > row["one_by_one"]


def changed(recipe: ImageGANRecipe, setting: dict[str, Any]) -> ImageGANRecipe:
    """The recipe at a setting."""
    beta = recipe.betas[0]
    if "beta" in setting:
        beta = 0.5 - beta if setting["beta"] is None else setting["beta"]
    return replace(
        recipe,
        lr=recipe.lr * setting.get("rate", 1.0),
        rate_ratio=setting.get("rate_ratio", 1.0),
        betas=(beta, recipe.betas[1]),
    )


def measure(
    folder: Path, *, game: str, setting: str, seed: int, steps: int, batch_size: int, samples: int
) -> Rows:
    """Train at the setting from this seed, and score samples beside pixels drawn one by one."""
    recipe = find_recipe(GAMES[game])
    assert isinstance(recipe, ImageGANRecipe)
    recipe = replace(recipe, **SMALL, steps=steps, batch_size=batch_size, seed=seed)
    recipe = changed(recipe, SETTINGS[setting])
    rng = torch.Generator().manual_seed(derive_seed(seed, "scored"))
    row: dict[str, Any] = {"game": game, "setting": setting, "seed": seed, "relative": None}
    row["one_by_one"] = score_samples(one_by_one(samples, rng)).relative
    try:
        played = recipe.train(progress=False)
    except NonFiniteLoss as error:
        return [{**row, "error": str(error)}]
    images = recipe.sample(played.best("generator"), samples, rng)
    if not torch.isfinite(images).all():
        return [{**row, "error": "the samples are not finite"}]
    scores = score_samples(images)
    row |= {"relative": scores.relative, "precision": scores.precision, "recall": scores.recall}
    if seed == 0:
        history = played.history
        row["curves"] = {
            name: [round(value, 4) for value in history.values(name)] for name in ("critic", "generator")
        }
        row["images"] = written(images[:SHOWN])
    return [row]


def one_by_one(n: int, rng: torch.Generator) -> Tensor:
    """Images of which each pixel is that of a training image of its own, drawn anew for each pixel."""
    pixels = load("digits").images.flatten(1)
    rows = torch.randint(len(pixels), (n, pixels.shape[1]), generator=rng)
    return pixels.gather(0, rows).view(n, 1, 8, 8)


def written(images: Tensor) -> list[str]:
    """Each image as a word of 64 letters, the grey levels of its pixels from 0 to g."""
    levels = ((images + 1) / 2 * (LEVEL - 1)).round().int().flatten(1)
    return ["".join(LETTERS[level] for level in image) for image in levels.tolist()]


def shown(row: dict[str, Any]) -> Tensor:
    """The samples that a row of the first seed keeps, (n, 1, 8, 8) in [−1, 1]."""
    levels = [[LETTERS.index(letter) for letter in word] for word in row["images"]]
    return from_levels(torch.tensor(levels).view(-1, 1, 8, 8), LEVEL)


def study(*, seeds: int = 10, steps: int = 300, batch_size: int = 64, samples: int = 500) -> Study:
    """The study with so many seeds, one after the other, so that what is done at any time is balanced."""
    sizes = {"steps": steps, "batch_size": batch_size, "samples": samples}
    return Study(
        name="gan_stability",
        parts=[
            {"game": game, "setting": setting, "seed": seed, **sizes}
            for seed in range(seeds)
            for game in GAMES
            for setting in SETTINGS
        ],
        measure=measure,
        content=lambda rows: {"rows": rows, "seeds": seeds, **sizes},
    )


STUDY = study()
