"""A training step of RealNVP against zuko's: the same layers, networks and batch, two threads each."""

import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.row import row
from gdmcourse.likelihood import AffineCoupling, Flow

DIM, COUPLINGS, WIDTH, BATCH, STEPS, REPEATS, THREADS = 64, 8, 128, 256, 20, 7, 2


def ours() -> Flow:
    """Couplings that keep every other coordinate, in turns, as zuko's do."""
    odd = torch.arange(DIM) % 2 == 1
    return Flow([AffineCoupling(odd if k % 2 else ~odd, WIDTH) for k in range(COUPLINGS)], DIM)


def peer() -> nn.Module:
    """zuko's RealNVP with networks of the same size."""
    from zuko.flows import RealNVP

    return RealNVP(DIM, transforms=COUPLINGS, hidden_features=[WIDTH, WIDTH])


def stepper(model: nn.Module, log_prob: Callable[[Tensor], Tensor]) -> Callable[[], Any]:
    """A training step."""
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3, fused=True)
    x = torch.randn(BATCH, DIM, generator=torch.Generator().manual_seed(1))

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        (-log_prob(x).mean()).backward()
        optimizer.step()

    return step


def rows() -> list[dict[str, str | float]]:
    """Median times of interleaved runs."""
    torch.set_num_threads(THREADS)
    mine, theirs = ours(), peer()
    sizes = [sum(p.numel() for p in model.parameters()) for model in (mine, theirs)]
    assert sizes[0] == sizes[1], f"the two flows must be of one size, and have {sizes} parameters"
    steps = {"ours": stepper(mine, mine.log_prob), "peer": stepper(theirs, lambda x: theirs().log_prob(x))}
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for repeat in range(REPEATS + 1):
        for name, step in steps.items():
            begin = time.perf_counter()
            for _ in range(STEPS):
                step()
            if repeat:  # the first run of each warms its thread pool up
                seconds[name].append((time.perf_counter() - begin) / STEPS)
    return [
        row(
            f"RealNVP, a training step of {COUPLINGS} couplings on {BATCH} rows of {DIM} (peer: zuko)",
            statistics.median(seconds["ours"]),
            statistics.median(seconds["peer"]),
            "s",
        )
    ]
