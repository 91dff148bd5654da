"""A StyleGAN2 in little: `style-digits`, and the same for MNIST and CIFAR-10."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

from gdmcourse.data.dataset import Dataset
from gdmcourse.gan.augment import Adaptive
from gdmcourse.gan.dcgan import ImageCritic
from gdmcourse.gan.objective import find_objective
from gdmcourse.gan.path_length import PathLength
from gdmcourse.gan.penalties import find_penalty
from gdmcourse.gan.style import StyleGenerator
from gdmcourse.recipes.gan_images import ImageGANRecipe
from gdmcourse.training.player import Player, Turn
from gdmcourse.training.unwrapped import unwrapped


@dataclass(frozen=True, kw_only=True)
class StyleRecipe(ImageGANRecipe):
    """R1 and the path-length penalty are lazy; the critic sees augmented images, as strongly as it needs."""

    objective: str = "non-saturating"
    penalty: str | None = "r1"
    speed: float = 3.0  # rate of the generator, whose weights are of size 1, in units of the critic's
    style_dim: int = 32
    mixing: float = 0.5  # share of images made of two latents
    path_weight: float = 0.002
    path_every: int = 4  # steps; the penalty weighs as many times more
    target: float | None = 0.6  # mean sign of the logits of real images; None: no augmentation
    climb: int = 1000  # steps in which the augmentation can go from 0 to 1
    images: int | None = None  # to train on; None: all

    def check(self) -> None:
        """Raise ValueError for sizes that can't be, and for what another recipe's critic has."""
        super().check()
        self.require("critic_norm", self.critic_norm == "none", "none: this critic is held by its penalty")
        self.require("rate_ratio", self.rate_ratio == 1, "1: here speed is the generator's rate")
        self.require("speed", 0 < self.speed < math.inf, "above 0")
        self.require("style_dim", self.style_dim >= 1, "at least 1")
        self.require("mixing", 0 <= self.mixing <= 1, "in [0, 1]")
        self.require("path_weight", self.path_weight >= 0, "at least 0")
        self.require("path_every", self.path_every >= 1, "at least 1")
        self.require("target", self.target is None or -1 < self.target < 1, "in (−1, 1), or null")
        self.require("climb", self.climb >= 1, "at least 1")
        self.require("images", self.images is None or self.images >= 1, "at least 1, or null")

    def tensors(self, train: Dataset) -> tuple[Tensor, Tensor]:
        """Images and labels, the first `images` of them."""
        return train.images[: self.images], train.labels[: self.images]

    def modules(self, train: Dataset) -> dict[str, nn.Module]:
        """Generator and critic for the shape of `train`, and the two states that training moves."""
        channels, height, side = train.images.shape[1:]
        shape = channels, height, side
        return {
            "generator": StyleGenerator(shape, self.noise_dim, self.style_dim, self.width),
            "critic": ImageCritic(shape, self.width),
            "path": PathLength(),
            "augment": Adaptive(0.0 if self.target is None else self.target, 1 / self.climb),
        }

    def players(self, modules: dict[str, nn.Module], device: torch.device | str = "cpu") -> dict[str, Player]:
        """The critic, then the generator at a rate of its own."""
        found = super().players(modules, device)
        rate = replace(self, lr=self.lr * self.speed).rate()
        return found | {"generator": replace(found["generator"], lr=rate)}

    def styles(self, networks: SimpleNamespace, n: int, rng: torch.Generator) -> tuple[Any, ...]:
        """What the generator is given: latents, noise, and for a share of the images other latents."""
        synthesis = unwrapped(networks).generator.synthesis
        device = rng.device
        crossover = torch.randint(1, synthesis.layers, (n,), generator=rng, device=device)
        whole = torch.rand(n, generator=rng, device=device) >= self.mixing
        crossover = torch.where(whole, synthesis.layers, crossover)
        return self.noise(n, rng), synthesis.noise_maps(n, rng), self.noise(n, rng), crossover

    def fake(self, networks: SimpleNamespace, batch: Any, rng: torch.Generator) -> Tensor:
        """As many generated images as the batch has."""
        return networks.generator(*self.styles(networks, len(self.real(batch)), rng))

    def seen(self, networks: SimpleNamespace, rng: torch.Generator) -> Callable[[Tensor], Tensor]:
        """The critic of augmented images."""
        if self.target is None:
            return networks.critic
        return lambda images: networks.critic(networks.augment(images, rng))

    def critic_loss(self, networks: SimpleNamespace, batch: Any, turn: Turn) -> Tensor:
        """The critic's side of the game, and R1 in its turn; the logits of real images move the strength."""
        critic = self.seen(networks, turn.rng)
        images, fake = self.real(batch), self.fake(networks, batch, turn.rng).detach()
        real = critic(images)
        loss = find_objective(self.objective).critic(real, critic(fake))
        if self.penalty is not None and turn.step % self.penalty_every == 0:
            bare = self.seen(unwrapped(networks), turn.rng)
            penalty = find_penalty(self.penalty)(bare, images, fake, turn.rng)
            loss = loss + self.penalty_weight * self.penalty_every * penalty
        if self.target is not None:
            networks.augment.observe(real)
        return loss

    def generator_loss(self, networks: SimpleNamespace, batch: Any, turn: Turn) -> Tensor:
        """The generator's side of the game, and the penalty on the length of paths in its turn."""
        critic = self.seen(networks, turn.rng)
        fake = critic(self.fake(networks, batch, turn.rng))
        with torch.no_grad():  # for a relativistic game
            real = critic(self.real(batch))
        loss = find_objective(self.objective).generator(real, fake)
        if self.path_weight > 0 and turn.step % self.path_every == 0:
            generator = unwrapped(networks).generator
            half = max(1, len(self.real(batch)) // 2)
            z, noise, *others = self.styles(networks, half, turn.rng)
            w = generator.styles(z, *others)
            penalty = networks.path(generator.synthesis(w, noise), w, turn.rng)
            loss = loss + self.path_weight * self.path_every * penalty
        return loss

    @torch.no_grad()
    def sample(self, model: nn.Module, n: int, rng: torch.Generator, psi: float = 1.0) -> Tensor:
        """`n` images in [−1, 1], truncated by ψ, on the device of `rng`."""
        assert isinstance(model, StyleGenerator)
        z = self.noise(n, rng)
        return model(z, model.synthesis.noise_maps(n, rng), psi=psi).clamp(-1, 1)


# About fifty seconds on one core.
_digits = StyleRecipe(
    dataset="digits",
    steps=1500,
    batch_size=64,
    lr=2e-3,
    warmup=50,
    ema_decay=0.995,
    betas=(0.0, 0.99),
    penalty_weight=0.5,
    penalty_every=2,
    threads=1,
)
_smoke: dict[str, Any] = {"width": 4, "style_dim": 8, "scored": 100}
_large: dict[str, Any] = {
    "width": 64,
    "noise_dim": 128,
    "style_dim": 128,
    "steps": 20_000,
    "batch_size": 256,
    "lr": 1e-3,
    "penalty_every": 16,
}
# Half an hour and longer on one core.
_mnist = replace(_digits, dataset="mnist", steps=4000, lr=1e-3, width=12)
_cifar10 = replace(_digits, dataset="cifar10", steps=10_000, lr=1e-3, width=12, noise_dim=64, style_dim=64)
RECIPES = {
    "style-digits": _digits.presets(smoke=_smoke, **_large),
    "style-mnist": _mnist.presets(smoke=_smoke, **_large),
    "style-cifar10": _cifar10.presets(smoke=_smoke, **_large | {"steps": 100_000}),
}
