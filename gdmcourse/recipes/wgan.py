"""Wasserstein games, their critics held by a penalty or by clipping: `wgan-gp-digits`, `wgan-digits`."""

from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import nn

from gdmcourse.gan.clipping import clip_weights
from gdmcourse.recipes.gan import GANRecipe
from gdmcourse.recipes.gan_images import ImageGANRecipe
from gdmcourse.recipes.gan_points import PointGANRecipe
from gdmcourse.training.player import Player


@dataclass(frozen=True, kw_only=True)
class WassersteinRecipe(GANRecipe):
    """A critic that is ahead of the generator: several moves to one, with little momentum."""

    objective: str = "wasserstein"
    critic_moves: int = 5
    betas: tuple[float, ...] = (0.0, 0.9)
    weight_bound: float | None = None  # c, to which the critic's weights are clipped after each move

    def check(self) -> None:
        """Raise ValueError for a bound that can't be, and for a Wasserstein critic that nothing holds."""
        super().check()
        held = self.penalty is not None or self.weight_bound is not None
        self.require("penalty", self.objective != "wasserstein" or held, "set where weight_bound is null")
        self.require("weight_bound", self.weight_bound is None or self.weight_bound > 0, "above 0, or null")

    def players(self, modules: dict[str, nn.Module], device: torch.device | str = "cpu") -> dict[str, Player]:
        """The critic, clipped where there is a bound, then the generator."""
        players = super().players(modules, device)
        if self.weight_bound is not None:
            clip = partial(clip_weights, bound=self.weight_bound)
            players["critic"] = replace(players["critic"], after_move=clip)
        return players

    def first_losses(self) -> dict[str, tuple[float, float]]:
        """A critic that knows nothing is nearly flat: most of the penalty is due. It moves before G does."""
        due = self.penalty_weight if self.penalty == "unit-norm" else 0.0
        return {"critic": (due, 0.2 + 0.7 * due), "generator": (0.0, 1.5)}


@dataclass(frozen=True, kw_only=True)
class WassersteinPointRecipe(WassersteinRecipe, PointGANRecipe):
    """Points in the plane."""


@dataclass(frozen=True, kw_only=True)
class WassersteinImageRecipe(WassersteinRecipe, ImageGANRecipe):
    """Images, between convolutional networks; the critic has no batch norm."""

    noise_dim: int = 32  # said again, as the first of two parents has that of points


DIGITS = WassersteinImageRecipe(
    dataset="digits",
    penalty="unit-norm",
    penalty_weight=10.0,
    steps=800,
    batch_size=64,
    lr=2e-3,
    warmup=50,
    critic_moves=2,
    betas=(0.0, 0.99),
    ema_decay=0.995,
    threads=1,
)
CLIPPED = replace(DIGITS, penalty=None, penalty_weight=1.0, weight_bound=0.02)
SMOKE = {"width": 4, "scored": 100}
RECIPES = {
    "wgan-gp-ring": WassersteinPointRecipe(
        toy="8gaussians",
        penalty="unit-norm",
        steps=1000,
        batch_size=128,
        lr=1e-3,
        warmup=50,
        critic_moves=3,
        width=64,
        ema_decay=0.99,
        threads=1,
    ).presets(smoke={"width": 8, "points": 200}, steps=30_000, batch_size=2048, width=256, points=100_000),
    "wgan-gp-digits": DIGITS.presets(
        smoke=SMOKE, width=64, noise_dim=64, steps=50_000, batch_size=256, lr=2e-4
    ),
    "wgan-digits": CLIPPED.presets(
        smoke=SMOKE, width=64, noise_dim=64, steps=50_000, batch_size=256, lr=2e-4
    ),
    "wgan-gp-mnist": replace(DIGITS, dataset="mnist", steps=3000).presets(
        smoke=SMOKE, width=64, noise_dim=128, steps=100_000, batch_size=256, lr=2e-4
    ),
}
