"""Fréchet distance: how far apart two sets of features are, as Gaussians."""

import torch
from jaxtyping import Float
from torch import Tensor

from gdmcourse.metrics.samples import check_features


def frechet_distance(features: Float[Tensor, "n d"], reference: Float[Tensor, "m e"]) -> float:
    """‖μ₁ − μ₂‖² + Tr(Σ₁ + Σ₂ − 2(Σ₁Σ₂)^½) of the Gaussians fitted to two sets of features.

    It is the square of the Gaussians' W2 distance (`eq-gaussian-w2`), in squared units of the features, and
    called FID when the features are Inception's. Symmetric in its arguments. Raises ValueError unless each
    set has more rows than features: with fewer the covariances are singular and the value says little.
    Source: Heusel et al. 2017.
    """
    check_features(features, reference, least=features.shape[1] + 1)
    mean_1, cov_1 = _moments(features)
    mean_2, cov_2 = _moments(reference)
    # The eigenvalues of Σ₁Σ₂ are those of the symmetric √Σ₁ Σ₂ √Σ₁, so no complex root can appear.
    values, vectors = torch.linalg.eigh(cov_1)
    root = vectors * values.clamp(min=0).sqrt() @ vectors.mT
    overlap = torch.linalg.eigvalsh(root @ cov_2 @ root).clamp(min=0).sqrt().sum()
    distance = (mean_1 - mean_2).square().sum() + cov_1.trace() + cov_2.trace() - 2 * overlap
    return max(0.0, distance.item())  # rounding can leave −1e−12 for equal sets


def _moments(features: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and unbiased covariance in float64: in float32 the trace would lose what it is to measure."""
    features = features.detach().cpu().double()
    return features.mean(0), features.mT.cov()
