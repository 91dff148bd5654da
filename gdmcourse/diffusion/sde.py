"""Diffusion in continuous time: two stochastic equations dx = f(x, t) dt + g(t) dw on 0 ≤ t ≤ 1."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from gdmcourse.diffusion.denoiser import Denoiser
from gdmcourse.diffusion.noise_level import NoiseLevel
from gdmcourse.probability import GaussianMixture

# A score in continuous time: maps (x, t) to ∇ log p_t(x), with real times t (n,).
Score = Callable[[Tensor, Tensor], Tensor]


@runtime_checkable
class SDE(Protocol):
    """What the solvers ask of an equation; times are Python floats or tensors (n,) in [0, 1]."""

    @property
    def prior_std(self) -> float:
        """Standard deviation of the noise that sampling starts from."""
        ...

    def drift(self, x: Tensor, t: float) -> Tensor:
        """f(x, t)."""
        ...

    def diffusion(self, t: float) -> float:
        """g(t)."""
        ...

    def marginal(self, t: float) -> tuple[float, float]:
        """(signal, σ) with x_t = signal · x_0 + σ ε in law."""
        ...


@dataclass(frozen=True)
class VPSDE:
    """Variance-preserving: dx = −½ β(t) x dt + √β(t) dw, β rising from `beta_min` to `beta_max`.

    DDPM in the limit: at t = τ/T it follows `linear_schedule(T)` for large T. Source: `def-vp-sde` (Song
    et al. 2021).
    """

    beta_min: float = 0.1
    beta_max: float = 20.0
    prior_std = 1.0

    def __post_init__(self) -> None:
        """Raise ValueError unless 0 < beta_min ≤ beta_max."""
        if not 0 < self.beta_min <= self.beta_max:
            raise ValueError(
                f"the VP SDE's rates need 0 < beta_min ≤ beta_max, not {self.beta_min}, {self.beta_max}"
            )

    def beta(self, t: float) -> float:
        """β(t)."""
        return self.beta_min + t * (self.beta_max - self.beta_min)

    def drift(self, x: Tensor, t: float) -> Tensor:
        """−½ β(t) x."""
        return -0.5 * self.beta(t) * x

    def diffusion(self, t: float) -> float:
        """√β(t)."""
        return math.sqrt(self.beta(t))

    def noise_level(self, t: float) -> NoiseLevel:
        """The level with log ᾱ = −∫β, in continuous time. Source: `eq-vp-marginal`."""
        return NoiseLevel(t, -(self.beta_min * t + 0.5 * t**2 * (self.beta_max - self.beta_min)))

    def marginal(self, t: float) -> tuple[float, float]:
        """signal = exp(−½ ∫β) and σ = √(1 − signal²). Source: `eq-vp-marginal`."""
        level = self.noise_level(t)
        return level.signal, level.sigma


@dataclass(frozen=True)
class VESDE:
    """Variance-exploding: dx = √(dσ²/dt) dw with σ(t) = sigma_min (sigma_max/sigma_min)^t: NCSN in the limit.

    Source: `def-ve-sde` (Song et al. 2021).
    """

    sigma_min: float = 0.01
    sigma_max: float = 10.0

    def __post_init__(self) -> None:
        """Raise ValueError unless 0 < sigma_min < sigma_max."""
        if not 0 < self.sigma_min < self.sigma_max:
            raise ValueError(
                f"the VE SDE's noise needs 0 < sigma_min < sigma_max, not {self.sigma_min}, {self.sigma_max}"
            )

    @property
    def prior_std(self) -> float:
        """Standard deviation of the noise that sampling starts from."""
        return self.marginal(1.0)[1]

    def drift(self, x: Tensor, t: float) -> Tensor:
        """Zero: the signal stays as it is."""
        return torch.zeros_like(x)

    def diffusion(self, t: float) -> float:
        """σ(t) √(2 log(sigma_max/sigma_min))."""
        ratio = self.sigma_max / self.sigma_min
        return self.sigma_min * ratio**t * math.sqrt(2 * math.log(ratio))

    def marginal(self, t: float) -> tuple[float, float]:
        """signal = 1 and σ = √(σ(t)² − σ(0)²), since the equation starts at clean data.

        Source: `eq-ve-marginal`.
        """
        ratio = self.sigma_max / self.sigma_min
        return 1.0, self.sigma_min * math.sqrt(math.expm1(2 * t * math.log(ratio)))


def exact_score(mixture: GaussianMixture, sde: SDE) -> Score:
    """∇ log p_t for data from `mixture`; one time for the whole batch, as solvers ask it."""

    def score(x: Float[Tensor, "n d"], t: Float[Tensor, " n"]) -> Float[Tensor, "n d"]:
        signal, sigma = sde.marginal(float(t[0]))
        noise = sigma**2 * torch.eye(x.shape[1]).to(mixture.covariances)
        law = GaussianMixture(
            mixture.weights, signal * mixture.means, signal**2 * mixture.covariances + noise
        )
        return law.score(x)

    return score


def vp_score(denoiser: Denoiser, sde: VPSDE, T: int = 1000) -> Score:
    """The score −ε̂(x, T t)/σ(t) of a denoiser of `linear_schedule(T)`, asked between its steps too."""

    def score(x: Tensor, t: Tensor) -> Tensor:
        return -denoiser(x, T * t, None) / sde.marginal(float(t[0]))[1]

    return score
