"""Students of a diffusion model, which draw in one step: `distilled-digits`, and the same with a critic."""

import math
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

from gdmcourse.data.dataset import Dataset
from gdmcourse.diffusion.denoiser import Denoiser
from gdmcourse.diffusion.schedule import Schedule
from gdmcourse.gan.label_critics import PlaneCritic
from gdmcourse.hybrid.distillation import distillation_loss
from gdmcourse.hybrid.one_step import OneStep
from gdmcourse.recipes import find_recipe
from gdmcourse.recipes.ddpm import DDPMRecipe
from gdmcourse.recipes.gan_conditional import ConditionalGANRecipe
from gdmcourse.recipes.recipe import Recipe
from gdmcourse.training.player import Player, Turn
from gdmcourse.training.randomness import derive_seed


@dataclass(frozen=True, kw_only=True)
class StudentRecipe(ConditionalGANRecipe):
    """A generator that starts with the teacher's weights, and a critic if `push` is above 0.

    `width` and `critic_norm` are the critic's. `noise_dim` counts where the generator takes noise beside x_T.
    """

    teacher: str  # a diffusion model that predicts velocities, and its preset
    teacher_preset: str = "laptop"
    push: float = 0.0  # weight of the critic

    def check(self) -> None:
        """Raise ValueError for what can't be or has no part here, and for a teacher of something else."""
        super().check()
        self.require("push", self.push >= 0, "at least 0")
        only = {"objective": "non-saturating", "join": "concat", "label_noise": 0.0, "zoom": 1}
        for field, value in only.items():
            self.require(field, getattr(self, field) == value, f"{value}, as students know nothing else")
        teacher = self.teaching()
        self.require("teacher", teacher.target == "velocity", 'a model with target="velocity"')
        self.require("dataset", self.dataset == teacher.dataset, f"that of the teacher, {teacher.dataset}")

    def teaching(self) -> DDPMRecipe:
        """The recipe of the teacher. Raises ValueError for one that is no diffusion model of images."""
        recipe = find_recipe(self.teacher, self.teacher_preset)
        if type(recipe) is not DDPMRecipe:  # what derives from it asks its network for something else
            raise ValueError(f"the teacher must be a diffusion model of images, and {self.teacher} is none")
        return recipe

    def below(self) -> list[Recipe]:
        """The teacher."""
        return [self.teaching()]

    def schedule(self, device: torch.device | str = "cpu") -> Schedule:
        """The teacher's schedule; its numbers are worked out on the CPU, wherever networks are being made."""
        with torch.device("cpu"):
            return self.teaching().schedule(device)

    def denoiser(self, device: torch.device | str = "cpu") -> Denoiser:
        """The trained teacher; it is trained if need be."""
        from gdmcourse.recipes.trained import trained

        return self.teaching().denoiser(trained(self.teacher, self.teacher_preset).model.to(device))

    def modules(self, train: Dataset) -> dict[str, nn.Module]:
        """A student, and a critic where it has a say."""
        networks: dict[str, nn.Module] = {"generator": OneStep(self.network(train), self.schedule())}
        channels, height, side = train.images.shape[1:]
        if self.push > 0:
            shape = channels, height, side
            networks["critic"] = PlaneCritic(shape, len(train.classes), self.width, self.critic_norm)
        return networks

    def network(self, train: Dataset) -> nn.Module:
        """A network of the teacher's form."""
        return self.teaching().model(train)

    def build(self, train: Any) -> dict[str, nn.Module]:
        """The networks before training, with the teacher's weights where they are of its form."""
        from gdmcourse.recipes.trained import trained

        modules = super().build(train)
        weights = trained(self.teacher, self.teacher_preset).model.state_dict()
        modules["generator"].network.load_state_dict(weights)  # type: ignore[union-attr]
        return modules

    def players(self, modules: dict[str, nn.Module], device: torch.device | str = "cpu") -> dict[str, Player]:
        """Critic and student, or the student alone."""
        both = super().players(modules, device)
        return {name: player for name, player in both.items() if name in modules}

    def noise(self, n: int, rng: torch.Generator) -> Tensor:
        """What the student starts from, the teacher's x_T."""
        return torch.randn((n, *self.shape()), generator=rng, device=rng.device)

    def opinion(self, logits: Tensor) -> Tensor:
        """−E log D of the student's images."""
        return nn.functional.softplus(-logits).mean()

    @torch.no_grad()
    def draw(self, model: nn.Module, labels: Tensor, rng: torch.Generator) -> Tensor:
        """An image in [−1, 1] for each label, in one evaluation."""
        return model(self.noise(len(labels), rng), labels).clamp(-1, 1)

    def sample(self, model: nn.Module, n: int, rng: torch.Generator) -> Tensor:
        """`n` images with the labels 0, 1, 2, … in turn."""
        return self.draw(model, self.in_turn(n).to(rng.device), rng)

    def first_losses(self) -> dict[str, tuple[float, float]]:
        """A critic that knows nothing says ½."""
        return {"critic": (2 * math.log(2), 0.4)} if self.push > 0 else {}


@dataclass(frozen=True, kw_only=True)
class DistilledRecipe(StudentRecipe):
    """The student is drawn to the image that the teacher makes of the same noise in `teacher_steps` steps.

    With a critic it is adversarial distillation (after Sauer et al. 2023), without one plain distillation.
    """

    teacher_steps: int = 4
    pull: float = 1.0  # λ, the weight of the teacher
    rounds: int = 2  # noises for each training image

    def check(self) -> None:
        """Raise ValueError for numbers that can't be."""
        super().check()
        self.require("teacher_steps", self.teacher_steps >= 1, "at least 1")
        self.require("rounds", self.rounds >= 1, "at least 1")
        self.require("pull", self.pull >= 0, "at least 0")

    def tensors(self, train: Dataset) -> tuple[Tensor, ...]:  # type: ignore[override]
        """Images and labels, each `rounds` times, with a noise and what the teacher makes of it."""
        from gdmcourse.diffusion.samplers import ddim, spaced_times

        images, labels = (
            part.repeat(self.rounds, *[1] * (part.ndim - 1)) for part in (train.images, train.labels)
        )
        rng = torch.Generator().manual_seed(derive_seed(self.seed, "lessons"))
        z = torch.randn(images.shape, generator=rng)
        denoiser, schedule = self.denoiser(), self.schedule()
        times = spaced_times(schedule.T, self.teacher_steps)
        pairs = zip(z.split(500), labels.split(500), strict=True)
        drawn = [ddim(denoiser, schedule, part, times, y=y, clip=1.0) for part, y in pairs]
        return images, labels, z, torch.cat(drawn)

    def generator_loss(self, networks: SimpleNamespace, batch: Any, turn: Turn) -> Tensor:
        """The distance to the teacher's image from the same noise, and the critic's opinion."""
        _, labels, z, wanted = batch
        images = networks.generator(z, labels)
        loss = self.pull * distillation_loss(images, wanted)
        if self.push == 0:
            return loss
        return loss + self.push * self.opinion(self.judged(networks, batch)(images))

    def fake(self, networks: SimpleNamespace, batch: Any, rng: torch.Generator) -> Tensor:
        """The student's images from the noises of the batch."""
        return networks.generator(batch[2], batch[1])

    def first_losses(self) -> dict[str, tuple[float, float]]:
        """At first the student draws the mean of a class."""
        first = self.pull * 0.3 + self.push * math.log(2)
        name = "generator" if self.push > 0 else "loss"
        return super().first_losses() | {name: (first, 0.5 * first)}


# Ten seconds on one core.
DISTILLED = DistilledRecipe(
    dataset="digits",
    teacher="ddpm-digits",
    steps=150,
    batch_size=64,
    lr=1e-3,
    betas=(0.9, 0.99),
    warmup=20,
    ema_decay=0.98,
    threads=1,
)
SMOKE: dict[str, Any] = {"width": 4, "scored": 100, "teacher_preset": "smoke"}
GPU: dict[str, Any] = {
    "teacher_preset": "gpu",
    "width": 64,
    "steps": 20_000,
    "batch_size": 256,
    "lr": 1e-4,
    "ema_decay": 0.999,
    "compile": False,
}
RECIPES = {
    "distilled-digits": DISTILLED.presets(smoke=SMOKE, **GPU, rounds=100),
    # Fifteen seconds on one core.
    "adversarial-distillation-digits": replace(
        DISTILLED, push=0.2, penalty="r1", penalty_weight=0.1, lr=2e-3, rate_ratio=0.5, betas=(0.0, 0.99)
    ).presets(smoke=SMOKE, **GPU, rounds=100),
}
