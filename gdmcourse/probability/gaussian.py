"""Gaussians in any dimension: density, divergence, distance, conditioning, product and affine image.

A Gaussian is its mean (D,) and its covariance (D, D). Everything goes through Cholesky factors or
eigenvalues; no covariance is inverted.
"""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

from gdmcourse.probability.covariance import check_symmetric, cholesky, square_root

Mean = Float[Tensor, " d"]
Covariance = Float[Tensor, "d d"]


def gaussian_log_prob(x: Float[Tensor, "n d"], mean: Mean, covariance: Covariance) -> Float[Tensor, " n"]:
    """Log density of N(mean, covariance) in nats at each row of x, (N,); `def-gaussian` of the notation page.

    Raises ValueError when the covariance is not symmetric positive definite.
    """
    factor = cholesky(covariance, "the covariance")
    white = torch.linalg.solve_triangular(factor, (x - mean).mT, upper=False)
    log_det = 2 * factor.diagonal().log().sum()
    return -0.5 * (white.square().sum(0) + log_det + mean.shape[0] * math.log(2 * math.pi))


def gaussian_kl(mean_p: Mean, cov_p: Covariance, mean_q: Mean, cov_q: Covariance) -> Float[Tensor, ""]:
    """KL(p‖q) in nats between two Gaussians (`eq-gaussian-kl`); never negative, not even by rounding.

    Raises ValueError when a covariance is not symmetric positive definite (the divergence is then infinite
    or undefined).
    """
    factor_p, factor_q = cholesky(cov_p, "cov_p"), cholesky(cov_q, "cov_q")
    # With M = L_q⁻¹ L_p, lower triangular, the trace and the two log-determinants become a sum of squares
    # and of d − log(1 + d) ≥ 0, where d = M_ii² − 1: no large terms are left to cancel.
    ratio = torch.linalg.solve_triangular(factor_q, factor_p, upper=False)
    shift = torch.linalg.solve_triangular(factor_q, (mean_p - mean_q).unsqueeze(-1), upper=False)
    excess = ratio.diagonal().square() - 1
    return 0.5 * (ratio.tril(-1).square().sum() + (excess - excess.log1p()).sum() + shift.square().sum())


def gaussian_w2(mean_p: Mean, cov_p: Covariance, mean_q: Mean, cov_q: Covariance) -> Float[Tensor, ""]:
    """The 2-Wasserstein distance (not its square) between two Gaussians, in the unit of x (`eq-gaussian-w2`).

    Singular covariances, down to point masses, are allowed. Raises ValueError when a covariance is not
    symmetric or has a negative eigenvalue.
    """
    root_p, root_q = square_root(cov_p, "cov_p"), square_root(cov_q, "cov_q")
    # Tr (Σp^½ Σq Σp^½)^½ is the sum of the singular values of Σq^½ Σp^½.
    overlap = torch.linalg.svdvals(root_q @ root_p).sum()
    spread = cov_p.trace() + cov_q.trace() - 2 * overlap
    return ((mean_p - mean_q).square().sum() + spread).clamp_min(0).sqrt()


def condition(
    mean: Mean, cov: Covariance, observed_index: Int[Tensor, " o"] | list[int], values: Float[Tensor, " o"]
) -> tuple[Float[Tensor, " u"], Float[Tensor, "u u"]]:
    """Mean and covariance of the other coordinates, in their order, given some (`eq-conditioning`).

    `observed_index` lists the observed coordinates and `values` what was seen there. Raises ValueError for
    an index that is repeated or out of range, when nothing is left to predict, and when the observed block
    is not positive definite.
    """
    index = torch.as_tensor(observed_index, dtype=torch.long, device=mean.device)
    d = mean.shape[0]
    if len(index) != len(values):
        raise ValueError(f"{len(index)} coordinates are observed but {len(values)} values are given")
    if not ((index >= 0) & (index < d)).all():
        raise ValueError(f"observed_index must lie in 0 … {d - 1}, but is {index.tolist()}")
    if len(index.unique()) != len(index) or len(index) == d:
        raise ValueError("observed_index must list different coordinates and leave at least one unobserved")
    hidden = torch.ones(d, dtype=torch.bool, device=mean.device).index_fill(0, index, False)
    check_symmetric(cov, "cov")
    if len(index) == 0:
        return mean, cov
    factor = cholesky(cov[index][:, index], "the covariance of the observed coordinates")
    cross = cov[hidden][:, index]
    gain = torch.cholesky_solve(cross.mT, factor).mT
    conditional = cov[hidden][:, hidden] - gain @ cross.mT
    return mean[hidden] + gain @ (values - mean[index]), (conditional + conditional.mT) / 2


def product(
    mean_1: Mean, cov_1: Covariance, mean_2: Mean, cov_2: Covariance
) -> tuple[Mean, Covariance, Float[Tensor, ""]]:
    """Mean, covariance and log scale of the product of two Gaussian densities (`eq-gaussian-product`).

    N(x; μ₁, Σ₁) N(x; μ₂, Σ₂) = e^(log scale) N(x; mean, covariance) for all x. Raises ValueError when a
    covariance is not symmetric or their sum is not positive definite.
    """
    check_symmetric(cov_1, "cov_1")
    check_symmetric(cov_2, "cov_2")
    total = cov_1 + cov_2
    factor = cholesky(total, "cov_1 + cov_2")
    gain = torch.cholesky_solve(cov_1, factor).mT
    covariance = gain @ cov_2
    log_scale = gaussian_log_prob(mean_1.unsqueeze(0), mean_2, total)[0]
    return mean_1 + gain @ (mean_2 - mean_1), (covariance + covariance.mT) / 2, log_scale


def linear_image(
    matrix: Float[Tensor, "m d"], offset: Float[Tensor, " m"], mean: Mean, cov: Covariance
) -> tuple[Float[Tensor, " m"], Float[Tensor, "m m"]]:
    """Mean and covariance of A x + b for x ~ N(mean, cov), with A (M, D) and b (M,) (`eq-affine-image`).

    Raises ValueError when the covariance is not square and symmetric.
    """
    check_symmetric(cov, "cov")
    image = matrix @ cov @ matrix.mT
    return matrix @ mean + offset, (image + image.mT) / 2
