"""Flow matching of images: `flow-matching-digits`, and `meanflow-digits`, which jumps."""

import math
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

from gdmcourse.data.dataset import Dataset
from gdmcourse.diffusion.denoiser import Denoiser
from gdmcourse.diffusion.flow import FlowVelocity, flow_matching_loss
from gdmcourse.diffusion.flow_map import MeanVelocity, jump, meanflow_loss
from gdmcourse.nn.mean_velocity import MeanVelocityUNet
from gdmcourse.recipes import find_recipe
from gdmcourse.recipes.ddpm import DDPMRecipe, presets
from gdmcourse.recipes.recipe import Recipe
from gdmcourse.training.fit import Loss
from gdmcourse.training.unwrapped import unwrapped

CLOCK = 1000  # the network is told t · 1000, for which its embedding of times is made


@dataclass(frozen=True, kw_only=True)
class FlowMatchingRecipe(DDPMRecipe):
    """The U-Net and the training of `DDPMRecipe`, on straight paths (Lipman et al. 2023).

    `sample_steps` are Euler's; the parent's `target` has no part in it, its schedule only in `denoiser`.
    """

    def loss(self, device: torch.device | str = "cpu") -> Loss:
        """E ‖v(x_t, t) − (ε − x_0)‖²; each label is hidden with chance `drop`."""

        def loss(model: Any, batch: Any, rng: torch.Generator) -> Tensor:
            images, labels = batch
            if self.flip:
                mirrored = torch.rand(len(images), 1, 1, 1, generator=rng, device=rng.device) < 0.5
                images = torch.where(mirrored, images.flip(3), images)
            match = flow_matching_loss(drop=self.drop, null=model.null_class)
            return match(self.velocity(model), (images, labels), rng)

        return loss

    def first_losses(self) -> dict[str, tuple[float, float]]:
        """The mean square of ε − x_0."""
        return {"loss": (1.7, 0.9)}

    def velocity(self, model: nn.Module) -> FlowVelocity:
        """The network as a velocity (x_t, t, y=None) → v with t in [0, 1]."""

        def velocity(x_t: Tensor, t: Tensor, y: Tensor | None = None) -> Tensor:
            return model(x_t, CLOCK * t, y)

        return velocity

    def denoiser(self, model: nn.Module) -> Denoiser:
        """The same network as a denoiser of the parent's schedule, for the samplers of diffusion."""
        from gdmcourse.diffusion.flow import flow_clock, noise_from_flow

        velocity, schedule = self.velocity(model), self.schedule()

        def denoiser(x: Tensor, t: Tensor, y: Tensor | None = None) -> Tensor:
            clocks = [flow_clock(level.log_alpha_bar) for level in schedule.noise_levels(t.tolist())]
            time, scale = torch.tensor(clocks, device=x.device, dtype=x.dtype).T
            x_t = scale[:, None, None, None] * x
            return noise_from_flow(x_t, velocity(x_t, time, y), time)

        return denoiser

    def walk(self, model: nn.Module, x_T: Tensor, y: Tensor | None, rng: torch.Generator) -> Tensor:
        """From noise to images, by Euler's method."""
        from gdmcourse.diffusion.samplers.flow import euler, flow_times

        return euler(self.velocity(model), x_T, flow_times(self.sample_steps), y=y).clamp(-1, 1)

    @torch.no_grad()
    def _test_loss(self, model: Any, rng: torch.Generator) -> float:
        test, loss = self.data("test"), flow_matching_loss()
        values = []
        for start in range(0, 5000, 250):  # as many draws of time and noise, however few images there are
            rows = torch.arange(start, start + 250) % len(test.images)
            batch = test.images[rows].to(rng.device), test.labels[rows].to(rng.device)
            values.append(loss(self.velocity(model), batch, rng).item())
        return math.fsum(values) / len(values)


@dataclass(frozen=True, kw_only=True)
class MeanFlowRecipe(FlowMatchingRecipe):
    """A flow map that starts as the network of a trained flow, of the same size (Geng et al. 2025).

    `sample_steps` are jumps.
    """

    flow: str  # the recipe whose network it starts from, and its preset
    flow_preset: str = "laptop"
    equal: float = 0.25  # share of the images on which it learns the velocity itself
    whole: float = 0.25  # share on which it learns to jump to the data

    def check(self) -> None:
        """Raise ValueError for labels to hide or images to mirror, which its loss doesn't do."""
        super().check()
        self.require("drop", self.drop == 0, "0")
        self.require("flip", not self.flip, "false")

    def below(self) -> list[Recipe]:
        """The flow."""
        return [find_recipe(self.flow, self.flow_preset)]

    def model(self, train: Dataset) -> Any:
        """The flow's network, which is told the length of a jump as well."""
        return MeanVelocityUNet(find_recipe(self.flow, self.flow_preset).model(train))  # type: ignore[arg-type]

    def build(self, train: Any) -> dict[str, nn.Module]:
        """The network with the trained flow's weights; trains the flow if need be."""
        from gdmcourse.recipes.trained import trained

        modules = super().build(train)
        flow = trained(self.flow, self.flow_preset).model.state_dict()
        modules["model"].network.load_state_dict(flow)  # type: ignore[union-attr]
        return modules

    def mean_velocity(self, model: nn.Module) -> MeanVelocity:
        """The network as (x_t, t, r, y=None) → u with r ≤ t in [0, 1]."""

        def mean_velocity(x_t: Tensor, t: Tensor, r: Tensor, y: Tensor | None = None) -> Tensor:
            return model(x_t, CLOCK * t, CLOCK * (t - r), y)

        return mean_velocity

    def loss(self, device: torch.device | str = "cpu") -> Loss:
        """The MeanFlow loss, along the velocity of the trained flow."""
        from gdmcourse.recipes.trained import trained

        flow = trained(self.flow, self.flow_preset)
        assert isinstance(flow.recipe, FlowMatchingRecipe)
        teacher = flow.recipe.velocity(flow.model.to(device))

        def loss(model: Any, batch: Any, rng: torch.Generator) -> Tensor:
            bare = unwrapped(SimpleNamespace(model=model)).model
            shares = {"equal": self.equal, "whole": self.whole}
            return meanflow_loss(self.mean_velocity(bare), batch, rng, teacher=teacher, **shares)

        return loss

    def first_losses(self) -> dict[str, tuple[float, float]]:
        """Each image's error is divided by itself, and where r = t there is none yet."""
        return {"loss": (0.75, 0.35)}

    def walk(self, model: nn.Module, x_T: Tensor, y: Tensor | None, rng: torch.Generator) -> Tensor:
        """From noise to images, in `sample_steps` jumps."""
        from gdmcourse.diffusion.samplers.flow import flow_times

        return jump(self.mean_velocity(model), x_T, flow_times(self.sample_steps), y=y).clamp(-1, 1)

    def velocity(self, model: nn.Module) -> FlowVelocity:
        """The mean velocity over no time."""
        mean_velocity = self.mean_velocity(model)
        return lambda x_t, t, y=None: mean_velocity(x_t, t, t, y)


RECIPES = {
    # About a minute on one core, as `ddpm-digits`, whose network and steps it has.
    "flow-matching-digits": presets(
        FlowMatchingRecipe(
            dataset="digits",
            steps=2200,
            batch_size=64,
            lr=4e-3,
            warmup=100,
            ema_decay=0.995,
            drop=0.2,
            width=16,
            multipliers=(1, 3, 4),
            threads=1,
            sample_steps=50,
            scored=2000,
        ),
        width=64,
        steps=20_000,
        batch_size=256,
        lr=1e-3,
        ema_decay=0.999,
    ),
    # Another minute, since each step takes a derivative along the path as well.
    "meanflow-digits": presets(
        MeanFlowRecipe(
            dataset="digits",
            flow="flow-matching-digits",
            steps=600,
            batch_size=64,
            lr=1e-3,
            warmup=50,
            ema_decay=0.99,
            drop=0.0,
            width=16,
            multipliers=(1, 3, 4),
            threads=1,
            sample_steps=1,
            scored=2000,
        ),
        smoke={"flow_preset": "smoke", "sample_steps": 1},
        flow_preset="gpu",
        compile=False,
        width=64,
        steps=20_000,
        batch_size=256,
        lr=1e-4,
        ema_decay=0.999,
    ),
}
