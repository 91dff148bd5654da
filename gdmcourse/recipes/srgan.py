"""Enlarging by a game: `srgan-digits`, from 4×4 to 8×8, and `srgan-mnist`, from 14×14 to 28×28."""

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gdmcourse.data.dataset import Dataset
from gdmcourse.gan.dcgan import ImageCritic
from gdmcourse.gan.superresolution import Enlarger, perceptual_loss
from gdmcourse.metrics.features import FEATURE_RECIPES, feature_network
from gdmcourse.recipes.paired import PairedRecipe

DEEP = 7  # layers of the feature network up to its second ReLU: two convolutions, one halving


@dataclass(frozen=True, kw_only=True)
class SRGANRecipe(PairedRecipe):
    """Squared error of pixels and of features, and a critic of the large image alone (Ledig et al. 2017).

    The features are those of the first convolutions of the feature network of `features`, which can be given
    images of any size.
    """

    blocks: int = 2
    pixel_weight: float = 1.0
    perceptual_weight: float = 1.0
    features: str  # the data set whose feature network looks at the images

    def check(self) -> None:
        """Raise ValueError for weights that can't be, and for features that there are none of."""
        super().check()
        self.require("features", self.features in FEATURE_RECIPES, f"one of {', '.join(FEATURE_RECIPES)}")
        self.require("blocks", self.blocks >= 0, "at least 0")
        self.require("pixel_weight", 0 <= self.pixel_weight < math.inf, "at least 0")
        self.require("perceptual_weight", 0 <= self.perceptual_weight < math.inf, "at least 0")

    def below(self) -> list[Any]:
        """The feature network."""
        return [FEATURE_RECIPES[self.features]]

    def source(self, images: Tensor) -> Tensor:
        """Means over 2×2 pixels."""
        return F.avg_pool2d(images, 2)

    def shown(self, source: Tensor, image: Tensor) -> Tensor:
        """The large image alone."""
        return image

    def modules(self, train: Dataset) -> dict[str, nn.Module]:
        """Generator and critic for the shape of `train`."""
        channels, height, side = train.images.shape[1:]
        return {
            "generator": Enlarger(channels, self.width, self.blocks, self.noise_dim),
            "critic": ImageCritic((channels, height, side), self.width),
        }

    def unlikeness(self, made: Tensor, image: Tensor) -> Tensor:
        """Squared differences of pixels and of features, each with its weight."""
        loss = self.pixel_weight * F.mse_loss(made, image)
        if self.perceptual_weight == 0:
            return loss
        features = _features(self.features, made.device)
        return loss + self.perceptual_weight * perceptual_loss(features, made, image)

    def first_losses(self) -> dict[str, tuple[float, float]]:
        """A critic that knows nothing says ½; a generator that knows nothing is grey, and pixels are not."""
        word = self.adversarial_weight * math.log(2)
        weights = self.pixel_weight + self.perceptual_weight
        return {"critic": (2 * math.log(2), 0.4), "generator": (0.7 * weights + word, 0.6 * weights)}


@lru_cache(maxsize=4)
def _features(name: str, device: torch.device) -> nn.Module:
    """The convolutions of a feature network, before it forgets where in the image they are; fetched once."""
    return nn.Sequential(*list(feature_network(name).convolutions)[:DEEP]).to(device)


_LAPTOP = SRGANRecipe(
    dataset="digits",
    features="digits",
    steps=500,
    batch_size=64,
    lr=2e-3,
    warmup=50,
    ema_decay=0.99,
    width=32,
    adversarial_weight=0.02,
    threads=1,
)
_SMALL = {"width": 8, "blocks": 1}
_LARGE: dict[str, Any] = {"width": 64, "blocks": 8, "steps": 20_000, "batch_size": 256, "lr": 2e-4}

RECIPES = {
    # A quarter of a minute on one core.
    "srgan-digits": _LAPTOP.presets(smoke=_SMALL, **_LARGE),
    "srgan-mnist": replace(_LAPTOP, dataset="mnist", features="mnist", width=16).presets(
        smoke=_SMALL, **_LARGE
    ),
}
