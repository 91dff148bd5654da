"""Precision and recall of samples: do they look real, and are all kinds of real images among them?"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from gdmcourse.metrics.neighbours import check_sets, distances, radii


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
    features, reference = check_sets(features, reference, neighbours)
    precise = _covered(features, reference, neighbours)
    recalled = _covered(reference, features, neighbours)
    return PrecisionRecall(precise.double().mean().item(), recalled.double().mean().item())


def _covered(
    points: Float[Tensor, "n d"], centres: Float[Tensor, "m d"], neighbours: int
) -> Bool[Tensor, " n"]:
    """Whether each point lies in the ball of at least one centre."""
    reach = radii(centres, neighbours)
    return torch.cat([(block <= reach).any(1) for block in distances(points, centres)])
