"""A plain GAN on points in the plane whose modes are known: `gan-ring`."""

import math
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from gdmcourse.data.toys import toy, toy_mixture
from gdmcourse.gan.losses import discriminator_loss, non_saturating_loss
from gdmcourse.gan.networks import PointCritic, PointGenerator
from gdmcourse.recipes.recipe import Recipe
from gdmcourse.training.player import Player, Turn
from gdmcourse.training.randomness import derive_seed

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, kw_only=True)
class PointGANRecipe(Recipe):
    """The minimax game with the non-saturating loss (Goodfellow et al. 2014): the critic moves, then G."""

    result = "generator"

    toy: str
    points: int = 10_000  # in the training data, and among the samples that `metrics` draws
    noise_dim: int = 2
    width: int = 128
    critic_moves: int = 1

    def data(self, split: str) -> Tensor:
        """Points of the toy; each split has noise of its own."""
        return toy(self.toy, self.points, torch.Generator().manual_seed(derive_seed(0, self.toy, split)))

    def modules(self, train: Tensor) -> dict[str, nn.Module]:
        """Generator and critic."""
        dim = train.shape[1]
        return {
            "generator": PointGenerator(self.noise_dim, dim, self.width),
            "critic": PointCritic(dim, self.width),
        }

    def players(self, modules: dict[str, nn.Module], device: torch.device | str = "cpu") -> dict[str, Player]:
        """The critic, then the generator, whose average is what samples."""
        common: dict[str, Any] = {"lr": self.rate(), "betas": (0.5, 0.999), "clip_norm": self.clip_norm}
        return {
            "critic": Player(loss=self.critic_loss, moves=self.critic_moves, **common),
            "generator": Player(loss=self.generator_loss, ema_decay=self.ema_decay, **common),
        }

    def noise(self, n: int, rng: torch.Generator) -> Tensor:
        """What the generator starts from."""
        return torch.randn(n, self.noise_dim, generator=rng, device=rng.device)

    def critic_loss(self, networks: SimpleNamespace, batch: Tensor, turn: Turn) -> Tensor:
        """Cross-entropy of real against generated."""
        fake = networks.generator(self.noise(len(batch), turn.rng)).detach()
        return discriminator_loss(networks.critic(batch), networks.critic(fake))

    def generator_loss(self, networks: SimpleNamespace, batch: Tensor, turn: Turn) -> Tensor:
        """−E log D(G(z))."""
        return non_saturating_loss(networks.critic(networks.generator(self.noise(len(batch), turn.rng))))

    def first_losses(self) -> dict[str, tuple[float, float]]:
        """A critic that knows nothing says ½."""
        return {"critic": (2 * math.log(2), 0.3), "generator": (math.log(2), 0.3)}

    @torch.no_grad()
    def sample(self, model: nn.Module, n: int, rng: torch.Generator) -> Tensor:
        """`n` points."""
        return model(self.noise(n, rng))

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
        """Modes found and the share of samples within three standard deviations of one."""
        from gdmcourse.metrics.mode_coverage import mode_coverage

        law = toy_mixture(self.toy)
        coverage = mode_coverage(
            self.sample(model, self.points, rng).cpu(), law.means, law.covariances[0, 0, 0].sqrt().item()
        )
        return {"modes": float(coverage.modes), "high_quality": coverage.high_quality}


RECIPES = {
    # Half a minute on one core.
    "gan-ring": PointGANRecipe(
        toy="8gaussians", steps=6000, batch_size=256, lr=1e-3, ema_decay=0.995, save_every=2000, threads=1
    ).presets(smoke={"width": 8, "points": 200}, steps=30_000, batch_size=2048, width=256, points=100_000),
}
