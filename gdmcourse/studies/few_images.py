"""What adaptive augmentation does for a style-based generator that is trained on 200 digits.

Six networks, about four minutes on one core. It joins the catalogue of studies with its first record.
"""

from dataclasses import replace
from pathlib import Path

import torch

from gdmcourse.gan.augment import Adaptive
from gdmcourse.metrics.report import score_samples
from gdmcourse.recipes import find_recipe
from gdmcourse.recipes.style import StyleRecipe
from gdmcourse.studies.study import Rows, Study

TARGETS = {"none": None, "adaptive": 0.6}


def measure(
    folder: Path, *, way: str, images: int, seed: int, samples: int, preset: str, steps: int | None
) -> Rows:
    """Train on so many images, with augmentation or without: scores, and how well the critic knows them."""
    base = find_recipe("style-digits", preset)
    assert isinstance(base, StyleRecipe)
    steps = base.steps if steps is None else steps
    recipe = replace(base, target=TARGETS[way], images=images, seed=seed, steps=steps)
    train = recipe.data("train")
    played = recipe.train(train, progress=False)
    drawn = recipe.sample(played.best("generator"), samples, torch.Generator().manual_seed(seed))
    scores = score_samples(drawn)
    critic, augment = played.modules["critic"], played.modules["augment"]
    assert isinstance(augment, Adaptive)
    signs = {}
    with torch.no_grad():
        for name, part in (("seen", recipe.tensors(train)[0]), ("held_out", recipe.data("test").images)):
            signs[f"sign_{name}"] = critic(part).sign().mean().item()
    row = {
        "way": way,
        "seed": seed,
        "frechet": scores.frechet,
        "reference": scores.reference,
        "precision": scores.precision,
        "recall": scores.recall,
        "strength": augment.strength.item(),
        **signs,
    }
    return [row]


def study(
    *,
    seeds: int = 3,
    images: int = 200,
    samples: int = 1000,
    preset: str = "laptop",
    steps: int | None = None,
) -> Study:
    """The study with so many seeds of networks, each pair of one seed before the next."""
    sizes = {"images": images, "samples": samples, "preset": preset, "steps": steps}
    return Study(
        name="few_images",
        parts=[{"way": way, "seed": seed, **sizes} for seed in range(seeds) for way in TARGETS],
        measure=measure,
        content=lambda rows: {"rows": rows, "seeds": seeds, "images": images, "samples": samples},
    )


STUDY = study()
