"""Fréchet distance: how far apart two sets of features are, as Gaussians."""

import torch
from jaxtyping import Float
from torch import Tensor

from gdmcourse.metrics.samples import check_features

AT_ONCE = 1024  # rows in float64 at a time


def frechet_distance(features: Float[Tensor, "n d"], reference: Float[Tensor, "m e"]) -> float:
    """‖μ₁ − μ₂‖² + Tr(Σ₁ + Σ₂ − 2(Σ₁Σ₂)^½) of the Gaussians fitted to two sets of features.

    It is the square of the Gaussians' W2 distance (`eq-gaussian-w2`), in squared units of the features, and
    called FID when the features are Inception's. Symmetric in its arguments. Raises ValueError unless each
    set has more rows than features: with fewer the covariances are singular and the value says little.
    Source: Heusel et al. 2017.
    """
    width = features.shape[1]
    for name, rows in (("samples", features), ("reference images", reference)):
        if len(rows) <= width:
            raise ValueError(
                f"a Fréchet distance of {width} features needs at least {width + 1} {name}, not {len(rows)}: "
                "take more of them, or kernel_distance, which needs two"
            )
    check_features(features, reference, least=2)
    mean_1, cov_1 = _moments(features)
    mean_2, cov_2 = _moments(reference)
    # The eigenvalues of Σ₁Σ₂ are those of the symmetric √Σ₁ Σ₂ √Σ₁, so no complex root can appear.
    values, vectors = torch.linalg.eigh(cov_1)
    root = vectors * values.clamp(min=0).sqrt() @ vectors.mT
    overlap = torch.linalg.eigvalsh(root @ cov_2 @ root).clamp(min=0).sqrt().sum()
    distance = (mean_1 - mean_2).square().sum() + cov_1.trace() + cov_2.trace() - 2 * overlap
    return max(0.0, distance.item())  # rounding can leave −1e−12 for equal sets


def frechet_bias(covariance: Float[Tensor, "d d"]) -> float:
    """What n rows of a Gaussian with this covariance add to a Fréchet distance on average, times n.

    For two sets of one law, of n and of m rows, the distance is about (1/n + 1/m) times this; the rest falls
    with their squares (`eq-frechet-bias`). In squared units of the features.
    """
    values = torch.linalg.eigvalsh(covariance.double()).clamp(min=0)
    pairs = values[:, None] * values / (values[:, None] + values).clamp(min=torch.finfo(values.dtype).tiny)
    return (1.25 * values.sum() + pairs.sum() / 2).item()


def _moments(features: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and unbiased covariance in float64: in float32 the trace would lose what it is to measure."""
    features = features.detach().cpu()
    mean = features.mean(0, dtype=torch.float64)
    squares = torch.zeros(len(mean), len(mean), dtype=torch.float64)
    for rows in features.split(AT_ONCE):
        deviations = rows.double() - mean
        squares.addmm_(deviations.mT, deviations)
    return mean, squares / (len(features) - 1)
