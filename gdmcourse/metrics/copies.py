"""Copies: samples that lie much nearer to one training image than to any other, or too often near to one."""

import math
from dataclasses import dataclass

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


@dataclass(frozen=True)
class NearestShare:
    """How often a sample's nearest record is one of the training set."""

    share: float
    expected: float  # of samples made without knowing which records were for training
    deviation: float  # the standard deviation of `share` of such samples, over which records were chosen

    @property
    def deviations(self) -> float:
        """How many standard deviations `share` is above what is expected."""
        return (self.share - self.expected) / self.deviation


def nearest_share(
    samples: Float[Tensor, "k d"], training: Float[Tensor, "n d"], held_out: Float[Tensor, "h d"]
) -> NearestShare:
    """Share of samples that are nearer to `training` than to `held_out`, records of one law.

    Of records equally near the first counts, so take duplicates out before. Raises ValueError for a set that
    is empty. Source: `eq-app-nearest`.
    """
    check_features(samples, training, least=1)
    check_features(samples, held_out, least=1)
    records = torch.cat([training, held_out]).detach().cpu().double()
    rows = samples.detach().cpu().double()
    found = torch.cat([block.argmin(1) for block in distances(rows, records)])
    counts = found.bincount(minlength=len(records)).double()
    n, h, total = len(training), len(held_out), len(records)
    crowding = (counts / len(rows)).square().sum().item() - 1 / total
    return NearestShare(
        (counts[:n].sum() / len(rows)).item(), n / total, math.sqrt(n * h / (total * (total - 1)) * crowding)
    )
