"""The probability-flow ODE: the same marginals as the SDE without its noise, and so an exact likelihood."""

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
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


def rk45(
    velocity: Velocity, x: Tensor, start: float, end: float, *, rtol: float = 1e-5, atol: float = 1e-5
) -> Tensor:
    """Solve dx/dt = velocity(t, x) from `start` to `end` by Dormand–Prince 5(4), steps chosen by the error.

    scipy's solver in float64, with x as one long vector: the error is a root mean square over the batch,
    relative to atol + rtol |x|. Raises RuntimeError if the steps shrink to nothing. Source: Dormand and
    Prince (1980).
    """
    from scipy.integrate import solve_ivp

    def flat_velocity(t: float, state: np.ndarray) -> np.ndarray:
        return velocity(t, torch.from_numpy(state).to(x).view_as(x)).flatten().double().cpu().numpy()

    began = x.flatten().double().cpu().numpy()
    path = solve_ivp(flat_velocity, (start, end), began, method="RK45", t_eval=[end], rtol=rtol, atol=atol)
    if not path.success:
        raise RuntimeError("the ODE became too stiff on the way: loosen rtol and atol, or end before it")
    return torch.from_numpy(path.y[:, 0]).to(x).view_as(x)


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
