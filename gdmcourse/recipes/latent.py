"""Diffusion in the latents of an autoencoder: `latent-digits`."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from torch import Tensor

from gdmcourse.data.catalog import load
from gdmcourse.diffusion.latent import Autoencoder, LatentSpace
from gdmcourse.recipes import find_recipe
from gdmcourse.recipes.ddpm import DDPMRecipe, presets
from gdmcourse.recipes.recipe import Recipe
from gdmcourse.recipes.reduced import ReducedRecipe


@dataclass(frozen=True, kw_only=True)
class LatentRecipe(ReducedRecipe):
    """A DDPM on the scaled latents of a trained autoencoder (Rombach et al. 2022)."""

    autoencoder: str  # a recipe and its preset
    autoencoder_preset: str = "laptop"

    def below(self) -> list[Recipe]:
        """The autoencoder."""
        return [find_recipe(self.autoencoder, self.autoencoder_preset)]

    def space(self) -> LatentSpace:
        """The autoencoder's latents, scaled by the training images; trains the autoencoder if need be."""
        return _space(self.autoencoder, self.autoencoder_preset, self.dataset)

    def shrink(self, images: Tensor) -> Tensor:
        """Scaled latents."""
        return self.space().encode(images)

    def enlarge(self, small: Tensor) -> Tensor:
        """Images of scaled latents, kept in [−1, 1]."""
        return self.space().decode(small.cpu()).clamp(-1, 1).to(small.device)


@lru_cache(maxsize=4)
def _space(autoencoder: str, preset: str, dataset: str) -> LatentSpace:
    """Made once, not for each batch."""
    from gdmcourse.recipes.trained import trained

    model = trained(autoencoder, preset).model
    assert isinstance(model, Autoencoder)
    return LatentSpace(model, load(dataset, "train").images)


def latent_presets(laptop: LatentRecipe, **gpu: Any) -> dict[str, DDPMRecipe]:
    """The presets of a diffusion model, each on the autoencoder of the same preset."""
    return presets(laptop, smoke={"autoencoder_preset": "smoke"}, autoencoder_preset="gpu", **gpu)


RECIPES = {
    "latent-digits": latent_presets(
        LatentRecipe(
            dataset="digits",
            autoencoder="autoencoder-digits",
            steps=2000,
            batch_size=64,
            lr=3e-3,
            warmup=100,
            ema_decay=0.995,
            target="velocity",
            drop=0.2,
            width=32,
            multipliers=(1, 2),
            attention=(0, 1),
            sample_steps=100,
            threads=1,
        ),
        width=96,
        steps=20_000,
        batch_size=256,
        lr=1e-3,
        ema_decay=0.999,
    ),
}
