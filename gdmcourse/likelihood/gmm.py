"""Gaussian mixtures fitted by expectation–maximisation (EM), in log space."""

import math
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from gdmcourse.likelihood.points import Points, as_points, check_finite, exact
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

    The rows of `responsibilities` sum to one. Sums are in float64, the mixture in the type of x. Raises
    `DegenerateComponent` where a component holds no points or its covariance is singular in that type, and
    ValueError for an unknown `covariance`.
    Source: `eq-gmm-m-weights`, `eq-gmm-m-means`, `eq-gmm-m-covariances`.
    """
    _check_covariance(covariance)
    kind = x.dtype
    x, responsibilities = exact(x), exact(responsibilities)
    counts = responsibilities.sum(0)
    for k in (counts <= torch.finfo(kind).eps * len(x)).nonzero().flatten().tolist():
        raise DegenerateComponent(k, "holds no points")
    centre = x.mean(0)  # far from the origin the sums would lose what lies between the points
    means = responsibilities.mT @ (x - centre) / counts[:, None] + centre

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
    return _in_type(kind, counts, means, covariances)


def fit_gmm(
    x: Points,  # not Float[Tensor, "n d"], because this is where a reader's own numbers come in
    k: int,
    *,
    covariance: Covariance = "full",
    init: GaussianMixture | None = None,
    n_init: int = 1,
    iterations: int = 100,
    tol: float = 1e-5,
    floor: float = 1e-6,
    generator: torch.Generator | None = None,
) -> GMMFit:
    """Fit `k` Gaussians by EM until a step changes the mean log-likelihood by less than `tol` nats.

    x (N, D) may be a tensor, an array or a list. EM runs on the points less their mean, in float64, and the
    mixture is of the type of x (float32 for whole numbers and half precision). Starts at `init`, or at
    k-means++ centres drawn with `generator`; of `n_init` such starts the likeliest fit is kept. Raises
    `ValueError` for data that are not finite or fewer than `k`, and `DegenerateComponent` as `m_step` does,
    where every start ends so.
    Source: Dempster, Laird and Rubin (1977); `eq-gmm-monotone`.
    """
    x = as_points(x)
    _check_request(x, k, covariance, init, n_init, iterations, floor)
    centre = exact(x).mean(0)
    centred = exact(x) - centre
    fits, failures = list[GMMFit](), list[DegenerateComponent]()
    for _ in range(n_init):
        try:
            start = (
                _start(centred, k, floor, generator) if init is None else _moved(init, centred.dtype, -centre)
            )
            fit = _run_em(centred, start, covariance, iterations, tol, floor)
            fits.append(replace(fit, mixture=_moved(fit.mixture, x.dtype, centre)))
        except DegenerateComponent as failure:
            failures.append(failure)
    if not fits:
        raise failures[0]
    return max(fits, key=lambda fit: fit.log_likelihood[-1])


def _run_em(
    x: Tensor, mixture: GaussianMixture, covariance: Covariance, iterations: int, tol: float, floor: float
) -> GMMFit:
    """EM from one start, until a step changes the mean log-likelihood by less than `tol`."""
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
    unless k ≥ 1 and x has as many different points. Source: Arthur and Vassilvitskii (2007).
    """
    if k < 1 or len(x) == 0:
        raise ValueError(f"at least one of at least one point is chosen, not {k} of {len(x)}")
    chosen = [int(torch.randint(len(x), (1,), generator=generator))]
    nearest = (x - x[chosen[0]]).square().sum(1)
    while len(chosen) < k:
        if not nearest.any():
            raise ValueError(f"x has {len(chosen)} different points: ask for at most that many components")
        chosen.append(int(torch.multinomial(nearest.cpu(), 1, generator=generator)))
        nearest = torch.minimum(nearest, (x - x[chosen[-1]]).square().sum(1))
    return x[chosen]


def parameter_count(k: int, d: int, covariance: Covariance = "full") -> int:
    """Free numbers in a mixture of `k` Gaussians in `d` dimensions. Source: `eq-gmm-parameters`.

    Raises ValueError for an unknown `covariance`.
    """
    _check_covariance(covariance)
    per_covariance = {"full": d * (d + 1) // 2, "diag": d, "spherical": 1}[covariance]
    return (k - 1) + k * d + k * per_covariance


def bic(x: Points, mixture: GaussianMixture, covariance: Covariance = "full") -> float:
    """Bayesian information criterion P log N − 2 log p(x_1 … x_N), smaller is better; `def-gmm-bic`.

    Raises ValueError for an unknown `covariance`, and for data that are not finite or none at all.
    """
    points, (k, d) = exact(as_points(x)), mixture.means.shape
    check_finite(points)
    log_density = e_step(points, _moved(mixture, points.dtype))[1]
    return parameter_count(k, d, covariance) * math.log(len(points)) - 2 * log_density.sum().item()


def _start(
    x: Float[Tensor, "n d"], k: int, floor: float, generator: torch.Generator | None
) -> GaussianMixture:
    """Equal weights at k-means++ centres, each a ball as wide as the points lie from their nearest centre."""
    n, d = x.shape
    centres = kmeans_plus_plus(x, k, generator)
    # One centre at a time: cdist's matrix product cancels where points lie closer than they are far from 0.
    nearest = torch.stack([(x - centre).square().sum(1) for centre in centres]).amin(0)
    std = float((nearest.sum() / (n * d) + floor).sqrt())
    return GaussianMixture.isotropic(centres, std)


def _check_request(
    x: Tensor,
    k: int,
    covariance: str,
    init: GaussianMixture | None,
    n_init: int,
    iterations: int,
    floor: float,
) -> None:
    """Raise ValueError for the first thing that `fit_gmm` can't do, and say what it can."""
    check_finite(x)
    if not isinstance(k, Integral) or not 1 <= k <= len(x):
        raise ValueError(f"k is {k}, but {len(x)} points can carry 1 to {len(x)} components")
    _check_covariance(covariance)
    if init is not None and init.means.shape != (k, x.shape[1]):
        raise ValueError(f"init has means of shape {tuple(init.means.shape)}, expected {(k, x.shape[1])}")
    if n_init < 1 or (init is not None and n_init > 1):
        raise ValueError(f"n_init is {n_init}; it must be at least 1, and 1 if init is the one start")
    if iterations < 0 or not floor >= 0:
        raise ValueError(f"iterations and floor must be at least 0, not {iterations} and {floor}")


def _check_covariance(covariance: str) -> None:
    if covariance not in get_args(Covariance):
        raise ValueError(f"covariance is {covariance!r}; it must be one of {', '.join(get_args(Covariance))}")


def _moved(mixture: GaussianMixture, kind: torch.dtype, by: Tensor | float = 0.0) -> GaussianMixture:
    """The mixture moved by a vector, and in another float type."""
    return _in_type(kind, exact(mixture.weights), exact(mixture.means) + by, exact(mixture.covariances))


def _in_type(kind: torch.dtype, counts: Tensor, means: Tensor, covariances: Tensor) -> GaussianMixture:
    """A mixture of these shares in another float type; `DegenerateComponent` where that is too coarse."""
    _refuse_singular(covariances.to(kind), counts)
    return GaussianMixture((counts / counts.sum()).to(kind), means.to(kind), covariances.to(kind))


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
