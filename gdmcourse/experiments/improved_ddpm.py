"""A diffusion model that learns its variance as well: `improved-ddpm-digits`."""

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from gdmcourse.data import Dataset
from gdmcourse.diffusion.bound import hybrid_loss
from gdmcourse.diffusion.denoiser import Denoiser
from gdmcourse.diffusion.objective import draw_times, drop_labels
from gdmcourse.experiments.ddpm import RECIPES as DDPM
from gdmcourse.experiments.ddpm import DDPMRecipe
from gdmcourse.nn.residual import zero_init
from gdmcourse.nn.unet import UNet


@dataclass(frozen=True, kw_only=True)
class LearnedVarianceRecipe(DDPMRecipe):
    """L_hybrid on a U-Net that gives (ε̂, v), and ancestral samples with the variance that v stands for.

    Source: `def-learned-variance`, `def-hybrid-loss` (Nichol and Dhariwal 2021).
    """

    bound_weight: float = 1e-3
    levels: int  # of grey

    def __post_init__(self) -> None:
        """Raise ValueError for another target than the noise, whose variance this is."""
        super().__post_init__()
        if self.target != "noise" or self.flip:
            raise ValueError("with a learned variance the target is the noise, and no image is mirrored")

    def model(self, train: Dataset) -> UNet:
        """The U-Net of `DDPMRecipe` with twice the channels at its end."""
        model = super().model(train)
        channels = train.images.shape[1]
        model.last[-1] = zero_init(nn.Conv2d(self.width, 2 * channels, 3, padding=1))
        return model

    def loss(self, model: Any, batch: Any, generator: torch.Generator) -> Tensor:
        """L_hybrid, at a random time and noise for each image; each label is hidden with chance `drop`."""
        images, labels = batch
        y = drop_labels(labels, self.drop, model.null_class, generator)
        t = draw_times(len(images), self.T, generator)
        noise = torch.randn(images.shape, generator=generator, device=generator.device)
        schedule = self.schedule(generator.device)
        return hybrid_loss(
            model, schedule, images, t, noise, y, weight=self.bound_weight, grey_levels=self.levels
        )

    def denoiser(self, model: Denoiser) -> Denoiser:
        """The network's ε̂ alone, for every sampler that knows no v."""
        return lambda x_t, t, y=None: model(x_t, t, y).chunk(2, dim=1)[0]

    def walk(self, model: nn.Module, x_T: Tensor, y: Tensor | None, generator: torch.Generator) -> Tensor:
        """From noise to images, by ancestral sampling with the learned variance."""
        from gdmcourse.diffusion.samplers import ancestral, spaced_times

        schedule, times = self.schedule(generator.device), spaced_times(self.T, self.sample_steps)
        return ancestral(model, schedule, x_T, times, y=y, generator=generator, clip=1.0, variance="learned")

    def _test_loss(self, model: Denoiser, generator: torch.Generator) -> float:
        """L_simple of ε̂."""
        return super()._test_loss(self.denoiser(model), generator)


def _like(recipe: DDPMRecipe) -> LearnedVarianceRecipe:
    fields: dict[str, Any] = {**asdict(recipe), "target": "noise", "levels": 17}
    return LearnedVarianceRecipe(**fields)


RECIPES = {"improved-ddpm-digits": {preset: _like(recipe) for preset, recipe in DDPM["ddpm-digits"].items()}}
