"""A cascade: one diffusion model draws a small image, a second one enlarges it."""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from gdmcourse.diffusion.denoiser import Denoiser, as_denoiser, schedule_on
from gdmcourse.diffusion.forward import q_sample
from gdmcourse.diffusion.objective import draw_times, regression_target
from gdmcourse.diffusion.schedule import Schedule
from gdmcourse.nn.time_embedding import TimeEmbedding
from gdmcourse.nn.unet import UNet


class SuperResolver(nn.Module):
    """Predicts the noise of a large image given a small one: the small one, enlarged, is a second input.

    The small image may itself be noisy, and the network is told by how much: noise-conditioning
    augmentation, so that it forgives the first model's errors. `options` are those of `UNet`; with
    `num_classes` it takes labels as well. Source: `def-noise-conditioning`; Saharia et al. (2021), SR3;
    Ho et al. (2022).
    """

    def __init__(
        self, channels: int = 1, *, embedding_dim: int = 128, **options: int | Sequence[int]
    ) -> None:
        super().__init__()
        self.low_time = TimeEmbedding(embedding_dim, embedding_dim)
        self.unet = UNet(2 * channels, out_channels=channels, embedding_dim=embedding_dim, **options)  # type: ignore[arg-type]

    def forward(
        self,
        x: Float[Tensor, "n c h w"],
        t: Int[Tensor, " n"],
        low: Float[Tensor, "n c i j"],
        low_t: Int[Tensor, " n"],
        y: Int[Tensor, " n"] | None = None,
    ) -> Float[Tensor, "n c h w"]:
        """Noise of the large x at times t, given small images `low` that were noised to times `low_t`."""
        enlarged = F.interpolate(low, size=x.shape[2:], mode="bilinear", align_corners=False)
        return self.unet(torch.cat([x, enlarged], dim=1), t, y, extra=self.low_time(low_t))


def conditioned_on(
    resolver: SuperResolver,
    schedule: Schedule,
    low: Float[Tensor, "n c i j"],
    low_t: int,
    generator: torch.Generator | None = None,
    *,
    target: str = "noise",
) -> Denoiser:
    """The denoiser of large images that belong to the small ones `low`, noised to time `low_t` once.

    Any sampler can walk it. More noise hides more of the small images' errors, and more of what they
    show (`eq-cascade-distance`, `eq-cascade-departure`). `target` is what the network was trained on.
    Raises `ScheduleError` for a time `low_t` outside 1 … T.
    """
    noise = torch.randn(low.shape, generator=generator, device=low.device, dtype=low.dtype)
    noisy = q_sample(schedule_on(schedule, low.device), low, low_t, noise)

    def network(x_t: Tensor, t: Tensor, y: Tensor | None = None) -> Tensor:
        return resolver(x_t, t, noisy, torch.full_like(t, low_t), y)

    return as_denoiser(network, schedule, target)


def super_resolution_loss(
    schedule: Schedule, factor: int = 2, max_low_t: int | None = None, *, target: str = "noise"
) -> Callable[[Denoiser, Tensor | tuple[Tensor, ...], torch.Generator], Tensor]:
    """The loss for `gdmcourse.training.fit`: score the large image given a small one that is noisy too.

    A batch is the images, or a tuple (images, labels). The small images are means over factor × factor
    pixels, noised to a random time 1 … `max_low_t`, half of T by default. `target` is what is predicted of
    the large image, as for `denoising_loss`.
    """
    top = max_low_t or max(1, schedule.T // 2)

    def loss(network: Denoiser, batch: Tensor | tuple[Tensor, ...], generator: torch.Generator) -> Tensor:
        x0, y = (batch[0], batch[1]) if isinstance(batch, tuple) else (batch, None)
        low = F.avg_pool2d(x0, factor)
        t, low_t = draw_times(len(x0), schedule.T, generator), draw_times(len(x0), top, generator)
        noise, low_noise = (
            torch.randn(image.shape, generator=generator, device=generator.device, dtype=image.dtype)
            for image in (x0, low)
        )
        on_device = schedule_on(schedule, x0.device)
        x_t, noisy_low = q_sample(on_device, x0, t, noise), q_sample(on_device, low, low_t, low_noise)
        wanted = regression_target(target, on_device, x0, t, noise)
        return (network(x_t, t, noisy_low, low_t, y) - wanted).square().mean()

    return loss
