"""A score at infinitely many samples, from scores at few: what the Fréchet distance's bias asks for."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor


def extrapolate(
    score: Callable[[Tensor], float],
    features: Float[Tensor, "n d"],
    sizes: Sequence[int],
    rng: torch.Generator,
    repeats: int = 5,
) -> float:
    """The value at 1/N → 0 of a straight line in 1/N through a score of N of the samples.

    `score(rows)` is averaged over `repeats` random subsets of each of the `sizes`. Right where the bias is
    c/N and the rest is smaller, as for the Fréchet distance. Raises ValueError for fewer than two sizes, or
    one that is larger than the set.
    Source: Chong and Forsyth 2020.
    """
    if len(set(sizes)) < 2 or not all(1 <= size <= len(features) for size in sizes):
        raise ValueError(f"sizes must be at least two different numbers in 1 … {len(features)}, not {sizes}")
    subsets = [
        [features[torch.randperm(len(features), generator=rng)[:size]] for _ in range(repeats)]
        for size in sizes
    ]
    means = [np.mean([score(rows) for rows in drawn]) for drawn in subsets]
    _, at_zero = np.polyfit([1 / size for size in sizes], means, 1)
    return float(at_zero)
