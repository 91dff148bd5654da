"""Density and coverage: precision and recall that a single outlier can't move far."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from gdmcourse.metrics.neighbours import check_sets, distances, radii


class DensityCoverage(NamedTuple):
    """Density may pass 1, where samples crowd together; coverage is a share in [0, 1]."""

    density: float  # how many balls of reference images a sample lies in, on average, over `neighbours`
    coverage: float  # of the reference images, those in whose ball some sample lies


def density_coverage(
    features: Float[Tensor, "n d"], reference: Float[Tensor, "m e"], neighbours: int = 5
) -> DensityCoverage:
    """Both by balls around the reference images alone, each to its `neighbours`-th nearest neighbour.

    Raises ValueError unless each set has more than `neighbours` rows.
    Source: Naeem et al. 2020.
    """
    features, reference = check_sets(features, reference, neighbours)
    reach = radii(reference, neighbours)
    counts, covered = torch.zeros(len(features)), torch.zeros(len(reference), dtype=torch.bool)
    start = 0
    for block in distances(features, reference):
        inside = block < reach
        counts[start : start + len(block)] = inside.sum(1).float()
        covered |= inside.any(0)
        start += len(block)
    return DensityCoverage(counts.double().mean().item() / neighbours, covered.double().mean().item())


def expected_coverage(samples: int, reference: int, neighbours: int = 5) -> float:
    """What coverage is on average where samples and reference images have one law, which has a density.

    1 − Π_{i=1…k} (N − i)/(M + N − i), for N reference images and M samples: 1 only when M is large. Raises
    ValueError unless there is a sample, and a neighbour for each of the k.
    Source: Naeem et al. 2020.
    """
    if samples < 1 or not 1 <= neighbours < reference:
        raise ValueError(
            "give at least one sample, and from one neighbour to one less than there are reference images, "
            f"not {samples} samples, {neighbours} neighbours and {reference} reference images"
        )
    missed = 1.0
    for i in range(1, neighbours + 1):
        missed *= (reference - i) / (samples + reference - i)
    return 1 - missed
