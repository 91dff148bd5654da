"""A training step against denoising-diffusion-pytorch's U-Net, and sampling against a diffusers pipeline.

In the first both sides have the same number of parameters to 0.01 %, the same images and the same optimiser,
and each its own network and loss; in the second both call the very same network and draw the same images. On
a GPU the training step is measured in bfloat16 and compiled as well. Memory is what a process grows by over
its size when everything is ready to run, in a fresh process for each side; on a GPU, what is allocated there.
"""

import contextlib
import multiprocessing
import re
import statistics
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.row import row
from gdmcourse.diffusion import denoising_loss, linear_schedule
from gdmcourse.diffusion.samplers import ddim, spaced_times
from gdmcourse.nn import UNet

SIDE, BATCH, SAMPLES, STEPS, REPEATS, THREADS = 28, 32, 16, 20, 5, 2
WIDTH, PEER_WIDTH = 48, 32  # 2,607,601 and 2,607,681 parameters
FAST = "bfloat16 and compiled"


def training_ours(fast: bool = False) -> Callable[[], Any]:
    """Our side of the training step."""
    model, device = _unet(), _device()
    loss = denoising_loss(linear_schedule(1000).to(device))
    network = torch.compile(model) if fast else model
    generator = torch.Generator(device).manual_seed(0)
    return _step(model, lambda images: loss(network, 2 * images - 1, generator), fast)


def training_peer(fast: bool = False) -> Callable[[], Any]:
    """The peer's: its U-Net and its loss, which maps images from [0, 1] to [−1, 1] as well."""
    from denoising_diffusion_pytorch import GaussianDiffusion

    model = _peer_unet()
    loss = GaussianDiffusion(model, image_size=SIDE, timesteps=1000, beta_schedule="linear").to(_device())
    if fast:
        loss.model = torch.compile(model)
    return _step(model, loss, fast)


def _step(model: nn.Module, loss: Callable[[Tensor], Tensor], fast: bool) -> Callable[[], Any]:
    """A training step that waits for its end."""
    device = _device()
    model.to(device).train()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3, fused=True)
    images = torch.rand(BATCH, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(1)).to(device)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(device.type, torch.bfloat16) if fast else contextlib.nullcontext():
            value = loss(images)
        value.backward()
        optimizer.step()
        if device.type == "cuda":
            torch.cuda.synchronize()

    return step


def sampling_ours() -> Callable[[], Tensor]:
    """Our side of the sampling run."""
    network, schedule, device = _network().to(_device()), linear_schedule(1000), _device()

    def sample() -> Tensor:
        noise = torch.randn(SAMPLES, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(0)).to(device)
        return ddim(network, schedule, noise, spaced_times(1000, STEPS), clip=1.0).cpu()

    return sample


def sampling_peer() -> Callable[[], Tensor]:
    """The peer's: a pipeline around the same network, with the scheduler set to what DDIM is."""
    from diffusers import ConfigMixin, DDIMPipeline, DDIMScheduler, ModelMixin
    from diffusers.configuration_utils import register_to_config
    from diffusers.models.unets.unet_2d import UNet2DOutput

    class Wrapped(ModelMixin, ConfigMixin):
        """Our network as the pipeline calls one; it counts times from 0."""

        @register_to_config
        def __init__(self, in_channels: int = 1, sample_size: int = SIDE) -> None:
            super().__init__()
            self.network = _network()

        def forward(self, sample: Tensor, timestep: Tensor) -> UNet2DOutput:
            return UNet2DOutput(sample=self.network(sample, (timestep + 1).expand(len(sample))))

    scheduler = DDIMScheduler(1000, timestep_spacing="trailing", clip_sample=True)
    pipeline = DDIMPipeline(unet=Wrapped(), scheduler=scheduler).to(_device())
    pipeline.set_progress_bar_config(disable=True)

    def sample() -> Tensor:
        generator = torch.Generator().manual_seed(0)
        images = pipeline(
            SAMPLES,
            generator,
            num_inference_steps=STEPS,
            use_clipped_model_output=True,
            output_type="np",
        ).images
        return torch.from_numpy(images).permute(0, 3, 1, 2) * 2 - 1

    return sample


def _unet() -> UNet:
    return UNet(1, width=WIDTH, multipliers=(1, 2, 4), attention=(1,))


def _peer_unet() -> nn.Module:
    from denoising_diffusion_pytorch import Unet

    return Unet(dim=PEER_WIDTH, dim_mults=(1, 2, 4), channels=1)


def _network() -> UNet:
    torch.manual_seed(0)
    network = _unet()
    nn.init.normal_(network.last[-1].weight, std=0.02)  # it starts at zero, which would hide a difference
    return network.eval()


def rows() -> list[dict[str, str | float]]:
    """Medians of interleaved runs."""
    torch.set_num_threads(THREADS)
    name = f"diffusion training step, {BATCH} images of {SIDE}×{SIDE}, 2.6 M parameters"
    peer, against = " (peer: denoising-diffusion-pytorch)", " (peer: diffusers)"
    drawing = f"DDIM, {SAMPLES} images in {STEPS} steps, same network"
    sizes = [sum(p.numel() for p in model.parameters()) for model in (_unet(), _peer_unet())]
    assert abs(sizes[0] / sizes[1] - 1) < 1e-4, f"the networks should be of one size, not {sizes}"
    apart = (sampling_ours()() - sampling_peer()()).abs().max().item()
    assert apart < 1e-3, f"the samplers should draw the same images, but differ by {apart}"
    found = [
        row(name + peer, *_seconds(training_ours(), training_peer()), "s"),
        row(name + ", memory" + peer, *_memory("training_ours", "training_peer"), "MiB"),
        row(drawing + against, *_seconds(sampling_ours(), sampling_peer()), "s"),
        row(drawing + ", memory" + against, *_memory("sampling_ours", "sampling_peer"), "MiB"),
    ]
    if torch.cuda.is_available():
        ours, theirs = _seconds(training_ours(fast=True), training_peer(fast=True))
        found.append(
            row(f"{name}, GPU, {FAST}{peer}", 1000 * ours / BATCH, 1000 * theirs / BATCH, "ms/image")
        )
    return found


def _seconds(ours: Callable[[], Any], peer: Callable[[], Any]) -> tuple[float, float]:
    """Median time of each, run in turn; the first run of each isn't counted."""
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(REPEATS + 1):
        for side, run in zip(taken, (ours, peer), strict=True):
            begin = time.perf_counter()
            run()
            side.append(time.perf_counter() - begin)
    return statistics.median(taken[0][1:]), statistics.median(taken[1][1:])


def _memory(ours: str, peer: str) -> tuple[float, float]:
    context = multiprocessing.get_context("spawn")
    found = []
    for name in (ours, peer):
        with context.Pool(1) as pool:
            found.append(pool.apply(_growth, (name,)))
    return found[0], found[1]


def _growth(name: str) -> float:
    """Peak memory while the side called `name` runs twice, beyond what it has when it is ready, in MiB."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(THREADS)
    run = globals()[name]()
    if torch.cuda.is_available():
        run()
        torch.cuda.reset_peak_memory_stats()
        run()
        return torch.cuda.max_memory_allocated() / 2**20
    Path("/proc/self/clear_refs").write_text("5")  # Linux: the peak starts again from here
    before = _status("VmRSS")
    run()
    run()
    return _status("VmHWM") - before


def _status(field: str) -> float:
    """A number of this process's own memory, in MiB."""
    found = re.search(rf"{field}:\s+(\d+)", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) / 2**10


def _device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
