"""The probability-flow ODE: the same marginals as the SDE without its noise, and so an exact likelihood."""

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from gdmcourse.diffusion.sde import SDE, Score

# The right side of dx/dt = velocity(t, x).
Velocity = Callable[[float, Tensor], Tensor]


def probability_flow(score: Score, sde: SDE) -> Velocity:
    """dx/dt = f(x, t) − ½ g(t)² ∇ log p_t(x). Source: `eq-probability-flow` (Song et al. 2021)."""

    def velocity(t: float, x: Tensor) -> Tensor:
        return sde.drift(x, t) - 0.5 * sde.diffusion(t) ** 2 * score(x, x.new_full((len(x),), t))

    return velocity


def heun(velocity: Velocity, x: Tensor, times: Sequence[float]) -> Tensor:
    """Solve dx/dt = velocity(t, x) along `times`, upward or downward, by Heun's method of order 2."""
    for t, s in itertools.pairwise(times):
        first = velocity(t, x)
        second = velocity(s, x + (s - t) * first)
        x = x + (s - t) / 2 * (first + second)
    return x


# Dormand and Prince's tableau: the nodes, the stages, and by how much the 5th order differs from the 4th.
_NODES = (0.0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1.0, 1.0)
_STAGES = (
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
)
_ERROR = (71 / 57600, 0.0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40)


def rk45(
    velocity: Velocity, x: Tensor, start: float, end: float, *, rtol: float = 1e-5, atol: float = 1e-5
) -> Tensor:
    """Solve dx/dt = velocity(t, x) from `start` to `end` by Dormand–Prince 5(4), steps chosen by the error.

    The error is a root mean square over the batch, relative to atol + rtol |x|. Raises RuntimeError if the
    steps shrink to nothing. Source: Dormand and Prince (1980).
    """
    t, step, slope = start, (end - start) / 100, velocity(start, x)
    while (end - t) * (end - start) > 0:
        if abs(step) < 1e-10 * abs(end - start):
            raise RuntimeError(
                f"the ODE became too stiff at t = {t:.4g}: loosen rtol and atol, or end before it"
            )
        step = math.copysign(min(abs(step), abs(end - t)), step)
        slopes = [slope]
        for node, row in zip(_NODES[1:], _STAGES, strict=True):
            trial = x + step * sum(a * k for a, k in zip(row, slopes, strict=True))
            slopes.append(velocity(t + node * step, trial))
        error = step * sum(e * k for e, k in zip(_ERROR, slopes, strict=True))
        allowed = atol + rtol * torch.maximum(x.abs(), trial.abs())  # the last trial is the 5th-order result
        badness = float((error / allowed).square().mean().sqrt())
        if badness <= 1:
            t, x, slope = (end if abs(end - t) <= abs(step) else t + step), trial, slopes[-1]
        step *= min(5.0, max(0.2, 0.9 * max(badness, 1e-8) ** -0.2)) if math.isfinite(badness) else 0.2
    return x


def log_likelihood(
    score: Score,
    sde: SDE,
    x0: Float[Tensor, " n *shape"],
    *,
    divergence: Literal["exact", "hutchinson"] = "exact",
    start: float = 1e-5,
    rtol: float = 1e-5,
    atol: float = 1e-5,
    generator: torch.Generator | None = None,
) -> Float[Tensor, " n"]:
    """log p(x_0) in nats by the instantaneous change of variables along the ODE from t = `start` to 1.

    log p(x_0) = log N(x_1; 0, prior_std² I) + ∫ div v dt. The divergence is "exact", one gradient a
    dimension, or "hutchinson", one for all: zᵀ(∂v/∂x)z with random signs z, right on average. Source:
    `eq-ode-likelihood`.
    """
    velocity = probability_flow(score, sde)
    signs = torch.randint(0, 2, x0.shape, generator=generator, device=x0.device).to(x0) * 2 - 1

    def augmented(t: float, state: Tensor) -> Tensor:
        with torch.enable_grad():
            x = state[:, :-1].reshape(x0.shape).detach().requires_grad_()
            v = velocity(t, x)
            if divergence == "exact":
                change = exact_divergence(v, x)
            else:
                change = (torch.autograd.grad((v * signs).sum(), x)[0] * signs).flatten(1).sum(1)
        return torch.cat([v.detach().flatten(1), change[:, None]], dim=1)

    state = torch.cat([x0.flatten(1), x0.new_zeros(len(x0), 1)], dim=1)
    state = rk45(augmented, state, start, 1.0, rtol=rtol, atol=atol)
    x_1, integral = state[:, :-1] / sde.prior_std, state[:, -1]
    constant = x_1.shape[1] * (math.log(2 * math.pi) / 2 + math.log(sde.prior_std))
    return integral - x_1.square().sum(1) / 2 - constant


def exact_divergence(v: Float[Tensor, " n *shape"], x: Float[Tensor, " n *shape"]) -> Float[Tensor, " n"]:
    """Σ_i ∂v_i/∂x_i for each row of a v computed from x with gradients on: one backward pass a dimension."""
    outputs = v.flatten(1)
    total = x.new_zeros(len(x))
    for i in range(outputs.shape[1]):
        gradient = torch.autograd.grad(outputs[:, i].sum(), x, retain_graph=True)[0]
        total = total + gradient.flatten(1)[:, i]
    return total.detach()
