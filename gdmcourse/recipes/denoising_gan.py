"""A diffusion model of few and large steps, each drawn by a generator: `denoising-gan-digits`."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

from gdmcourse.data.dataset import Dataset
from gdmcourse.diffusion.samplers import spaced_times
from gdmcourse.gan.objective import find_objective
from gdmcourse.gan.penalties import zero_norm_penalty
from gdmcourse.hybrid.denoising_gan import (
    DenoisingGenerator,
    StepCritic,
    backward_step,
    draw_in_steps,
    forward_pair,
)
from gdmcourse.nn.unet import UNet
from gdmcourse.recipes.student import GPU, SMOKE, StudentRecipe
from gdmcourse.training.player import Turn
from gdmcourse.training.unwrapped import unwrapped


@dataclass(frozen=True, kw_only=True)
class DenoisingGANRecipe(StudentRecipe):
    """A game of pairs (x_s, x_t) at each of `sample_steps` steps (Xiao et al. 2022).

    The generator starts with the weights of a diffusion model, which shortens the training and is all that
    the teacher does here. `noise_dim` is the size of z. R1 is on x_s alone.
    """

    sample_steps: int = 4

    def check(self) -> None:
        """Raise ValueError for what its loss doesn't know."""
        super().check()
        self.require("sample_steps", self.sample_steps >= 1, "at least 1")
        self.require("push", self.push == 1, "1, as there is no other lesson")
        self.require("penalty", self.penalty in (None, "r1"), "r1 or null")

    def modules(self, train: Dataset) -> dict[str, nn.Module]:
        """A generator that starts as the teacher, and a critic of pairs."""
        channels, height, side = train.images.shape[1:]
        network = self.network(train)
        assert isinstance(network, UNet)
        steps, shape = self.sample_steps, (channels, height, side)
        return {
            "generator": DenoisingGenerator(network, self.schedule(), self.noise_dim),
            "critic": StepCritic(shape, steps, len(train.classes), self.width, self.critic_norm),
        }

    def pair(self, images: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Steps, s, t and (x_s, x_t) of the forward process, at a random step for each image."""
        schedule = self.schedule(images.device)
        times = torch.tensor(spaced_times(schedule.T, self.sample_steps), device=images.device)
        step = torch.randint(self.sample_steps, (len(images),), generator=rng, device=rng.device)
        s, t = times[step + 1], times[step]
        return step, s, t, *forward_pair(schedule, images, s, t, rng)

    def generated(self, networks: SimpleNamespace, pair: Any, y: Tensor, rng: torch.Generator) -> Tensor:
        """x_s that the generator makes of the x_t of a pair."""
        _, s, t, _, x_t = pair
        z = torch.randn(len(x_t), self.noise_dim, generator=rng, device=rng.device)
        x0 = networks.generator(x_t, t, z, y)
        return backward_step(self.schedule(x_t.device), x0, x_t, t, s, rng)

    def critic_loss(self, networks: SimpleNamespace, batch: Any, turn: Turn) -> Tensor:
        """Pairs of the forward process against pairs whose x_s was generated, and R1 in its turn."""
        pair = self.pair(batch[0], turn.rng)
        with torch.no_grad():
            fake = self.generated(networks, pair, batch[1], turn.rng)
        critic = self.of_pair(networks, pair, batch[1])
        loss = find_objective(self.objective).critic(critic(pair[3]), critic(fake))
        if self.penalty is None or turn.step % self.penalty_every:
            return loss
        bare = self.of_pair(unwrapped(networks), pair, batch[1])
        return loss + self.penalty_weight * self.penalty_every * zero_norm_penalty(bare, pair[3])

    def generator_loss(self, networks: SimpleNamespace, batch: Any, turn: Turn) -> Tensor:
        """The generator's side, for x_t of the data."""
        pair = self.pair(batch[0], turn.rng)
        fake = self.generated(networks, pair, batch[1], turn.rng)
        return self.opinion(self.of_pair(networks, pair, batch[1])(fake))

    def of_pair(self, networks: SimpleNamespace, pair: Any, y: Tensor) -> Callable[[Tensor], Tensor]:
        """The critic as a function of x_s alone."""
        return lambda x_s: networks.critic(x_s, pair[4], pair[0], y)

    def first_losses(self) -> dict[str, tuple[float, float]]:
        """A critic that knows nothing says ½."""
        return {"critic": (2 * math.log(2), 0.4), "generator": (math.log(2), 0.4)}

    @torch.no_grad()
    def draw(self, model: nn.Module, labels: Tensor, rng: torch.Generator) -> Tensor:
        """An image in [−1, 1] for each label, in `sample_steps` evaluations."""
        assert isinstance(model, DenoisingGenerator)
        times = spaced_times(model.schedule.T, self.sample_steps)
        return draw_in_steps(model, self.noise(len(labels), rng), times, rng, y=labels).clamp(-1, 1)


RECIPES = {
    # Twenty seconds on one core. The critic starts from nothing, so it moves more often and faster.
    "denoising-gan-digits": DenoisingGANRecipe(
        dataset="digits",
        teacher="ddpm-digits",
        push=1.0,
        penalty="r1",
        penalty_weight=0.02,
        penalty_every=8,
        width=32,
        critic_moves=4,
        steps=250,
        batch_size=64,
        lr=1e-3,  # of the critic
        rate_ratio=0.3,
        betas=(0.0, 0.99),
        warmup=20,
        ema_decay=0.98,
        threads=1,
    ).presets(smoke=SMOKE, **GPU),
}
