"""The Fréchet distance against torchmetrics' on the same features: time, and memory beyond the features'."""

import resource
import statistics
import time
import warnings
from collections.abc import Callable
from multiprocessing import get_context

import torch
from torch import Tensor, nn

from benchmarks.row import row
from gdmcourse.metrics.frechet import frechet_distance

ROWS, FEATURES, REPEATS, THREADS = 10_000, 2048, 3, 2


class Identity(nn.Module):
    """Hands features through, where torchmetrics has Inception."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.num_features = width

    def forward(self, x: Tensor) -> Tensor:
        """The same."""
        return x


def sets(n: int, width: int) -> tuple[Tensor, Tensor]:
    """Two sets of features in float32, as networks give them."""
    rng = torch.Generator().manual_seed(0)
    mix = torch.randn(width, width, generator=rng) / width**0.5
    first, second = (torch.randn(n, width, generator=rng) @ mix for _ in range(2))
    return 1.1 * first + 0.05, second


def peer(features: Tensor, reference: Tensor) -> float:
    """torchmetrics' distance, in float64 as ours."""
    from torchmetrics.image.fid import FrechetInceptionDistance

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        width = features.shape[1]
        metric = FrechetInceptionDistance(feature=Identity(width), input_img_size=(width,))
        metric.set_dtype(torch.float64)
        metric.update(reference, real=True)
        metric.update(features, real=False)
        return metric.compute().item()


SIDES: dict[str, Callable[[Tensor, Tensor], float]] = {"ours": frechet_distance, "peer": peer}


def measure(side: str, n: int, width: int) -> tuple[float, float, float]:
    """The distance, the median seconds, and at most how many MiB beyond those before; in a fresh process."""
    torch.set_num_threads(THREADS)
    features, reference = sets(n, width)
    SIDES[side](features[:40, :8], reference[:40, :8])  # loads what it needs
    before, seconds = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        distance = SIDES[side](features, reference)
        seconds.append(time.perf_counter() - begin)
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return distance, statistics.median(seconds), max(1.0, memory)


def rows() -> list[dict[str, str | float]]:
    """Each side in a process of its own, since the most memory of one never falls."""
    found = []
    for side in SIDES:
        with get_context("spawn").Pool(1) as pool:
            found.append(pool.apply(measure, (side, ROWS, FEATURES)))
    distances, seconds, memory = zip(*found, strict=True)
    assert abs(distances[0] - distances[1]) < 1e-4 * distances[1], f"the distances differ: {distances}"
    size = f"Fréchet distance of {ROWS} rows of {FEATURES} features"
    return [
        row(f"{size} (peer: torchmetrics)", *seconds, "s"),
        row(f"{size}, memory (peer: torchmetrics)", *memory, "MiB"),
    ]
