"""Games on points in the plane whose modes are known: `gan-ring`, `gan-grid`."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from gdmcourse.data.toys import MIXTURES, toy, toy_mixture
from gdmcourse.gan.networks import PointCritic, PointGenerator
from gdmcourse.recipes.gan import GANRecipe
from gdmcourse.training.randomness import derive_seed

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, kw_only=True)
class PointGANRecipe(GANRecipe):
    """A generator and a critic of points, two hidden layers each."""

    toy: str
    points: int = 10_000  # in the training data
    width: int = 128
    # Points that the critic judges at once (PacGAN). R1 and R2 are means over points, each of its own part of
    # its pack's gradient, and so 1/pack of the same over packs.
    pack: int = 1
    kernels: int = 0  # of minibatch discrimination

    def check(self) -> None:
        """Raise ValueError for packs that don't fill a batch, and for a penalty that has no meaning."""
        super().check()
        self.require("width", self.width >= 1, "at least 1")
        self.require("pack", self.pack >= 1 and self.batch_size % self.pack == 0, "a divisor of batch_size")
        self.require("kernels", self.kernels >= 0, "at least 0")
        self.require(
            "batch_size",
            self.kernels == 0 or self.batch_size >= 2 * self.pack,
            "at least two packs with kernels",
        )
        self.require(
            "penalty",
            self.penalty != "unit-norm" or self.pack == 1,
            "another one with packs, whose gradient is one for all their points",
        )
        self.require(
            "penalty",
            self.penalty is None or self.kernels == 0,
            "null with kernels, whose critic has no gradient of one point alone",
        )

    def data(self, split: str) -> Tensor:
        """Points of the toy; each split has noise of its own."""
        return toy(self.toy, self.points, torch.Generator().manual_seed(derive_seed(0, self.toy, split)))

    def modules(self, train: Tensor) -> dict[str, nn.Module]:
        """Generator and critic, which see the data in units of their spread."""
        dim, scale = train.shape[1], train.std().item()
        return {
            "generator": PointGenerator(self.noise_dim, dim, self.width, scale),
            "critic": PointCritic(dim, self.width, self.pack, self.kernels, scale),
        }

    def first_losses(self) -> dict[str, tuple[float, float]]:
        """A critic that knows nothing says ½."""
        return {"critic": (2 * math.log(2), 0.3), "generator": (math.log(2), 0.3)}

    def figure(self, model: nn.Module, rng: torch.Generator) -> "Figure":
        """Samples over data."""
        from matplotlib.figure import Figure

        from gdmcourse.plots import INK, PALETTE

        figure = Figure(figsize=(4.5, 4.5), layout="constrained")
        axes = figure.subplots()
        for points, colour, label in (
            (self.data("test")[:1000], INK, "data"),
            (self.sample(model, 1000, rng).cpu(), PALETTE[1], "samples"),
        ):
            axes.scatter(points[:, 0], points[:, 1], s=4, color=colour, alpha=0.5, label=label)
        axes.set_aspect("equal")
        axes.legend()
        return figure

    def metrics(self, model: nn.Module, rng: torch.Generator) -> dict[str, float]:
        """Modes found among 2500 samples, as PacGAN counts, and the share within three deviations of one.

        Nothing for a toy that has no modes.
        """
        if self.toy not in MIXTURES:
            return {}
        from gdmcourse.metrics.mode_coverage import mode_coverage

        law = toy_mixture(self.toy)
        coverage = mode_coverage(
            self.sample(model, 2500, rng).cpu(), law.means, law.covariances[0, 0, 0].sqrt().item()
        )
        return {"modes": float(coverage.modes), "high_quality": coverage.high_quality}


RECIPES = {
    # Half a minute on one core.
    "gan-ring": PointGANRecipe(
        toy="8gaussians", steps=6000, batch_size=256, lr=1e-3, ema_decay=0.995, save_every=2000, threads=1
    ).presets(smoke={"width": 8, "points": 200}, steps=30_000, batch_size=2048, width=256, points=100_000),
    # Forty seconds on one core.
    "gan-grid": PointGANRecipe(
        toy="25gaussians",
        penalty="r1",
        penalty_weight=0.02,
        noise_dim=4,
        steps=3000,
        batch_size=256,
        lr=2e-3,
        warmup=50,
        betas=(0.0, 0.99),
        ema_decay=0.995,
        save_every=1000,
        threads=1,
    ).presets(smoke={"width": 8, "points": 200}, steps=30_000, batch_size=2048, width=256, points=100_000),
}
