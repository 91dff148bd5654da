"""A diffusion model whose denoiser is a transformer: `dit-digits`."""

from dataclasses import asdict, dataclass
from typing import Any

from torch import nn

from gdmcourse.data.dataset import Dataset
from gdmcourse.nn.dit import DiT
from gdmcourse.recipes.ddpm import RECIPES as DDPM
from gdmcourse.recipes.ddpm import DDPMRecipe


@dataclass(frozen=True, kw_only=True)
class DiTRecipe(DDPMRecipe):
    """The training of `DDPMRecipe` on a transformer of patches (Peebles and Xie 2023).

    `width` is that of a token and `blocks` the number of blocks; the parent's `multipliers`, `attention` and
    `dropout` have no part in it.
    """

    patch: int = 2
    heads: int = 4

    def model(self, train: Dataset) -> nn.Module:  # type: ignore[override]
        """The transformer for the shape and the classes of `train`; raises ValueError for oblong images."""
        _, channels, height, width = train.images.shape
        if height != width:
            raise ValueError(f"this transformer takes square images, not {height}×{width}")
        sizes = {"patch": self.patch, "width": self.width, "blocks": self.blocks, "heads": self.heads}
        return DiT(channels, size=height, num_classes=len(train.classes), **sizes)


def _like(recipe: DDPMRecipe) -> DiTRecipe:
    """Five times the channels of the U-Net and three blocks: as many multiplications a pass."""
    fields: dict[str, Any] = {**asdict(recipe), "width": 5 * recipe.width, "blocks": 3}
    return DiTRecipe(**fields)


RECIPES = {"dit-digits": {preset: _like(recipe) for preset, recipe in DDPM["ddpm-digits"].items()}}
