"""Games whose critic has a second head, for the label: `acgan-digits` and `acgan-64`."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace

import torch
from torch import Tensor, nn

from gdmcourse.gan.auxiliary import TwoHeadedCritic, label_loss
from gdmcourse.gan.objective import find_objective
from gdmcourse.recipes.gan_conditional import DIGITS, LARGE, SMOKE, ConditionalGANRecipe
from gdmcourse.training.player import Turn


@dataclass(frozen=True, kw_only=True)
class ACGANRecipe(ConditionalGANRecipe):
    """Both players make −log C(y|x) small beside the game that the first head plays (`def-acgan`)."""

    label_weight: float = 1.0  # λ

    def check(self) -> None:
        """Raise ValueError for a weight below 0."""
        super().check()
        self.require("label_weight", self.label_weight >= 0, "at least 0")

    def critic_network(self, shape: tuple[int, int, int], classes: int) -> nn.Module:
        """One head for real or generated, and one for the label."""
        return TwoHeadedCritic(shape, classes, self.width, self.critic_norm)

    def judged(self, networks: SimpleNamespace, batch: tuple[Tensor, ...]) -> Callable[[Tensor], Tensor]:
        """The first head."""
        return lambda images: networks.critic(images)[0]

    def critic_loss(self, networks: SimpleNamespace, batch: tuple[Tensor, Tensor], turn: Turn) -> Tensor:
        """The critic's side of the game, the labels of real and of generated images, and the penalty."""
        real, fake = self.real(batch), self.fake(networks, batch, turn.rng).detach()
        (real_logits, real_labels), (fake_logits, fake_labels) = networks.critic(real), networks.critic(fake)
        labels = label_loss(real_labels, batch[1]) + label_loss(fake_labels, batch[1])
        game = find_objective(self.objective).critic(real_logits, fake_logits)
        return game + self.label_weight * labels + self.penalty_term(networks, batch, fake, turn)

    def generator_loss(self, networks: SimpleNamespace, batch: tuple[Tensor, Tensor], turn: Turn) -> Tensor:
        """The generator's side of the game, and the labels that it was asked for."""
        fake, labels = networks.critic(self.fake(networks, batch, turn.rng))
        with torch.no_grad():  # its gradient has no way to the generator
            real = networks.critic(self.real(batch))[0]
        game = find_objective(self.objective).generator(real, fake)
        return game + self.label_weight * label_loss(labels, batch[1])

    def first_losses(self) -> dict[str, tuple[float, float]]:
        """A critic that knows nothing says ½, and one in ten for each label."""
        chance = self.label_weight * math.log(self.classes())
        return {
            "critic": (2 * math.log(2) + 2 * chance, 0.6),
            "generator": (math.log(2) + chance, 0.6),
        }


RECIPES = {
    # Half a minute on one core. With join="concat" the label drowns the noise.
    "acgan-digits": ACGANRecipe(**DIGITS | {"steps": 1000}, join="product").presets(smoke=SMOKE, **LARGE),
    # The AC-GAN of source 002: 64×64, colour, noise times label, batch norm, no penalty. It trained on
    # CIFAR-10, whose images are 32×32, so each is enlarged. `gpu` has its 100 epochs.
    "acgan-64": ACGANRecipe(
        dataset="cifar10",
        zoom=2,
        join="product",
        noise_dim=100,
        width=8,
        critic_norm="batch",
        steps=500,
        batch_size=64,
        lr=2e-4,
        threads=1,
    ).presets(smoke=SMOKE, width=64, steps=100 * 50_000 // 64),
}
