"""Gaussian mixtures fitted by expectation–maximisation (EM), in log space."""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from gdmcourse.probability import GaussianMixture

Covariance = Literal["full", "diag", "spherical"]

# Rows handled at once: the (K, ROWS, D) deviations stay in the processor's cache, and memory stays flat in N.
ROWS = 1024


class DegenerateComponent(ValueError):
    """A component has lost its points or its volume; `component` is its index."""

    def __init__(self, component: int, what: str) -> None:
        self.component = component
        super().__init__(
            f"component {component} {what}; use fewer components, a larger floor, "
            "a simpler covariance ('diag' or 'spherical'), or another start"
        )


@dataclass(frozen=True)
class GMMFit:
    """A fitted mixture, and the mean log-likelihood (nats per point) before the first step and after each."""

    mixture: GaussianMixture
    log_likelihood: list[float]
    converged: bool


def e_step(
    x: Float[Tensor, "n d"], mixture: GaussianMixture
) -> tuple[Float[Tensor, "n k"], Float[Tensor, " n"]]:
    """Log responsibilities log p(k | x_n) and log densities log p(x_n), in nats.

    Source: `eq-gmm-responsibilities`, `eq-gmm-logsumexp`.
    """
    log_joint = torch.cat([mixture.log_joint(rows) for rows in x.split(ROWS)])
    log_density = torch.logsumexp(log_joint, dim=1)
    return log_joint - log_density[:, None], log_density


def m_step(
    x: Float[Tensor, "n d"],
    responsibilities: Float[Tensor, "n k"],
    *,
    covariance: Covariance = "full",
    floor: float = 1e-6,
) -> GaussianMixture:
    """The mixture that maximises the expected complete log-likelihood, `floor` added to each variance.

    The rows of `responsibilities` sum to one. Raises `DegenerateComponent` where a component holds no
    points or its covariance is singular in this precision.
    Source: `eq-gmm-m-weights`, `eq-gmm-m-means`, `eq-gmm-m-covariances`.
    """
    eps = torch.finfo(x.dtype).eps
    counts = responsibilities.sum(0)
    for k in (counts <= eps * len(x)).nonzero().flatten().tolist():
        raise DegenerateComponent(k, "holds no points")
    means = responsibilities.mT @ x / counts[:, None]

    d = x.shape[1]
    scatter = x.new_zeros(len(counts), d, d)
    for rows, weight in zip(x.split(ROWS), responsibilities.split(ROWS), strict=True):
        # Deviations from the new means, never E[x²] − E[x]²: that difference goes negative in float32.
        deviations = (rows - means[:, None]) * weight.mT.sqrt()[..., None]
        scatter.baddbmm_(deviations.mT, deviations)
    covariances = (scatter + scatter.mT) / (2 * counts[:, None, None])

    eye = torch.eye(d, dtype=x.dtype, device=x.device)
    variances = covariances.diagonal(dim1=-2, dim2=-1)
    if covariance == "diag":
        covariances = torch.diag_embed(variances)
    elif covariance == "spherical":
        covariances = variances.mean(-1)[:, None, None] * eye
    covariances = covariances + floor * eye
    _refuse_singular(covariances, counts)
    return GaussianMixture(counts / counts.sum(), means, covariances)


def fit_gmm(
    x: Float[Tensor, "n d"],
    k: int,
    *,
    covariance: Covariance = "full",
    init: GaussianMixture | None = None,
    iterations: int = 100,
    tol: float = 1e-5,
    floor: float = 1e-6,
    generator: torch.Generator | None = None,
) -> GMMFit:
    """Fit `k` Gaussians by EM until a step changes the mean log-likelihood by less than `tol` nats.

    Starts at `init`, or at k-means++ centres drawn with `generator`. Raises `ValueError` for data that are
    not finite or fewer than `k`, and `DegenerateComponent` as `m_step` does.
    Source: Dempster, Laird and Rubin (1977); `eq-gmm-monotone`.
    """
    if not x.isfinite().all():
        raise ValueError("x holds values that are not finite: remove or fill these rows first")
    if not 1 <= k <= len(x):
        raise ValueError(f"k is {k}, but {len(x)} points can carry 1 to {len(x)} components")
    if init is not None and init.means.shape != (k, x.shape[1]):
        raise ValueError(f"init has means of shape {tuple(init.means.shape)}, expected {(k, x.shape[1])}")
    mixture = _start(x, k, floor, generator) if init is None else init
    log_responsibilities, log_density = e_step(x, mixture)
    history = [log_density.mean().item()]
    for _ in range(iterations):
        mixture = m_step(x, log_responsibilities.exp(), covariance=covariance, floor=floor)
        log_responsibilities, log_density = e_step(x, mixture)
        history.append(log_density.mean().item())
        if abs(history[-1] - history[-2]) < tol:
            return GMMFit(mixture, history, converged=True)
    return GMMFit(mixture, history, converged=False)


def kmeans_plus_plus(
    x: Float[Tensor, "n d"], k: int, generator: torch.Generator | None = None
) -> Float[Tensor, "k d"]:
    """Choose `k` of the points, each with probability proportional to its squared distance from those before.

    Drawn on the CPU, so that a generator gives the same centres for data on any device. Raises `ValueError`
    where `x` has fewer than `k` different points. Source: Arthur and Vassilvitskii (2007).
    """
    chosen = [int(torch.randint(len(x), (1,), generator=generator))]
    nearest = (x - x[chosen[0]]).square().sum(1)
    while len(chosen) < k:
        if not nearest.any():
            raise ValueError(f"x has {len(chosen)} different points: ask for at most that many components")
        chosen.append(int(torch.multinomial(nearest.cpu(), 1, generator=generator)))
        nearest = torch.minimum(nearest, (x - x[chosen[-1]]).square().sum(1))
    return x[chosen]


def parameter_count(k: int, d: int, covariance: Covariance = "full") -> int:
    """Free numbers in a mixture of `k` Gaussians in `d` dimensions. Source: `eq-gmm-parameters`."""
    per_covariance = {"full": d * (d + 1) // 2, "diag": d, "spherical": 1}[covariance]
    return (k - 1) + k * d + k * per_covariance


def bic(x: Float[Tensor, "n d"], mixture: GaussianMixture, covariance: Covariance = "full") -> float:
    """Bayesian information criterion P log N − 2 log p(x_1 … x_N), smaller is better; `def-gmm-bic`."""
    k, d = mixture.means.shape
    return parameter_count(k, d, covariance) * math.log(len(x)) - 2 * e_step(x, mixture)[1].sum().item()


def _start(
    x: Float[Tensor, "n d"], k: int, floor: float, generator: torch.Generator | None
) -> GaussianMixture:
    """Equal weights at k-means++ centres, each a ball as wide as the points lie from their nearest centre."""
    n, d = x.shape
    centres = kmeans_plus_plus(x, k, generator)
    nearest = torch.cdist(x, centres).amin(1)
    std = float((nearest.square().sum() / (n * d) + floor).sqrt())
    return GaussianMixture.isotropic(centres, std)


def _refuse_singular(covariances: Float[Tensor, "k d d"], counts: Float[Tensor, " k"]) -> None:
    """Raise `DegenerateComponent` for the first covariance that is singular to working precision.

    A pivot of the Cholesky factor is the variance of one feature that the features before it leave
    unexplained; where that share is below rounding error, the matrix has no volume that can be trusted.
    """
    factor, info = torch.linalg.cholesky_ex(covariances)
    pivots = factor.diagonal(dim1=-2, dim2=-1).square()
    tiny = covariances.shape[-1] * torch.finfo(covariances.dtype).eps * covariances.diagonal(dim1=-2, dim2=-1)
    for k in ((info > 0) | ~(pivots > tiny).all(-1)).nonzero().flatten().tolist():
        raise DegenerateComponent(k, f"has no volume (it holds {counts[k]:.3g} points)")
