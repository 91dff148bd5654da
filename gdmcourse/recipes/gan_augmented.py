"""A DCGAN whose critic sees augmented images: `augmented-gan-digits`."""

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

from gdmcourse.data.dataset import Dataset
from gdmcourse.gan.augment import Adaptive
from gdmcourse.gan.objective import find_objective
from gdmcourse.recipes.gan_images import DIGITS, GPU, SMOKE, ImageGANRecipe
from gdmcourse.training.player import Turn


@dataclass(frozen=True, kw_only=True)
class AugmentedGANRecipe(ImageGANRecipe):
    """What the critic sees, real or generated, is augmented, as strongly as it needs."""

    target: float = 0.6  # mean sign of the logits of real images at which the strength rests
    climb: int = 1000  # moves of the critic in which the strength can go from 0 to 1

    def check(self) -> None:
        """Raise ValueError for an augmentation that can't be, and for a penalty beside it."""
        super().check()
        self.require("penalty", self.penalty is None, "null: what it would mean behind augmentation is open")
        self.require("target", -1 < self.target < 1, "in (−1, 1)")
        self.require("climb", self.climb >= 1, "at least 1")

    def modules(self, train: Dataset) -> dict[str, nn.Module]:
        """Generator, critic, and the strength of the augmentation between them."""
        return super().modules(train) | {"augment": Adaptive(self.target, 1 / self.climb)}

    def seen(self, networks: SimpleNamespace, rng: torch.Generator) -> Callable[[Tensor], Tensor]:
        """The critic of augmented images."""
        return lambda images: networks.critic(networks.augment(images, rng))

    def critic_loss(self, networks: SimpleNamespace, batch: Any, turn: Turn) -> Tensor:
        """The critic's side of the game; its logits of real images move the strength."""
        critic, fake = self.seen(networks, turn.rng), self.fake(networks, batch, turn.rng).detach()
        real = critic(self.real(batch))
        networks.augment.observe(real)
        return find_objective(self.objective).critic(real, critic(fake))

    def generator_loss(self, networks: SimpleNamespace, batch: Any, turn: Turn) -> Tensor:
        """The generator's side of the game, whose gradient goes through the augmentation."""
        critic, objective = self.seen(networks, turn.rng), find_objective(self.objective)
        fake = critic(self.fake(networks, batch, turn.rng))
        real = critic(self.real(batch)) if objective.pairs else fake
        return objective.generator(real.detach(), fake)


RECIPES = {
    # Half a minute on one core, like the same game without augmentation.
    "augmented-gan-digits": AugmentedGANRecipe(**vars(DIGITS)).presets(
        smoke=SMOKE, **GPU, steps=20_000, lr=2e-4, climb=5000
    )
}
