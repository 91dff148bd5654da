"""A training step of flow matching against rectified-flow-pytorch's, and Heun's method against diffusers'.

Both sides call the very same network: in the first with the same optimiser, images and loss, in the second
from the same noise along the same 18 noise levels, so that they draw the same images.
"""

import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.row import row
from gdmcourse.diffusion.edm import SigmaDenoiser, edm_heun, karras_sigmas, sigma_denoiser
from gdmcourse.diffusion.flow import flow_matching_loss
from gdmcourse.nn import UNet

SIDE, BATCH, SAMPLES, LEVELS, REPEATS, THREADS = 28, 32, 8, 18, 5, 2
WIDTH = 48  # 2,607,601 parameters
BETAS = {"beta_start": 1e-4, "beta_end": 0.02, "beta_schedule": "linear"}


class Velocity(nn.Module):
    """The network of both sides, told 1000 t."""

    def __init__(self) -> None:
        super().__init__()
        self.network = UNet(1, width=WIDTH, multipliers=(1, 2, 4), attention=(1,))
        nn.init.normal_(
            self.network.last[-1].weight, std=0.02
        )  # it starts at zero, which would hide a difference

    def forward(self, x: Tensor, t: Tensor, y: Tensor | None = None) -> Tensor:
        """The velocity at t in [0, 1]."""
        return self.network(x, 1000 * t, y)


def network() -> Velocity:
    """The same weights each time."""
    torch.manual_seed(0)
    return Velocity()


def training_ours() -> Callable[[], Any]:
    """Our side of the training step."""
    model, loss, rng = network(), flow_matching_loss(), torch.Generator().manual_seed(0)
    return stepper(model, lambda images: loss(model, images, rng))


def training_peer() -> Callable[[], Any]:
    """The peer's, whose time runs from noise to data; its images are not rescaled."""
    with warnings.catch_warnings():  # a package that it imports scripts a function of its own
        warnings.simplefilter("ignore", FutureWarning)
        from rectified_flow_pytorch import RectifiedFlow

    model = network()
    return stepper(model, RectifiedFlow(model, time_cond_kwarg="t", data_normalize_fn=None))


def stepper(model: nn.Module, loss: Callable[[Tensor], Tensor]) -> Callable[[], Any]:
    """A training step."""
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3, fused=True)
    images = 2 * torch.rand(BATCH, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(1)) - 1

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        loss(images).backward()
        optimizer.step()

    return step


def drawing() -> tuple[SigmaDenoiser, Any, Tensor]:
    """What both sides draw with: the denoiser, the peer's scheduler, and pure noise."""
    from diffusers import HeunDiscreteScheduler

    scheduler = HeunDiscreteScheduler(1000, **BETAS, use_karras_sigmas=True, prediction_type="sample")
    scheduler.set_timesteps(LEVELS)
    noise = torch.randn(SAMPLES, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    return sigma_denoiser(network().eval()), scheduler, noise


def sampling_ours() -> Callable[[], Tensor]:
    """Our side of the sampling run."""
    denoiser, scheduler, noise = drawing()
    low, high = scheduler.sigmas[-2].item(), scheduler.sigmas[0].item()

    def sample() -> Tensor:
        return edm_heun(denoiser, high * noise, karras_sigmas(LEVELS, low, high))

    return sample


def sampling_peer() -> Callable[[], Tensor]:
    """The peer's: the loop of its documentation."""
    denoiser, scheduler, noise = drawing()

    @torch.no_grad()
    def sample() -> Tensor:
        scheduler.set_timesteps(LEVELS)
        x = noise * scheduler.init_noise_sigma
        for k, t in enumerate(scheduler.timesteps):
            guess = denoiser(x, scheduler.sigmas[k].expand(len(x)))
            x = scheduler.step(guess, t, x).prev_sample
        return x

    return sample


def medians(ours: Callable[[], Any], peer: Callable[[], Any]) -> tuple[float, float]:
    """Median seconds of each, run in turn; the first run of each isn't counted."""
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(REPEATS + 1):
        for side, run in zip(taken, (ours, peer), strict=True):
            begin = time.perf_counter()
            run()
            side.append(time.perf_counter() - begin)
    return statistics.median(taken[0][1:]), statistics.median(taken[1][1:])


def rows() -> list[dict[str, str | float]]:
    """Medians of interleaved runs."""
    torch.set_num_threads(THREADS)
    apart = (sampling_ours()() - sampling_peer()()).abs().max().item()
    assert apart < 1e-3, f"the samplers should draw the same images, but differ by {apart}"
    step = f"flow matching, a training step, {BATCH} images of {SIDE}×{SIDE}, same network"
    walk = f"Heun's method, {SAMPLES} images along {LEVELS} noise levels, same network"
    return [
        row(f"{step} (peer: rectified-flow-pytorch)", *medians(training_ours(), training_peer()), "s"),
        row(f"{walk} (peer: diffusers)", *medians(sampling_ours(), sampling_peer()), "s"),
    ]
