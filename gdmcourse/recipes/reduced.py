"""What the recipes share whose diffusion happens in something smaller than the image."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from gdmcourse.data.dataset import Dataset
from gdmcourse.diffusion.denoiser import Denoiser
from gdmcourse.diffusion.guidance import classifier_free_guidance
from gdmcourse.recipes.ddpm import DDPMRecipe


@dataclass(frozen=True, kw_only=True)
class ReducedRecipe(DDPMRecipe):
    """A DDPM whose data are not the images but what `shrink` makes of them; `enlarge` leads back.

    `data` hands out the small ones, so that training and test loss know nothing of the images.
    """

    guidance: float = 1.0  # scale of classifier-free guidance with which `draw` follows labels

    def shrink(self, images: Tensor) -> Tensor:
        """Images (N, C, H, W) as the diffusion model sees them."""
        raise NotImplementedError

    def enlarge(self, small: Tensor) -> Tensor:
        """What `draw` returns, from a sample of the diffusion model."""
        raise NotImplementedError

    def images(self, split: str) -> Dataset:
        """The split as it is."""
        return super().data(split)

    def data(self, split: str) -> Dataset:
        """The split with small images in the place of the images."""
        full = self.images(split)
        return replace(full, images=self.shrink(full.images))

    def guided(self, model: nn.Module) -> Denoiser:
        """The denoiser that `draw` walks with."""
        plain = self.denoiser(model)
        return plain if self.guidance == 1 else classifier_free_guidance(plain, self.guidance)

    def shape(self) -> tuple[int, ...]:
        """Channels, height and width of the small images."""
        return tuple(self.data("test").images.shape[1:])

    def walk(self, model: nn.Module, x_T: Tensor, y: Tensor | None, rng: torch.Generator) -> Tensor:
        """From noise to images, by guided ancestral sampling of small ones; `y` holds labels or tokens."""
        from gdmcourse.diffusion.samplers import ancestral, spaced_times

        schedule, times = self.schedule(rng.device), spaced_times(self.T, self.sample_steps)
        return self.enlarge(ancestral(self.guided(model), schedule, x_T, times, y=y, generator=rng))
