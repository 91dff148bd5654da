"""What noise before the critic buys a DCGAN and costs it, on few digits and on all, beside augmentation.

`gdmcourse study diffusion_gan` trains each game plain, behind noise and with adaptive augmentation, for as
many steps, from the same seed.
"""

import time
from dataclasses import replace
from pathlib import Path

import torch

from gdmcourse.data.catalog import load
from gdmcourse.metrics.report import score_samples
from gdmcourse.recipes import find_recipe
from gdmcourse.recipes.gan_images import ImageGANRecipe
from gdmcourse.studies.study import Rows, Study
from gdmcourse.training.randomness import derive_seed

WAYS = {"plain": "dcgan-digits", "noise": "diffusion-gan-digits", "adaptive": "augmented-gan-digits"}
IMAGES = (200, 500, 1000, None)  # to train on; None is all
DRAWS = 3  # sampling seeds


def measure(
    folder: Path, *, way: str, images: int | None, seed: int, samples: int, preset: str, steps: int | None
) -> Rows:
    """Train on so many images, which the seed chooses: scores of three draws, and the processor's seconds.

    And how strong the augmentation was in the end, 0 where there is none.
    """
    found = find_recipe(WAYS[way], preset)
    assert isinstance(found, ImageGANRecipe)
    recipe = replace(found, seed=seed, steps=found.steps if steps is None else steps)
    train = load("digits")
    rows = torch.randperm(len(train), generator=torch.Generator().manual_seed(seed))[:images]
    few = replace(train, images=train.images[rows], labels=train.labels[rows])
    before = time.process_time()
    played = recipe.train(few, progress=False)
    seconds = time.process_time() - before
    drawn = []
    for draw in range(DRAWS):
        rng = torch.Generator().manual_seed(derive_seed(seed, "draw", str(draw)))
        scores = score_samples(recipe.sample(played.best(recipe.result), samples, rng))
        drawn.append({"frechet": scores.frechet, "precision": scores.precision, "recall": scores.recall})
    strength = played.modules["augment"].get_buffer("strength").item() if way == "adaptive" else 0.0
    row = {"way": way, "images": len(few), "seed": seed, "cpu_seconds": seconds, "strength": strength}
    return [row | {name: sum(each[name] for each in drawn) / DRAWS for name in drawn[0]}]


def study(*, seeds: int = 10, samples: int = 1000, preset: str = "laptop", steps: int | None = None) -> Study:
    """The study with so many seeds of networks, all ways of one seed before the next."""
    sizes = {"samples": samples, "preset": preset, "steps": steps}
    return Study(
        name="diffusion_gan",
        parts=[
            {"way": way, "images": images, "seed": seed, **sizes}
            for seed in range(seeds)
            for images in IMAGES
            for way in WAYS
        ],
        measure=measure,
        content=lambda rows: {"rows": rows, "seeds": seeds, "samples": samples, "draws": DRAWS},
    )


STUDY = study()
