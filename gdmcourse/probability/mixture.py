"""The exact mixture of Gaussians: every quantity that a generative model approximates, in closed form."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor

from gdmcourse.probability.covariance import cholesky, is_symmetric


@dataclass(frozen=True, eq=False)
class GaussianMixture:
    """Σ_k w_k N(x; m_k, C_k): weights (K,), means (K, D), covariances (K, D, D), all of one float type.

    The course's oracle (`def-exact-mixture`): density, score, diffused law and optimal denoiser are exact, so
    samplers, losses and metrics can be tested without training anything. All of it is computed in log space
    from Cholesky factors. Raises ValueError when shapes disagree, when the weights are negative or do not
    sum to one, or when a covariance (which one is named) is not symmetric positive definite.
    """

    # Plain `Tensor`, because shapes are checked here by hand: this is where a reader's own numbers come in.
    weights: Tensor
    means: Tensor
    covariances: Tensor

    def __post_init__(self) -> None:
        if self.weights.ndim != 1 or self.means.ndim != 2 or len(self.weights) != len(self.means):
            raise ValueError(
                f"weights must be (K,) and means (K, D), but they are {tuple(self.weights.shape)} "
                f"and {tuple(self.means.shape)}"
            )
        k, d = self.means.shape
        if self.covariances.shape != (k, d, d):
            raise ValueError(f"covariances must be {(k, d, d)}, but are {tuple(self.covariances.shape)}")
        kinds = {self.weights.dtype, self.means.dtype, self.covariances.dtype}
        if len(kinds) > 1 or not self.means.is_floating_point():
            raise ValueError(f"weights, means and covariances must share one float type, not {kinds}")
        if not torch.isfinite(self.means).all():
            raise ValueError("means must be finite")
        if not (self.weights >= 0).all():
            raise ValueError(f"weights must be at least 0, but are {self.weights.tolist()}")
        total = self.weights.double().sum().item()
        if abs(total - 1) > 1e-4:
            raise ValueError(f"weights must sum to one, but sum to {total:.6g}; divide them by their sum")
        _ = self._cholesky  # factorised now, so that a bad covariance is refused at construction

    @classmethod
    def isotropic(
        cls, means: Float[Tensor, "k d"], std: float | int, weights: Float[Tensor, " k"] | None = None
    ) -> "GaussianMixture":
        """Components with one standard deviation in all directions, and equal weights by default.

        Raises ValueError when `std` is not positive.
        """
        if std <= 0:
            raise ValueError(f"std must be positive, but is {std}")
        k, d = means.shape
        if weights is None:
            weights = means.new_full((k,), 1 / k)
        identity = torch.eye(d, dtype=means.dtype, device=means.device)
        return cls(weights, means, (std**2 * identity).expand(k, d, d))

    @cached_property
    def _cholesky(self) -> Float[Tensor, "k d d"]:
        # One batched factorisation; only a failure pays for finding out which component it was.
        factors, info = torch.linalg.cholesky_ex(self.covariances)
        finite = torch.isfinite(self.covariances).all()
        if info.any() or not finite or not is_symmetric(self.covariances):
            names = [f"the covariance of component {k}" for k in range(len(self.weights))]
            pairs = zip(self.covariances, names, strict=True)
            factors = torch.stack([cholesky(covariance, name) for covariance, name in pairs])
        return factors

    def _check(self, x: Tensor) -> None:
        d = self.means.shape[1]
        if x.ndim != 2 or x.shape[1] != d:
            raise ValueError(f"points must be (N, {d}), but are {tuple(x.shape)}")
        if x.dtype != self.means.dtype or x.device != self.means.device:
            raise ValueError(
                f"points are {x.dtype} on {x.device} and the mixture is {self.means.dtype} on "
                f"{self.means.device}; use x.to(mixture.means)"
            )

    def _residuals(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "k d n"]:
        self._check(x)
        return (x - self.means.unsqueeze(1)).mT

    def log_joint(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        """log w_k + log N(x; m_k, C_k): the log joint density of x and its component, (N, K)."""
        white = torch.linalg.solve_triangular(self._cholesky, self._residuals(x), upper=False)
        log_det = 2 * self._cholesky.diagonal(dim1=-2, dim2=-1).log().sum(-1)
        constant = self.weights.log() - 0.5 * (log_det + x.shape[1] * math.log(2 * math.pi))
        return (constant.unsqueeze(1) - 0.5 * white.square().sum(1)).mT

    def log_prob(self, x: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
        """Log density in nats at each row of x, (N,); finite wherever float range allows."""
        return self.log_joint(x).logsumexp(1)

    def log_prob_1d(self, x: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
        """Log density of a one-dimensional mixture at points given as (N,), as `divergence` wants it.

        Raises ValueError when the mixture has more than one dimension.
        """
        return self.log_prob(x.unsqueeze(1))

    def log_responsibilities(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        """log P(component k given x), each row summing to one after exponentiation."""
        return self.log_joint(x).log_softmax(1)

    def responsibilities(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        """P(component k given x) by Bayes' rule (`eq-mixture-posterior`)."""
        return self.log_responsibilities(x).exp()

    def score(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
        """∇ log p at each row of x (`eq-mixture-score`)."""
        pulls = -torch.cholesky_solve(self._residuals(x), self._cholesky)
        return torch.einsum("nk,kdn->nd", self.responsibilities(x), pulls)

    def sample_with_labels(
        self, n: int, generator: Generator | None = None
    ) -> tuple[Float[Tensor, "n d"], Int[Tensor, " n"]]:
        """n independent points (n, D) and the component each came from (n,)."""
        labels = torch.multinomial(self.weights, n, replacement=True, generator=generator)
        noise = torch.randn(
            n, self.means.shape[1], generator=generator, dtype=self.means.dtype, device=self.means.device
        )
        shifted = torch.einsum("nij,nj->ni", self._cholesky[labels], noise)
        return self.means[labels] + shifted, labels

    def sample(self, n: int, generator: Generator | None = None) -> Float[Tensor, "n d"]:
        """n independent points, (n, D)."""
        return self.sample_with_labels(n, generator)[0]

    def mean(self) -> Float[Tensor, " d"]:
        """E[x]."""
        return self.weights @ self.means

    def covariance(self) -> Float[Tensor, "d d"]:
        """Cov[x]: the mean of the covariances plus the covariance of the means (`eq-mixture-moments`)."""
        centred = self.means - self.mean()
        outer = torch.einsum("k,ki,kj->ij", self.weights, centred, centred)
        return torch.einsum("k,kij->ij", self.weights, self.covariances) + outer

    def given(self, components: int | Sequence[int]) -> "GaussianMixture":
        """The law of x given that it came from one of these components (a class), weights renormalised.

        Raises ValueError for a component that is not there, and for components of weight zero.
        """
        wanted = [components] if isinstance(components, int) else list(components)
        k = len(self.weights)
        if not wanted or len(set(wanted)) != len(wanted) or not all(0 <= c < k for c in wanted):
            raise ValueError(f"components must be different numbers in 0 … {k - 1}, but are {wanted}")
        weights = self.weights[wanted]
        if weights.sum() == 0:
            raise ValueError(f"components {wanted} have weight zero: there is nothing to condition on")
        return GaussianMixture(weights / weights.sum(), self.means[wanted], self.covariances[wanted])

    def diffused(
        self, alpha_bar: float | int | Float[Tensor, ""], sigma: float | int = 1.0
    ) -> "GaussianMixture":
        """The law of √ᾱ x₀ + √(1−ᾱ) σ ε for x₀ from this mixture and ε ~ N(0, I) (`eq-diffused-mixture`).

        Raises ValueError when ᾱ lies outside [0, 1] or σ is not positive.
        """
        keep = _signal_share(alpha_bar)
        if sigma <= 0:
            raise ValueError(f"sigma must be positive, but is {sigma}")
        noise = (1 - keep) * sigma**2 * torch.eye(self.means.shape[1]).to(self.means)
        return GaussianMixture(self.weights, math.sqrt(keep) * self.means, keep * self.covariances + noise)

    def denoise(
        self, x_t: Float[Tensor, "n d"], alpha_bar: float | int | Float[Tensor, ""]
    ) -> Float[Tensor, "n d"]:
        """E[x₀ given x_t] for x_t = √ᾱ x₀ + √(1−ᾱ) ε: the best denoiser there is (`eq-mixture-denoiser`).

        Raises ValueError when ᾱ lies outside [0, 1].
        """
        keep, noisy = _signal_share(alpha_bar), self.diffused(alpha_bar)
        pulls = torch.cholesky_solve(noisy._residuals(x_t), noisy._cholesky)
        estimates = self.means.unsqueeze(-1) + math.sqrt(keep) * self.covariances @ pulls
        return torch.einsum("nk,kdn->nd", noisy.responsibilities(x_t), estimates)

    def noise(
        self, x_t: Float[Tensor, "n d"], alpha_bar: float | int | Float[Tensor, ""]
    ) -> Float[Tensor, "n d"]:
        """E[ε given x_t] for x_t = √ᾱ x₀ + √(1−ᾱ) ε: the best ε̂ there is (`eq-mixture-noise`).

        Raises ValueError when ᾱ lies outside [0, 1].
        """
        # Through the score: the other way, (x_t − √ᾱ E[x₀]) / √(1−ᾱ), divides 0 by 0 as ᾱ → 1.
        return -math.sqrt(1 - _signal_share(alpha_bar)) * self.diffused(alpha_bar).score(x_t)


def _signal_share(alpha_bar: float | int | Tensor) -> float:
    value = float(alpha_bar)
    if not 0 <= value <= 1:
        raise ValueError(f"alpha_bar must lie in [0, 1], but is {value}")
    return value
