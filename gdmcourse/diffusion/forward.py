"""The forward process: noisy images in one draw, the exact step back when x_0 is known, and ε ↔ x_0 ↔ v.

Times are an int for the whole batch or a tensor (n,) with one time per image, from 1 to T. Coefficients are
float32 even under autocast, so half-precision images give float32 results.
"""

from typing import TypeVar

from jaxtyping import Float, Int
from torch import Tensor

from gdmcourse.diffusion.per_image import check_same_shape, per_image
from gdmcourse.diffusion.schedule import Schedule

Times = int | Int[Tensor, " n"]
Number = TypeVar("Number", float, Tensor)


def marginal(
    schedule: Schedule, x0: Float[Tensor, " n *shape"], t: Times
) -> tuple[Float[Tensor, " n *shape"], Float[Tensor, "..."]]:
    """Mean √ᾱ_t x_0 and variance 1 − ᾱ_t of q(x_t | x_0); the variance broadcasts against x_0.

    Raises `ScheduleError` for a time outside 1 … T. Source: `eq-forward-marginal` (Ho et al. 2020).
    """
    schedule.check_time(t)
    mean = per_image(schedule.alpha_bar[t].sqrt(), x0) * x0
    return mean, per_image(schedule.one_minus_alpha_bar[t], x0)


def q_sample(
    schedule: Schedule, x0: Float[Tensor, " n *shape"], t: Times, noise: Float[Tensor, " n *shape"]
) -> Float[Tensor, " n *shape"]:
    """Noisy images x_t = √ᾱ_t x_0 + √(1 − ᾱ_t) ε, drawn in one go from standard normal `noise` ε.

    Raises `ScheduleError` for a time outside 1 … T. Source: `eq-forward-marginal`.
    """
    check_same_shape(x0, noise, "the noise")
    mean, variance = marginal(schedule, x0, t)
    return mean + variance.sqrt() * noise


def transition(
    schedule: Schedule, x_s: Float[Tensor, " n *shape"], t: Times, s: Times | None = None
) -> tuple[Float[Tensor, " n *shape"], Float[Tensor, "..."]]:
    """Mean and variance of q(x_t | x_s) for a time s < t (t − 1 by default); the variance broadcasts.

    Raises `ScheduleError` unless 0 ≤ s < t ≤ T. Source: `def-forward-step`, `eq-forward-jump`.
    """
    kept, added = schedule.between(t - 1 if s is None else s, t)
    return per_image(kept.sqrt(), x_s) * x_s, per_image(added, x_s)


def posterior(
    schedule: Schedule,
    x0: Float[Tensor, " n *shape"],
    x_t: Float[Tensor, " n *shape"],
    t: Times,
    s: Times | None = None,
) -> tuple[Float[Tensor, " n *shape"], Float[Tensor, "..."]]:
    """Mean and variance of q(x_s | x_t, x_0) for a time s < t (t − 1 by default); the variance broadcasts.

    The variance is exactly 0 for s = 0, so a sampler that uses it adds no noise on its last step.
    Raises `ScheduleError` unless 0 ≤ s < t ≤ T. Source: `eq-posterior-mean`, `eq-posterior-variance`.
    """
    s = t - 1 if s is None else s
    kept, added = schedule.between(s, t)
    check_same_shape(x0, x_t, "x_t")
    noise_s, noise_t = schedule.one_minus_alpha_bar[s], schedule.one_minus_alpha_bar[t]
    of_x0, of_xt = posterior_weights(schedule.alpha_bar[s].sqrt(), kept.sqrt(), added, noise_s, noise_t)
    mean = per_image(of_x0, x0) * x0 + per_image(of_xt, x_t) * x_t
    return mean, per_image(posterior_variance(added, noise_s, noise_t), x0)


def posterior_weights(
    signal_s: Number, kept_signal: Number, added: Number, noise_s: Number, noise_t: Number
) -> tuple[Number, Number]:
    """What x_0 and x_t count in the mean of q(x_s | x_t, x_0), for numbers or tables of them.

    `signal_s` is √ᾱ_s, `kept_signal` √(ᾱ_t/ᾱ_s), `added` 1 − ᾱ_t/ᾱ_s, and the noises are 1 − ᾱ.
    Source: `eq-posterior-mean`.
    """
    return signal_s * added / noise_t, kept_signal * noise_s / noise_t


def posterior_variance(added: Number, noise_s: Number, noise_t: Number) -> Number:
    """The variance of q(x_s | x_t, x_0), 0 at s = 0. Source: `eq-posterior-variance`."""
    return added * noise_s / noise_t


def posterior_mean_from_noise(
    schedule: Schedule,
    noise: Float[Tensor, " n *shape"],
    x_t: Float[Tensor, " n *shape"],
    t: Times,
    s: Times | None = None,
) -> Float[Tensor, " n *shape"]:
    """Mean of q(x_s | x_t, x_0) written in the noise ε of x_t, with s = t − 1 unless given.

    Raises `ScheduleError` unless 0 ≤ s < t ≤ T. Source: `eq-posterior-mean-noise`.
    """
    kept, added = schedule.between(t - 1 if s is None else s, t)
    weight = added / schedule.one_minus_alpha_bar[t].sqrt()
    return (x_t - per_image(weight, noise) * noise) / per_image(kept.sqrt(), x_t)


def x0_from_noise(
    schedule: Schedule, x_t: Float[Tensor, " n *shape"], t: Times, noise: Float[Tensor, " n *shape"]
) -> Float[Tensor, " n *shape"]:
    """x_0 = (x_t − √(1 − ᾱ_t) ε) / √ᾱ_t, for times 1 … T. Source: `eq-x0-from-noise`."""
    signal, sigma = _signal_and_sigma(schedule, t, x_t)
    return (x_t - sigma * noise) / signal


def noise_from_x0(
    schedule: Schedule, x_t: Float[Tensor, " n *shape"], t: Times, x0: Float[Tensor, " n *shape"]
) -> Float[Tensor, " n *shape"]:
    """ε = (x_t − √ᾱ_t x_0) / √(1 − ᾱ_t), for times 1 … T. Source: `eq-x0-from-noise`, solved for ε."""
    signal, sigma = _signal_and_sigma(schedule, t, x_t)
    return (x_t - signal * x0) / sigma


def velocity(
    schedule: Schedule, x0: Float[Tensor, " n *shape"], t: Times, noise: Float[Tensor, " n *shape"]
) -> Float[Tensor, " n *shape"]:
    """v = √ᾱ_t ε − √(1 − ᾱ_t) x_0, for times 1 … T. Source: `def-velocity` (Salimans and Ho 2022)."""
    signal, sigma = _signal_and_sigma(schedule, t, x0)
    return signal * noise - sigma * x0


def x0_from_velocity(
    schedule: Schedule, x_t: Float[Tensor, " n *shape"], t: Times, v: Float[Tensor, " n *shape"]
) -> Float[Tensor, " n *shape"]:
    """x_0 = √ᾱ_t x_t − √(1 − ᾱ_t) v, for times 1 … T. Source: `eq-velocity-inverse`."""
    signal, sigma = _signal_and_sigma(schedule, t, x_t)
    return signal * x_t - sigma * v


def noise_from_velocity(
    schedule: Schedule, x_t: Float[Tensor, " n *shape"], t: Times, v: Float[Tensor, " n *shape"]
) -> Float[Tensor, " n *shape"]:
    """ε = √(1 − ᾱ_t) x_t + √ᾱ_t v, for times 1 … T. Source: `eq-velocity-inverse`."""
    signal, sigma = _signal_and_sigma(schedule, t, x_t)
    return sigma * x_t + signal * v


def _signal_and_sigma(schedule: Schedule, t: Times, x: Tensor) -> tuple[Tensor, Tensor]:
    schedule.check_time(t)
    return per_image(schedule.alpha_bar[t].sqrt(), x), per_image(schedule.one_minus_alpha_bar[t].sqrt(), x)
