"""The linear VAE, which is probabilistic PCA: its likelihood, its posterior and its best fit are exact."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from gdmcourse.likelihood.points import Points, as_points, check_finite
from gdmcourse.probability.covariance import cholesky
from gdmcourse.probability.gaussian import gaussian_log_prob


@dataclass(frozen=True)
class LinearVAE:
    """z ~ N(0, I) of d latents, and x given z from N(W z + b, σ² I) in D dimensions.

    `loading` is W (D, d), `offset` is b (D,), `variance` is σ². Raises ValueError for other shapes, also of
    points, and unless 0 < σ² < ∞. Source: `eq-vae-linear` (Tipping and Bishop 1999).
    """

    loading: Float[Tensor, "D d"]
    offset: Float[Tensor, " D"]
    variance: float

    def __post_init__(self) -> None:
        if self.loading.ndim != 2 or self.offset.shape != self.loading.shape[:1]:
            raise ValueError(
                f"the loading W must be (D, d) and the offset b (D,), not {tuple(self.loading.shape)} and "
                f"{tuple(self.offset.shape)}; transpose W if it holds a row for each latent"
            )
        if not 0 < self.variance < math.inf:
            raise ValueError(f"the variance of the pixels must be above 0 and finite, not {self.variance}")

    def log_prob(self, x: Float[Tensor, "n D"]) -> Float[Tensor, " n"]:
        """The exact log p(x) in nats, (n,)."""
        self._check(x)
        eye = torch.eye(len(self.offset), dtype=x.dtype, device=x.device)
        return gaussian_log_prob(x, self.offset, self.loading @ self.loading.mT + self.variance * eye)

    def precision(self) -> Float[Tensor, "d d"]:
        """Of the posterior p(z | x), I + WᵀW/σ²: the same for every x."""
        eye = torch.eye(self.loading.shape[1], dtype=self.loading.dtype, device=self.loading.device)
        return eye + self.loading.mT @ self.loading / self.variance

    def posterior(self, x: Float[Tensor, "n D"]) -> tuple[Float[Tensor, "n d"], Float[Tensor, "d d"]]:
        """Mean for each row, and covariance, of p(z | x)."""
        self._check(x)
        factor = cholesky(self.precision(), "the precision of the posterior")
        pull = (x - self.offset) @ self.loading / self.variance
        return torch.cholesky_solve(pull.mT, factor).mT, torch.cholesky_inverse(factor)

    def elbo(
        self, x: Float[Tensor, "n D"], mean: Float[Tensor, "n d"], covariance: Float[Tensor, "d d"]
    ) -> Float[Tensor, " n"]:
        """E_q[log p(x | z)] − KL(q ‖ N(0, I)) in nats for q = N(mean, covariance), in closed form, (n,)."""
        self._check(x)
        factor = cholesky(covariance, "the covariance of q")
        miss = (x - self.offset - mean @ self.loading.mT).square().sum(1)
        spread = (self.loading @ factor).square().sum()
        log_scale = x.shape[1] * math.log(2 * math.pi * self.variance)
        log_likelihood = -0.5 * (log_scale + (miss + spread) / self.variance)
        excess = factor.square().sum() - len(factor) - 2 * factor.diagonal().log().sum()
        return log_likelihood - 0.5 * (mean.square().sum(1) + excess)

    def _check(self, x: Tensor) -> None:
        if x.ndim != 2 or x.shape[1] != len(self.offset):
            raise ValueError(f"x must be (N, {len(self.offset)}), a row for each point, not {tuple(x.shape)}")


def fit_linear_vae(x: Points, latents: int, variance: float | None = None) -> LinearVAE:
    """The linear VAE of greatest likelihood: W = U (Λ − σ² I)^½ with the largest eigenvalues Λ of the data.

    x (N, D) may be a tensor, an array or a list. Directions whose eigenvalue is below a given `variance` get
    a column of zeros: their latent is collapsed. Without one, σ² is the mean of the eigenvalues left out,
    which is the best. Raises ValueError unless 1 ≤ latents < D, for data that are not finite or none at all,
    and where σ² would be 0. Source: `eq-vae-water`.
    """
    x = as_points(x)
    check_finite(x)
    if not 1 <= latents < x.shape[1]:
        raise ValueError(f"latents must be in 1 … {x.shape[1] - 1}, below the dimension, not {latents}")
    offset = x.mean(0)
    values, vectors = torch.linalg.eigh(torch.cov(x.mT, correction=0))
    values, vectors = values.flip(0).clamp_min(0), vectors.flip(1)
    level = values[latents:].mean().item() if variance is None else variance
    rounding = 100 * torch.finfo(values.dtype).eps * values[0].item()
    if variance is None and level <= rounding:
        raise ValueError(
            "the directions left out don't vary, so the likelihood has no maximum; take fewer latents, or "
            "give a variance"
        )
    return LinearVAE(vectors[:, :latents] * (values[:latents] - level).clamp_min(0).sqrt(), offset, level)
