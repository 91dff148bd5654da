"""What every recipe of a game shares: who moves when, on which loss, with which penalty."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

from gdmcourse.gan.objective import find_objective
from gdmcourse.gan.penalties import find_penalty
from gdmcourse.recipes.recipe import Recipe
from gdmcourse.training.player import Player, Turn
from gdmcourse.training.unwrapped import unwrapped


@dataclass(frozen=True, kw_only=True)
class GANRecipe(Recipe):
    """The critic moves, then the generator, on the two losses of `objective`.

    A recipe of points or of images adds `data` and `modules`, with a "generator" and a "critic"; one with
    labels or augmentation overrides what is `real`, what is `fake` and how a batch is `judged`.
    """

    result = "generator"

    objective: str = "non-saturating"
    penalty: str | None = None  # on the critic's gradient, one of PENALTIES
    penalty_weight: float = 1.0  # γ of R1 and R2, λ of WGAN-GP
    penalty_every: int = 1  # steps; a lazy penalty weighs as many times more
    noise_dim: int = 2
    critic_moves: int = 1
    rate_ratio: float = 1.0  # of the generator's rate to the critic's, which is `lr`
    betas: tuple[float, ...] = (0.5, 0.999)  # of Adam: how long it remembers the gradient, and its square

    def check(self) -> None:
        """Raise ValueError for an unknown game or penalty, and for numbers that can't be."""
        super().check()
        find_objective(self.objective)
        if self.penalty is not None:
            find_penalty(self.penalty)
        self.require("penalty_weight", self.penalty_weight >= 0, "at least 0")
        self.require("penalty_every", self.penalty_every >= 1, "at least 1")
        self.require("noise_dim", self.noise_dim >= 1, "at least 1")
        self.require("critic_moves", self.critic_moves >= 1, "at least 1")
        self.require("rate_ratio", 0 < self.rate_ratio < math.inf, "above 0")
        holds = len(self.betas) == 2 and all(0 <= beta < 1 for beta in self.betas)
        self.require("betas", holds, "two numbers in [0, 1)")

    def players(self, modules: dict[str, nn.Module], device: torch.device | str = "cpu") -> dict[str, Player]:
        """The critic, then the generator, whose average is what samples."""
        common: dict[str, Any] = {"betas": self.betas, "clip_norm": self.clip_norm}
        faster = replace(self, lr=self.lr * self.rate_ratio).rate()
        return {
            "critic": Player(loss=self.critic_loss, lr=self.rate(), moves=self.critic_moves, **common),
            "generator": Player(loss=self.generator_loss, lr=faster, ema_decay=self.ema_decay, **common),
        }

    def noise(self, n: int, rng: torch.Generator) -> Tensor:
        """What the generator starts from, (n, noise_dim)."""
        return torch.randn(n, self.noise_dim, generator=rng, device=rng.device)

    def real(self, batch: Any) -> Tensor:
        """The examples of a batch."""
        return batch

    def fake(self, networks: SimpleNamespace, batch: Any, rng: torch.Generator) -> Tensor:
        """As many generated examples."""
        return networks.generator(self.noise(len(self.real(batch)), rng))

    def judged(self, networks: SimpleNamespace, batch: Any) -> Callable[[Tensor], Tensor]:
        """The critic as a function of examples alone."""
        return networks.critic

    def critic_loss(self, networks: SimpleNamespace, batch: Any, turn: Turn) -> Tensor:
        """The critic's side of the game, and the penalty in its turn."""
        critic = self.judged(networks, batch)
        real, fake = self.real(batch), self.fake(networks, batch, turn.rng).detach()
        loss = find_objective(self.objective).critic(critic(real), critic(fake))
        return loss + self.penalty_term(networks, batch, fake, turn)

    def penalty_term(self, networks: SimpleNamespace, batch: Any, fake: Tensor, turn: Turn) -> Tensor | float:
        """The weighted penalty in its turn, else 0."""
        if self.penalty is None or turn.step % self.penalty_every:
            return 0.0
        critic = self.judged(unwrapped(networks), batch)
        penalty = find_penalty(self.penalty)(critic, self.real(batch), fake, turn.rng)
        return self.penalty_weight * self.penalty_every * penalty

    def generator_loss(self, networks: SimpleNamespace, batch: Any, turn: Turn) -> Tensor:
        """The generator's side of the game."""
        critic, objective = self.judged(networks, batch), find_objective(self.objective)
        fake = critic(self.fake(networks, batch, turn.rng))
        if not objective.pairs:
            return objective.generator(fake.detach(), fake)  # whatever the real ones are
        with torch.no_grad():  # its gradient has no way to the generator
            real = critic(self.real(batch))
        return objective.generator(real, fake)

    @torch.no_grad()
    def sample(self, model: nn.Module, n: int, rng: torch.Generator) -> Tensor:
        """`n` examples, on the device of `rng`."""
        return model(self.noise(n, rng))
