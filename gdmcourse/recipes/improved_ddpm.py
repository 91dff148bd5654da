"""A diffusion model that learns its variance as well: `improved-ddpm-digits`."""

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from gdmcourse.data.dataset import Dataset
from gdmcourse.diffusion.bound import hybrid_loss
from gdmcourse.diffusion.denoiser import Denoiser
from gdmcourse.diffusion.objective import draw_times, drop_labels
from gdmcourse.nn.residual import zero_init
from gdmcourse.nn.unet import UNet
from gdmcourse.recipes.ddpm import RECIPES as DDPM
from gdmcourse.recipes.ddpm import DDPMRecipe
from gdmcourse.training.fit import Loss


@dataclass(frozen=True, kw_only=True)
class LearnedVarianceRecipe(DDPMRecipe):
    """L_hybrid on a U-Net that gives (ε̂, v), and ancestral samples with the variance that v stands for.

    Source: `def-learned-variance`, `def-hybrid-loss` (Nichol and Dhariwal 2021).
    """

    bound_weight: float = 1e-3
    grey_levels: int

    def check(self) -> None:
        """Raise ValueError for another target than the noise, whose variance this is."""
        super().check()
        if self.target != "noise" or self.flip:
            raise ValueError("with a learned variance the target is the noise, and no image is mirrored")

    def model(self, train: Dataset) -> UNet:
        """The U-Net of `DDPMRecipe` with twice the channels at its end."""
        model = super().model(train)
        channels = train.images.shape[1]
        model.last[-1] = zero_init(nn.Conv2d(self.width, 2 * channels, 3, padding=1))
        return model

    def loss(self, device: torch.device | str = "cpu") -> Loss:
        """L_hybrid, at a random time and noise for each image; each label is hidden with chance `drop`."""
        schedule = self.schedule(device)

        def loss(model: Any, batch: Any, rng: torch.Generator) -> Tensor:
            images, labels = batch
            y = drop_labels(labels, self.drop, model.null_class, rng)
            t = draw_times(len(images), self.T, rng)
            noise = torch.randn(images.shape, generator=rng, device=rng.device)
            weight, grey = self.bound_weight, self.grey_levels
            return hybrid_loss(model, schedule, images, t, noise, y, weight=weight, grey_levels=grey)

        return loss

    def denoiser(self, model: Denoiser) -> Denoiser:
        """The network's ε̂ alone, for every sampler that knows no v."""
        return lambda x_t, t, y=None: model(x_t, t, y).chunk(2, dim=1)[0]

    def walk(self, model: nn.Module, x_T: Tensor, y: Tensor | None, rng: torch.Generator) -> Tensor:
        """From noise to images, by ancestral sampling with the learned variance."""
        from gdmcourse.diffusion.samplers import ancestral, spaced_times

        schedule, times = self.schedule(rng.device), spaced_times(self.T, self.sample_steps)
        return ancestral(model, schedule, x_T, times, y=y, generator=rng, clip=1.0, variance="learned")

    def _test_loss(self, model: Denoiser, rng: torch.Generator) -> float:
        """L_simple of ε̂."""
        return super()._test_loss(self.denoiser(model), rng)


def _like(recipe: DDPMRecipe) -> LearnedVarianceRecipe:
    fields: dict[str, Any] = {**asdict(recipe), "target": "noise", "grey_levels": 17}
    return LearnedVarianceRecipe(**fields)


RECIPES = {"improved-ddpm-digits": {preset: _like(recipe) for preset, recipe in DDPM["ddpm-digits"].items()}}
