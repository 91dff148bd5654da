"""What an autoencoder's factor buys and costs: the same denoiser on digits, and on latents of several sizes.

`gdmcourse study compression_factor` needs about a quarter of an hour on one core.
"""

from dataclasses import dataclass, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from gdmcourse.data.catalog import load
from gdmcourse.diffusion.cost import multiplications
from gdmcourse.diffusion.latent import Autoencoder, LatentSpace
from gdmcourse.metrics.report import score_samples
from gdmcourse.recipes import find_recipe
from gdmcourse.recipes.ddpm import DDPMRecipe
from gdmcourse.recipes.latent import LatentRecipe
from gdmcourse.recipes.trained import trained
from gdmcourse.studies.study import Rows, Study
from gdmcourse.training.randomness import derive_seed

SIZES = ((0, 1), (1, 2), (2, 2), (2, 8))  # halvings of the side, and channels; no halving means pixels


@dataclass(frozen=True, kw_only=True)
class SizedLatentRecipe(LatentRecipe):
    """A latent diffusion whose autoencoder has another size, and the recipe's own seed."""

    halvings: int
    latent_channels: int

    def space(self) -> LatentSpace:
        """The scaled latents of that autoencoder; trains it if need be."""
        return _space(self.autoencoder_preset, self.halvings, self.latent_channels, self.seed)


@lru_cache(maxsize=4)
def _space(preset: str, halvings: int, channels: int, seed: int) -> LatentSpace:
    coder = trained("autoencoder-digits", preset, halvings=halvings, latent_channels=channels, seed=seed)
    assert isinstance(coder.model, Autoencoder)
    return LatentSpace(coder.model, load("digits", "train").images)


def sized(halvings: int, channels: int, seed: int, preset: str) -> DDPMRecipe:
    """The recipe `latent-digits` on latents of another size, or on the pixels as they are."""
    latent = find_recipe("latent-digits", preset)
    kind = SizedLatentRecipe if halvings else DDPMRecipe
    settings: dict[str, Any] = {
        f.name: getattr(latent, f.name) for f in fields(kind) if hasattr(latent, f.name)
    }
    settings["seed"] = seed
    if halvings:
        settings |= {"halvings": halvings, "latent_channels": channels}
    return kind(**settings)


def measure(
    folder: Path, *, halvings: int, channels: int, seed: int, samples: int, steps: int, preset: str
) -> Rows:
    """Train autoencoder and denoiser from this seed, and score restored digits and samples."""
    recipe, test = sized(halvings, channels, seed, preset), load("digits", "test")
    restored = test.images
    if isinstance(recipe, SizedLatentRecipe):
        restored = recipe.enlarge(recipe.shrink(test.images))
    model = recipe.train().best("model").eval()
    labels, rng = torch.arange(samples) % 10, torch.Generator().manual_seed(derive_seed(seed, "samples"))
    images = replace(recipe, sample_steps=steps).draw(model, labels, rng)
    drawn, read = score_samples(images, labels), score_samples(restored, test.labels)
    shape = recipe.shape()
    error = (restored - test.images).square().mean() / (test.images - test.images.mean(0)).square().mean()
    scored = {"frechet": drawn.frechet, "reference": drawn.reference, "recall": drawn.recall}
    cost = multiplications(model, torch.zeros(1, *shape), torch.tensor([5]))
    return [
        {
            "factor": 2**halvings,
            "channels": channels,
            "numbers": torch.Size(shape).numel(),
            "seed": seed,
            "lost_share": error.item(),
            "restored_accuracy": read.accuracy,
            "multiplications": cost,
            **scored,
            "accuracy": drawn.accuracy,
        }
    ]


def study(*, seeds: int = 2, samples: int = 400, steps: int = 50, preset: str = "laptop") -> Study:
    """The study with so many seeds, samples of each setting and steps of sampling."""
    sizes = {"samples": samples, "steps": steps, "preset": preset}
    settings = [{"halvings": halvings, "channels": channels} for halvings, channels in SIZES]
    return Study(
        name="compression_factor",
        parts=[{**setting, "seed": seed, **sizes} for seed in range(seeds) for setting in settings],
        measure=measure,
        content=lambda rows: {"rows": rows, "seeds": seeds, "samples": samples, "sampling_steps": steps},
    )


STUDY = study()
