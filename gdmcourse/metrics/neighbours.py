"""Balls around points that reach to their k-th nearest neighbour: where a set of points is said to be."""

from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from gdmcourse.metrics.samples import check_features

AT_ONCE = 2**23  # distances in memory at a time: 64 MiB


def check_sets(features: Tensor, reference: Tensor, neighbours: int) -> tuple[Tensor, Tensor]:
    """Both sets in float64 on the CPU. Raises ValueError unless each has more than `neighbours` rows."""
    if neighbours < 1:
        raise ValueError(f"neighbours must be at least 1, not {neighbours}")
    check_features(features, reference, least=neighbours + 1)
    return features.detach().cpu().double(), reference.detach().cpu().double()


def radii(points: Float[Tensor, "n d"], neighbours: int) -> Float[Tensor, " n"]:
    """The distance of each point to the `neighbours`-th nearest of the others."""
    # Each point is its own nearest neighbour, at distance 0, hence one more.
    return torch.cat([rows.kthvalue(neighbours + 1, dim=1).values for rows in distances(points, points)])


def distances(a: Float[Tensor, "n d"], b: Float[Tensor, "m d"]) -> Iterator[Float[Tensor, "rows m"]]:
    """Distances from the rows of a to all of b, some rows at a time: memory doesn't grow with both."""
    for rows in a.split(max(1, AT_ONCE // len(b))):
        # The matrix-product shortcut of cdist gives equal points a distance above 0.
        yield torch.cdist(rows, b, compute_mode="donot_use_mm_for_euclid_dist")
