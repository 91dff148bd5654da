"""Kernel distance: the squared maximum mean discrepancy of two sets of features, without bias."""

from jaxtyping import Float
from torch import Tensor

from gdmcourse.metrics.neighbours import AT_ONCE
from gdmcourse.metrics.samples import check_features

DEGREE = 3


def kernel_distance(features: Float[Tensor, "n d"], reference: Float[Tensor, "m e"]) -> float:
    """E k(x, x′) + E k(y, y′) − 2 E k(x, y), with k(x, y) = (xᵀy/d + 1)³, over pairs of different rows.

    Leaving out the pairs of a row with itself makes it right on average for any number of rows, so that it
    may fall below 0 where both laws are one. It is called KID when the features are Inception's. Raises
    ValueError for fewer than two rows in a set.
    Source: Bińkowski et al. 2018.
    """
    check_features(features, reference, least=2)
    x, y = features.detach().cpu().double(), reference.detach().cpu().double()
    own = [(_sum(rows, rows) - _own(rows)) / (len(rows) * (len(rows) - 1)) for rows in (x, y)]
    return own[0] + own[1] - 2 * _sum(x, y) / (len(x) * len(y))


def _sum(x: Tensor, y: Tensor) -> float:
    """Σ k over all pairs, some rows at a time."""
    parts = x.split(max(1, AT_ONCE // len(y)))
    return float(sum((rows @ y.mT / x.shape[1] + 1).pow(DEGREE).sum() for rows in parts))


def _own(x: Tensor) -> float:
    """Σ k(x, x)."""
    return (x.square().sum(1) / x.shape[1] + 1).pow(DEGREE).sum().item()
