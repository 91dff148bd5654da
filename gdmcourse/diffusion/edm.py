"""EDM: images with noise of standard deviation σ, and a network whose input and target have variance one.

Here x = x_0 + σ ε, and D(x; σ) estimates x_0 (Karras et al. 2022).
"""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gdmcourse.diffusion.flow import FlowVelocity, x0_from_flow
from gdmcourse.diffusion.per_image import per_image

# (x, σ, y=None) → x̂_0, with one σ > 0 an image.
SigmaDenoiser = Callable[..., Tensor]


@dataclass(frozen=True)
class Preconditioning:
    """D(x; σ) = c_skip x + c_out F(c_in x, c_noise), for data of standard deviation `std`.

    Input and target of F have variance one at every σ, and c_out is as small as that allows. Raises
    ValueError for a `std` or a σ that is not positive (at σ = 0 c_noise alone has no value). Source:
    `eq-edm-coefficients`.
    """

    std: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.std < math.inf:
            raise ValueError(f"the data's standard deviation must be above 0, not {self.std}")

    def skip(self, sigma: Tensor) -> Tensor:
        """c_skip = s²/(σ² + s²), with s the data's standard deviation."""
        return self.std**2 / self._total(sigma)

    def out(self, sigma: Tensor) -> Tensor:
        """c_out = σ s/√(σ² + s²)."""
        return sigma * self.std / self._total(sigma).sqrt()

    def into(self, sigma: Tensor) -> Tensor:
        """c_in = 1/√(σ² + s²)."""
        return self._total(sigma).rsqrt()

    def noise(self, sigma: Tensor) -> Tensor:
        """c_noise = ¼ log σ, what F is told of the noise."""
        return sigma.log() / 4

    def weight(self, sigma: Tensor) -> Tensor:
        """λ(σ) = 1/c_out², by which the error of D is that of F."""
        return 1 / self.out(sigma).square()

    def denoiser(self, network: Callable[..., Tensor]) -> SigmaDenoiser:
        """D for a network F(input, c_noise, y)."""

        def denoise(x: Tensor, sigma: Tensor, y: Tensor | None = None) -> Tensor:
            skip, out, into = (per_image(c(sigma), x) for c in (self.skip, self.out, self.into))
            return skip * x + out * network(into * x, self.noise(sigma), y)

        return denoise

    def _total(self, sigma: Tensor) -> Tensor:
        if sigma.device.type == "cpu" and not (sigma > 0).all():
            raise ValueError(f"σ must be above 0, not {float(sigma.min()):g}")
        return sigma.square() + self.std**2


def karras_sigmas(steps: int, low: float = 0.002, high: float = 80.0, rho: float = 7.0) -> list[float]:
    """`steps` + 1 noise levels from `high` down to `low`, evenly spaced in σ^(1/ρ), and then 0.

    So `steps` steps, the last of them from `low` to 0. Raises ValueError unless 0 < low < high and there
    are two steps or more. Source: Karras et al. (2022), equation 5.
    """
    if not 0 < low < high:
        raise ValueError(f"noise levels go from a high σ to a low one above 0, not from {high:g} to {low:g}")
    if steps < 2:
        raise ValueError(f"at least 2 steps are needed, not {steps}")
    ends = high ** (1 / rho), low ** (1 / rho)
    return [(ends[0] + i / (steps - 1) * (ends[1] - ends[0])) ** rho for i in range(steps)] + [0.0]


@torch.no_grad()
def edm_heun(
    denoiser: SigmaDenoiser,
    x: Tensor,
    sigmas: Sequence[float],
    *,
    y: Tensor | None = None,
    on_step: Callable[[float, Tensor], None] | None = None,
) -> Tensor:
    """Heun's method for dx/dσ = (x − D(x; σ))/σ along decreasing `sigmas`, from x ~ N(0, σ_0² I).

    The step to σ = 0 is Euler's, so n steps take 2n − 1 evaluations. Raises ValueError for levels that do
    not decrease. Source: Karras et al. (2022), algorithm 1.
    """
    if len(sigmas) < 2 or sigmas[-1] < 0 or any(b >= a for a, b in itertools.pairwise(sigmas)):
        raise ValueError(f"noise levels must decrease to 0 or above, not {list(sigmas)}")

    def slope(x: Tensor, sigma: float) -> Tensor:
        return (x - denoiser(x, x.new_full((len(x),), sigma), y)) / sigma

    for high, low in itertools.pairwise(sigmas):
        first = slope(x, high)
        moved = x + (low - high) * first
        x = moved if low == 0 else x + (low - high) / 2 * (first + slope(moved, low))
        if on_step:
            on_step(low, x)
    return x


def sigma_denoiser(velocity: FlowVelocity) -> SigmaDenoiser:
    """D(x; σ) of a flow: the flow's time is t = σ/(1 + σ), its image x/(1 + σ). Source: `eq-path-clock`."""

    def denoise(x: Tensor, sigma: Tensor, y: Tensor | None = None) -> Tensor:
        t = sigma / (1 + sigma)
        x_t = x / per_image(1 + sigma, x)
        return x0_from_flow(x_t, velocity(x_t, t, y), t)

    return denoise
