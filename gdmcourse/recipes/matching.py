"""Distribution matching in one step: `matching-digits`, and with a critic `matching-gan-digits`."""

from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

from gdmcourse.data.dataset import Dataset
from gdmcourse.diffusion.denoiser import as_denoiser
from gdmcourse.diffusion.objective import draw_times, simple_loss
from gdmcourse.hybrid.matching import loss_with_gradient, normalised_gap, two_guesses
from gdmcourse.recipes import find_recipe
from gdmcourse.recipes.recipe import Recipe
from gdmcourse.recipes.student import GPU, SMOKE, DistilledRecipe, StudentRecipe
from gdmcourse.training.player import Player, Turn


@dataclass(frozen=True, kw_only=True)
class MatchingRecipe(StudentRecipe):
    """The student moves against the gap of two scores: its own less the teacher's, from two denoisers.

    The denoiser of its own images, `fake`, starts as the teacher and is trained on what the student draws,
    `fake_moves` times a step; with a critic this is DMD2, without one DMD (Yin et al. 2024), here without its
    regression. The student starts where `start` ended.
    """

    start: str
    start_preset: str = "laptop"
    fake_moves: int = 1
    fake_ratio: float = 1.0  # of the rate of `fake` to that of the student, `lr` times `rate_ratio`
    times: tuple[float, ...] = (0.02, 0.98)  # of T, between which noise is drawn

    def check(self) -> None:
        """Raise ValueError for numbers that can't be."""
        super().check()
        self.require("fake_moves", self.fake_moves >= 1, "at least 1")
        self.require("fake_ratio", self.fake_ratio > 0, "above 0")
        holds = len(self.times) == 2 and 0 < self.times[0] < self.times[1] <= 1
        self.require("times", holds, "two shares of T, the first below the second, in (0, 1]")
        low, high = self.span()
        self.require("times", low < high, f"two shares of T = {self.schedule().T} with a time between them")
        start = find_recipe(self.start, self.start_preset)
        learnt = isinstance(start, DistilledRecipe) and start.teaching() == self.teaching()
        self.require("start", learnt, f"distilled from {self.teacher}, preset {self.teacher_preset}")

    def span(self) -> tuple[int, int]:
        """The times between which noise is drawn, the first excluded."""
        low, high = (round(share * self.schedule().T) for share in self.times)
        return low, high

    def below(self) -> list[Recipe]:
        """The teacher, and the student that this one starts as."""
        return [*super().below(), find_recipe(self.start, self.start_preset)]

    def modules(self, train: Dataset) -> dict[str, nn.Module]:
        """The denoiser of the student's images stands beside the student."""
        return super().modules(train) | {"fake": self.network(train)}

    def build(self, train: Any) -> dict[str, nn.Module]:
        """`fake` begins with the teacher's weights, the student with those of its start."""
        from gdmcourse.recipes.trained import trained

        modules = super().build(train)
        modules["fake"].load_state_dict(trained(self.teacher, self.teacher_preset).model.state_dict())
        modules["generator"].load_state_dict(trained(self.start, self.start_preset).model.state_dict())
        return modules

    def players(self, modules: dict[str, nn.Module], device: torch.device | str = "cpu") -> dict[str, Player]:
        """`fake` moves first, then the critic if there is one, then the student."""
        schedule, teacher = self.schedule(device), self.denoiser(device)

        def watch(networks: SimpleNamespace, batch: Any, turn: Turn) -> Tensor:
            with torch.no_grad():
                images = networks.generator(self.noise(len(batch[1]), turn.rng), batch[1])
            t = draw_times(len(images), schedule.T, turn.rng)
            noise = torch.randn(images.shape, generator=turn.rng, device=images.device)
            return simple_loss(networks.fake, schedule, images, t, noise, batch[1], target="velocity")

        def follow(networks: SimpleNamespace, batch: Any, turn: Turn) -> Tensor:
            images = networks.generator(self.noise(len(batch[1]), turn.rng), batch[1])
            low, high = self.span()
            t = low + draw_times(len(images), high - low, turn.rng)
            noise = torch.randn(images.shape, generator=turn.rng, device=images.device)
            fake = as_denoiser(networks.fake, schedule, "velocity")
            guesses = two_guesses(teacher, fake, schedule, images.detach(), t, noise, batch[1])
            loss = loss_with_gradient(images, normalised_gap(guesses, images))
            if self.push == 0:
                return loss
            return loss + self.push * self.opinion(self.judged(networks, batch)(images))

        others = super().players(modules, device)
        rate = replace(self, lr=self.lr * self.rate_ratio * self.fake_ratio).rate()
        first = Player(loss=watch, lr=rate, moves=self.fake_moves, betas=others["generator"].betas)
        return {"fake": first, **others, "generator": replace(others["generator"], loss=follow)}

    def first_losses(self) -> dict[str, tuple[float, float]]:
        """`fake` is as good as the teacher, whose loss was 1 untrained; what the gap weighs isn't known."""
        return super().first_losses() | {"fake": (0.6, 0.5)}


MATCHING = MatchingRecipe(
    dataset="digits",
    teacher="ddpm-digits",
    start="distilled-digits",
    steps=120,
    batch_size=64,
    lr=2e-3,  # of the critic
    rate_ratio=0.25,
    betas=(0.0, 0.99),
    warmup=20,
    ema_decay=0.98,
    threads=1,
)
MATCHING_SMOKE = SMOKE | {"start_preset": "smoke"}
MATCHING_GPU = GPU | {"start_preset": "gpu", "fake_moves": 5}

RECIPES = {
    # Fifteen seconds on one core.
    "matching-digits": MATCHING.presets(smoke=MATCHING_SMOKE, **MATCHING_GPU),
    "matching-gan-digits": replace(MATCHING, push=0.2, penalty="r1", penalty_weight=0.05).presets(
        smoke=MATCHING_SMOKE, **MATCHING_GPU
    ),
}
