"""The families of models that are compared, as data: a line makes a model take part.

What is searched, the same number of times for each, are the fields of `space`; what is drawn, and at which
cost, `samplers`, whose first gives the score that a family is judged by.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from gdmcourse.diffusion.samplers import ancestral, ddim, dpm_solver, spaced_times
from gdmcourse.diffusion.samplers.flow import euler, flow_times
from gdmcourse.recipes import find_recipe
from gdmcourse.recipes.ddpm import DDPMRecipe
from gdmcourse.recipes.flow_matching import FlowMatchingRecipe
from gdmcourse.recipes.images import ImageRecipe
from gdmcourse.training.flops import step_flops

Settings = dict[str, Any]
Samplers = tuple[tuple[str, int], ...]  # the name of a sampler, and the evaluations of the network it makes
ONCE: Samplers = (("pass", 1),)


@dataclass(frozen=True)
class Family:
    """A recipe, what is changed for all of its configurations, and what the search chooses from."""

    recipe: str
    space: dict[str, tuple[Any, ...]]
    base: Settings = field(default_factory=dict)
    samplers: Samplers = ONCE

    def draw(self, trial: int, seed: int = 0) -> Settings:
        """The changes of a trial: each field of the space drawn evenly, by the trial's own random numbers."""
        rng = torch.Generator().manual_seed(1000 * seed + trial)
        return {
            name: options[int(torch.randint(len(options), (), generator=rng))]
            for name, options in self.space.items()
        }


# The rate is constant, so that a run that is stopped anywhere is what a shorter run would have been.
STEADY: Settings = {"warmup": None}
UNET: Settings = {**STEADY, "multipliers": (1, 2, 2), "drop": 1.0}  # without labels, which the others haven't
WIDTHS, BATCHES, DECAYS = (8, 12), (32, 64), (0.98, 0.99, 0.995)
FAMILIES = {
    "gan": Family(
        "r3gan-digits",
        {
            "lr": (5e-4, 1e-3, 2e-3, 4e-3),
            "penalty_weight": (0.1, 0.25, 0.5, 1.0),
            "width": WIDTHS,
            "batch_size": BATCHES,
            "ema_decay": DECAYS,
        },
        STEADY,
    ),
    "wgan-gp": Family(
        "wgan-gp-digits",
        {
            "lr": (5e-4, 1e-3, 2e-3, 4e-3),
            "penalty_weight": (1.0, 3.0, 10.0),
            "critic_moves": (1, 2, 4),
            "width": WIDTHS,
            "batch_size": BATCHES,
            "ema_decay": DECAYS,
        },
        STEADY,
    ),
    "ddpm": Family(
        "ddpm-digits",
        {
            "lr": (1e-3, 2e-3, 4e-3, 8e-3),
            "noise": ("cosine", "linear"),
            "target": ("noise", "velocity"),
            "width": WIDTHS,
            "batch_size": BATCHES,
            "ema_decay": DECAYS,
        },
        UNET,
        (
            ("dpm", 10),
            *(("ddim", n) for n in (1, 2, 4, 8, 16)),
            *(("dpm", n) for n in (2, 4)),
            ("ancestral", 100),
        ),
    ),
    "flow": Family(
        "flow-matching-digits",
        {
            "lr": (1e-3, 2e-3, 4e-3, 8e-3),
            "width": WIDTHS,
            "batch_size": BATCHES,
            "ema_decay": DECAYS,
        },
        UNET,
        (("euler", 10), *(("euler", n) for n in (1, 2, 4, 20))),
    ),
    "vae": Family(
        "vae-digits",
        {
            "lr": (5e-4, 1e-3, 2e-3, 4e-3),
            "latents": (8, 16, 32),
            "width": (128, 256),
            "batch_size": (64, 128),
            "ema_decay": DECAYS,
        },
        STEADY,
        (("own", 1), ("means", 1)),
    ),
}


def configured(recipe: str, changes: Settings, seed: int, preset: str = "laptop") -> ImageRecipe:
    """The recipe with the changes, which may come from a file, where tuples are lists."""
    known: Any = {name: tuple(value) if isinstance(value, list) else value for name, value in changes.items()}
    found = replace(find_recipe(recipe, preset), **known, seed=seed)
    assert isinstance(found, ImageRecipe)
    return found


def matched(recipe: Any, train: Any, flops: float) -> tuple[Any, float]:
    """The recipe with as many steps as so many operations pay for, at least 8; and operations of a step."""
    each = step_flops(recipe, train)
    return replace(recipe, steps=max(8, round(flops / each))), each


@torch.no_grad()
def drawn(
    recipe: Any,
    model: nn.Module,
    n: int,
    rng: torch.Generator,
    sampler: str,
    evaluations: int,
    temperature: float = 1.0,
) -> Tensor:
    """`n` images by a sampler of so many evaluations, its first noise multiplied by the temperature.

    "pass" is a generator's one pass, "own" what the recipe draws, which has no temperature, and "means" the
    mean images of a decoder.
    """
    if isinstance(recipe, DDPMRecipe):
        noise = temperature * torch.randn(n, *recipe.shape(), generator=rng)
        if isinstance(recipe, FlowMatchingRecipe):
            return euler(recipe.velocity(model), noise, flow_times(evaluations)).clamp(-1, 1)
        walk: Any = {"ancestral": ancestral, "ddim": ddim, "dpm": dpm_solver}[sampler]
        times = spaced_times(recipe.T, evaluations)
        ends = walk(recipe.denoiser(model), recipe.schedule(), noise, times, generator=rng, clip=1.0)
        return ends.clamp(-1, 1)
    if sampler == "own":
        return recipe.sample(model, n, rng)
    if sampler == "means":
        return recipe.means(model, n, rng)
    return model(temperature * recipe.noise(n, rng))
