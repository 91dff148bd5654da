"""What adaptive augmentation, or noise before the critic, does for a style-based generator of 200 digits.

`gdmcourse study few_images` trains each game plain and in both ways, for as many steps, from the same seed.
"""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import torch

from gdmcourse.metrics.report import score_samples
from gdmcourse.recipes import find_recipe
from gdmcourse.recipes.style import StyleRecipe
from gdmcourse.studies.study import Rows, Study
from gdmcourse.training.randomness import derive_seed

WAYS = {
    "none": ("style-digits", None),
    "adaptive": ("style-digits", 0.6),
    "noise": ("diffusion-style-digits", None),
}  # recipe, and target of its augmentation
DRAWS = 3  # sampling seeds


def measure(
    folder: Path, *, way: str, images: int, seed: int, samples: int, preset: str, steps: int | None
) -> Rows:
    """Train on so many images in one of the ways: scores of three draws, and how well its critic knows them.

    The critic judges images as they are, and one that was never shown such judges them behind noise.
    """
    name, target = WAYS[way]
    base = find_recipe(name, preset)
    assert isinstance(base, StyleRecipe)
    steps = base.steps if steps is None else steps
    recipe = replace(base, target=target, images=images, seed=seed, steps=steps)
    train = recipe.data("train")
    played = recipe.train(train, progress=False)
    drawn = []
    for draw in range(DRAWS):
        rng = torch.Generator().manual_seed(derive_seed(seed, "draw", str(draw)))
        scores = score_samples(recipe.sample(played.best("generator"), samples, rng))
        drawn.append(
            {name: getattr(scores, name) for name in ("frechet", "reference", "precision", "recall")}
        )
    networks = SimpleNamespace(**played.modules)
    signs = {}
    with torch.no_grad():
        for part, shown in (("seen", recipe.tensors(train)[0]), ("held_out", recipe.data("test").images)):
            rng = torch.Generator().manual_seed(seed)
            critic = recipe.seen(networks, rng) if way == "noise" else networks.critic
            signs[f"sign_{part}"] = critic(shown).sign().mean().item()
    row = {
        "way": way,
        "seed": seed,
        **{name: sum(each[name] for each in drawn) / DRAWS for name in drawn[0]},
        "strength": networks.augment.strength.item() if way == "adaptive" else 0.0,
        "T": int(networks.diffusion.T) if way == "noise" else 0,
        **signs,
    }
    return [row]


def study(
    *,
    seeds: int = 6,
    images: int = 200,
    samples: int = 1000,
    preset: str = "laptop",
    steps: int | None = None,
) -> Study:
    """The study with so many seeds of networks, all ways of one seed before the next."""
    sizes = {"images": images, "samples": samples, "preset": preset, "steps": steps}
    return Study(
        name="few_images",
        parts=[{"way": way, "seed": seed, **sizes} for seed in range(seeds) for way in WAYS],
        measure=measure,
        content=lambda rows: {
            "rows": rows,
            "seeds": seeds,
            "images": images,
            "samples": samples,
            "draws": DRAWS,
        },
    )


STUDY = study()
