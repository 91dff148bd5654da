"""Copies: samples that lie much nearer to one training image than to any other."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from gdmcourse.metrics.neighbours import distances
from gdmcourse.metrics.samples import check_features

RATIO = 1 / 3


def copies(
    features: Float[Tensor, "n d"], training: Float[Tensor, "m e"], ratio: float = RATIO
) -> Bool[Tensor, " n"]:
    """Which samples are copies: nearest training image nearer than `ratio` times the second nearest.

    Rows are features or flattened pixels. Two equal training images hide each other's copies, so take
    duplicates out before. Raises ValueError for fewer than two training images, or a ratio outside (0, 1).
    Source: Gu et al. 2023, with the ratio of Yoon et al. 2023.
    """
    if not 0 < ratio < 1:
        raise ValueError(f"ratio must lie strictly between 0 and 1, not {ratio}")
    check_features(features, features, least=1)
    check_features(training, training, least=2)
    check_features(features, training, least=1)
    rows, others = features.detach().cpu().double(), training.detach().cpu().double()
    nearest = torch.cat([block.topk(2, dim=1, largest=False).values for block in distances(rows, others)])
    return nearest[:, 0] < ratio * nearest[:, 1]


def copy_share(features: Float[Tensor, "n d"], training: Float[Tensor, "m e"], ratio: float = RATIO) -> float:
    """Share of samples that are copies; judge it beside the share of held-out images that look like some."""
    return copies(features, training, ratio).double().mean().item()
