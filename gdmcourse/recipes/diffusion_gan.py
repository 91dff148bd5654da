"""Diffusion-GANs: games of points, of a DCGAN and of a style-based generator, noise before the critic."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from types import SimpleNamespace
from typing import Any

from torch import Tensor, nn

from gdmcourse.data.dataset import Dataset
from gdmcourse.gan.objective import find_objective
from gdmcourse.gan.penalties import check_one_by_one, find_penalty
from gdmcourse.hybrid.diffusion import Diffusion
from gdmcourse.hybrid.diffusion_gan import WEIGHTS
from gdmcourse.hybrid.timed_critics import TimedImageCritic, TimedPointCritic
from gdmcourse.recipes.gan import GANRecipe
from gdmcourse.recipes.gan_images import DIGITS, GPU, SMOKE, ImageGANRecipe
from gdmcourse.recipes.gan_points import RECIPES as POINTS
from gdmcourse.recipes.gan_points import PointGANRecipe
from gdmcourse.recipes.style import RECIPES as STYLES
from gdmcourse.recipes.style import StyleRecipe
from gdmcourse.training.player import Turn
from gdmcourse.training.unwrapped import unwrapped


@dataclass(frozen=True, kw_only=True)
class DiffusedRecipe(GANRecipe):
    """What the critic sees, real or generated, is behind noise of a random time, which it is given."""

    sigma: float = 0.05  # of the noise at full strength
    weights: str = "priority"  # π_t: equal ("uniform"), or growing with t
    shortest: int = 8  # T begins here
    longest: int = 500  # and goes up to here
    sureness: float = 0.6  # mean sign of the logits of real examples at which T rests
    rise: int = 1000  # moves of the critic in which T can go all the way

    def check(self) -> None:
        """Raise ValueError for noise that can't be."""
        super().check()
        self.require("sigma", self.sigma > 0, "above 0")
        self.require("weights", self.weights in WEIGHTS, " or ".join(WEIGHTS))
        self.require("shortest", self.shortest >= 1, "at least 1")
        self.require("longest", self.longest >= self.shortest, f"at least shortest, {self.shortest}")
        self.require("sureness", -1 < self.sureness < 1, "in (−1, 1)")
        self.require("rise", self.rise >= 1, "at least 1")

    def diffusion(self) -> Diffusion:
        """The noise, at its shortest T."""
        span = max(1, self.longest - self.shortest)
        every = max(4, round(self.rise / span))  # T moves by whole steps, so a slow one moves more rarely
        return Diffusion(
            sigma=self.sigma,
            kind=self.weights,
            low=self.shortest,
            high=self.longest,
            step=max(1, round(span * every / self.rise)),
            every=every,
            target=self.sureness,
        )

    def seen(self, networks: SimpleNamespace, rng: Any) -> Callable[[Tensor], Tensor]:
        """The critic as a function of examples alone: it sees them behind noise."""
        return lambda examples: networks.critic(*networks.diffusion(examples, rng))

    def critic_loss(self, networks: SimpleNamespace, batch: Any, turn: Turn) -> Tensor:
        """The critic's side of the game, and the penalty in its turn; the real logits may move T."""
        critic = self.seen(networks, turn.rng)
        examples, fake = self.real(batch), self.fake(networks, batch, turn.rng).detach()
        real = critic(examples)
        loss = find_objective(self.objective).critic(real, critic(fake))
        if self.penalty is not None and turn.step % self.penalty_every == 0:
            bare = unwrapped(networks)
            check_one_by_one(bare.critic)  # which can't be seen in the function that the penalty is given
            penalty = find_penalty(self.penalty)(self.seen(bare, turn.rng), examples, fake, turn.rng)
            loss = loss + self.penalty_weight * self.penalty_every * penalty
        networks.diffusion.observe(real)
        return loss

    def generator_loss(self, networks: SimpleNamespace, batch: Any, turn: Turn) -> Tensor:
        """The generator's side of the game, whose gradient goes through the noise."""
        critic, objective = self.seen(networks, turn.rng), find_objective(self.objective)
        fake = critic(self.fake(networks, batch, turn.rng))
        real = critic(self.real(batch)) if objective.pairs else fake
        return objective.generator(real.detach(), fake)


@dataclass(frozen=True, kw_only=True)
class DiffusedPointRecipe(DiffusedRecipe, PointGANRecipe):
    """A game of points."""

    def check(self) -> None:
        """Raise ValueError for what a critic that is given the time can't do."""
        super().check()
        self.require("pack", self.pack == 1, "1, since each point has a time of its own")
        self.require("kernels", self.kernels == 0, "0, since each point has a time of its own")

    def modules(self, train: Tensor) -> dict[str, nn.Module]:
        """Generator, critic, and the noise between them."""
        dim, scale = train.shape[1], train.std().item()
        plain = super().modules(train)
        critic = TimedPointCritic(dim, self.width, scale)
        return {"generator": plain["generator"], "critic": critic, "diffusion": self.diffusion()}


@dataclass(frozen=True, kw_only=True)
class DiffusedImageRecipe(DiffusedRecipe, ImageGANRecipe):
    """A DCGAN."""

    def modules(self, train: Dataset) -> dict[str, nn.Module]:
        """Generator, critic, and the noise between them."""
        channels, height, side = train.images.shape[1:]
        critic = TimedImageCritic((channels, height, side), self.width, self.critic_norm)
        plain = super().modules(train)
        return {"generator": plain["generator"], "critic": critic, "diffusion": self.diffusion()}


@dataclass(frozen=True, kw_only=True)
class DiffusedStyleRecipe(DiffusedRecipe, StyleRecipe):
    """A style-based generator; the noise stands in the place of its augmentation."""

    def check(self) -> None:
        """Raise ValueError for an augmentation beside the noise."""
        super().check()
        self.require("target", self.target is None, "null, since the noise stands in its place")

    def modules(self, train: Dataset) -> dict[str, nn.Module]:
        """Generator, critic, the noise, and the length of paths."""
        channels, height, side = train.images.shape[1:]
        plain = super().modules(train)
        critic = TimedImageCritic((channels, height, side), self.width)
        return {
            "generator": plain["generator"],
            "critic": critic,
            "path": plain["path"],
            "diffusion": self.diffusion(),
        }

    def generator_loss(self, networks: SimpleNamespace, batch: Any, turn: Turn) -> Tensor:
        """The game and the penalty on the length of paths are those of the style-based recipe."""
        return StyleRecipe.generator_loss(self, networks, batch, turn)


def diffused(base: GANRecipe, kind: type[DiffusedRecipe], **changes: Any) -> DiffusedRecipe:
    """The same game, with noise: all settings of `base`, and those of the noise."""
    return kind(**{field.name: getattr(base, field.name) for field in fields(base)} | changes)


_grid = diffused(POINTS["gan-grid"]["laptop"], DiffusedPointRecipe, penalty=None, sigma=0.25)
_digits = diffused(DIGITS, DiffusedImageRecipe)
_mnist = diffused(DIGITS, DiffusedImageRecipe, dataset="mnist", width=8, save_every=200)
_style = diffused(STYLES["style-digits"]["laptop"], DiffusedStyleRecipe, target=None)
_large: dict[str, Any] = {
    "width": 64,
    "noise_dim": 128,
    "style_dim": 128,
    "steps": 20_000,
    "batch_size": 256,
    "lr": 1e-3,
    "penalty_every": 16,
    "rise": 5000,
}

RECIPES = {
    # Half a minute on one core, like the same game without noise.
    "diffusion-gan-grid": _grid.presets(
        smoke={"width": 8, "points": 200},
        steps=30_000,
        batch_size=2048,
        width=256,
        points=100_000,
        rise=5000,
    ),
    # Half a minute on one core.
    "diffusion-gan-digits": _digits.presets(smoke=SMOKE, **GPU, steps=20_000, lr=2e-4, rise=5000),
    "diffusion-gan-mnist": _mnist.presets(
        smoke={"width": 2, "scored": 100}, **GPU, steps=50_000, lr=2e-4, rise=5000
    ),
    # A minute on one core.
    "diffusion-style-digits": _style.presets(smoke={"width": 4, "style_dim": 8, "scored": 100}, **_large),
}
