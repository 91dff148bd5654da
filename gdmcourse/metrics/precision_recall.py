"""Precision and recall of samples: do they look real, and are all kinds of real images among them?"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from gdmcourse.metrics.samples import check_features

AT_ONCE = 2**23  # distances in memory at a time: 64 MiB


class PrecisionRecall(NamedTuple):
    """Shares in [0, 1]."""

    precision: float  # of the samples, those that lie where real images are
    recall: float  # of the real images, those that lie where samples are


def precision_recall(
    features: Float[Tensor, "n d"], reference: Float[Tensor, "m e"], neighbours: int = 3
) -> PrecisionRecall:
    """Precision and recall by balls that reach to the `neighbours`-th nearest neighbour of their own set.

    A sample counts as precise when it lies in the ball of some reference image; a reference image is
    recalled when it lies in the ball of some sample. Raises ValueError unless each set has more than
    `neighbours` rows.
    Source: Kynkäänniemi et al. 2019.
    """
    if neighbours < 1:
        raise ValueError(f"neighbours must be at least 1, not {neighbours}")
    check_features(features, reference, least=neighbours + 1)
    features, reference = features.detach().cpu().double(), reference.detach().cpu().double()
    precise = _covered(features, reference, neighbours)
    recalled = _covered(reference, features, neighbours)
    return PrecisionRecall(precise.double().mean().item(), recalled.double().mean().item())


def _covered(
    points: Float[Tensor, "n d"], centres: Float[Tensor, "m d"], neighbours: int
) -> Bool[Tensor, " n"]:
    """Whether each point lies in the ball of at least one centre."""
    # Each centre is its own nearest neighbour, at distance 0, hence one more.
    rows = [block.kthvalue(neighbours + 1, dim=1).values for block in _distances(centres, centres)]
    radii = torch.cat(rows)
    return torch.cat([(block <= radii).any(1) for block in _distances(points, centres)])


def _distances(a: Tensor, b: Tensor) -> Iterator[Tensor]:
    """Distances from the rows of a to all of b, some rows at a time: memory doesn't grow with both."""
    for rows in a.split(max(1, AT_ONCE // len(b))):
        # The matrix-product shortcut of cdist gives equal points a distance above 0.
        yield torch.cdist(rows, b, compute_mode="donot_use_mm_for_euclid_dist")
