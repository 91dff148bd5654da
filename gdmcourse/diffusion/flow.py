"""Flow matching: straight paths from data (t = 0) to noise (t = 1), and the velocity that both laws share.

Everywhere x_t = (1 − t) x_0 + t ε with t in [0, 1] (Lipman et al. 2023; Liu et al. 2023).
"""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from gdmcourse.diffusion.objective import Batch, drop_labels
from gdmcourse.diffusion.per_image import check_same_shape, per_image
from gdmcourse.probability import GaussianMixture

# (x_t, t, y=None) → dx/dt, with one t in [0, 1] an image.
FlowVelocity = Callable[..., Tensor]


def check_times(t: float | Tensor, *, least: float = 0.0, most: float = 1.0) -> None:
    """Raise ValueError for a time outside [least, most]; times on an accelerator are not looked at."""
    values = t.detach() if isinstance(t, Tensor) else torch.tensor(t)
    if values.device.type == "cpu" and not ((values >= least) & (values <= most)).all():
        raise ValueError(f"times of a flow lie in [{least:g}, {most:g}], 0 data and 1 noise, not {t}")


def interpolate(
    x0: Float[Tensor, " n *shape"], noise: Float[Tensor, " n *shape"], t: float | Float[Tensor, " n"]
) -> Float[Tensor, " n *shape"]:
    """x_t = (1 − t) x_0 + t ε. Source: `def-straight-path`."""
    check_times(t)
    check_same_shape(x0, noise, "the noise")
    share = per_image(t, x0)
    return (1 - share) * x0 + share * noise


def flow_from_x0(x_t: Tensor, x0: Tensor, t: float | Tensor) -> Tensor:
    """v = (x_t − x̂_0)/t, for t > 0. Source: `eq-path-guesses`."""
    check_times(t, least=1e-12)
    return (x_t - x0) / per_image(t, x_t)


def x0_from_flow(x_t: Tensor, v: Tensor, t: float | Tensor) -> Tensor:
    """x̂_0 = x_t − t v. Source: `eq-path-guesses`."""
    check_times(t)
    return x_t - per_image(t, x_t) * v


def noise_from_flow(x_t: Tensor, v: Tensor, t: float | Tensor) -> Tensor:
    """ε̂ = x_t + (1 − t) v. Source: `eq-path-guesses`."""
    check_times(t)
    return x_t + (1 - per_image(t, x_t)) * v


def flow_clock(log_alpha_bar: float) -> tuple[float, float]:
    """(t, c) with x_t of the flow = c · x of the diffusion at that ᾱ: a change of clock and of scale.

    t = b/(a + b) and c = 1/(a + b), with a = √ᾱ and b = √(1 − ᾱ). Source: `eq-path-clock`.
    """
    a, b = math.exp(log_alpha_bar / 2), math.sqrt(-math.expm1(log_alpha_bar))
    return b / (a + b), 1 / (a + b)


def exact_flow(mixture: GaussianMixture) -> FlowVelocity:
    """The marginal velocity E[ε − x_0 | x_t] for data from `mixture`, which a network is trained towards."""

    def velocity(x_t: Float[Tensor, "n d"], t: Tensor, y: Tensor | None = None) -> Float[Tensor, "n d"]:
        check_times(t)
        v = torch.empty_like(x_t)
        for time in t.unique().tolist():
            rows = t == time
            scale = math.hypot(1 - time, time)
            x, kept = x_t[rows] / scale, ((1 - time) / scale) ** 2
            v[rows] = mixture.noise(x, kept) - mixture.denoise(x, kept)
        return v

    return velocity


def flow_matching_loss(
    *, drop: float = 0.0, null: int | None = None
) -> Callable[[FlowVelocity, Batch, torch.Generator], Tensor]:
    """The loss for `gdmcourse.training.fit`: E ‖v(x_t, t) − (ε − x_0)‖², a mean over pixels, t uniform.

    A batch is the images, or a tuple (images, labels); with `drop` > 0 a label becomes `null` that often.
    Source: `eq-conditional-matching`.
    """
    if not 0 <= drop <= 1:
        raise ValueError(f"the probability of dropping a label lies in [0, 1], not {drop}")
    if drop > 0 and null is None:
        raise ValueError("to drop labels, say which label stands for none: null=network.null_class")

    def loss(network: FlowVelocity, batch: Batch, generator: torch.Generator) -> Tensor:
        x0, y = (batch[0], batch[1]) if isinstance(batch, tuple) else (batch, None)
        if y is not None and drop > 0 and null is not None:
            y = drop_labels(y, drop, null, generator)
        t = torch.rand(len(x0), generator=generator, device=x0.device, dtype=x0.dtype)
        noise = torch.randn(x0.shape, generator=generator, device=x0.device, dtype=x0.dtype)
        error = network(interpolate(x0, noise, t), t, y) - (noise - x0)
        return error.float().square().mean()

    return loss
