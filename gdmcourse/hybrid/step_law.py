"""The exact law of a step back, of any size, for data from a mixture of Gaussians."""

import torch
from jaxtyping import Float
from torch import Tensor

from gdmcourse.diffusion.forward import posterior_variance, posterior_weights
from gdmcourse.diffusion.schedule import Schedule
from gdmcourse.probability import GaussianMixture


def step_weights(schedule: Schedule, t: int, s: int) -> tuple[float, float, float]:
    """(c, d, τ²) of q(x_s | x_t, x_0) = N(c x_0 + d x_t, τ² I), for 0 ≤ s < t ≤ T, in float64.

    Raises `ScheduleError` for other times. Source: `eq-posterior-jump`.
    """
    schedule.between(s, t)
    there, here = schedule.noise_levels([s, t])
    ratio = here.signal / there.signal
    added, noise = 1 - ratio**2, (there.sigma**2, here.sigma**2)
    return (*posterior_weights(there.signal, ratio, added, *noise), posterior_variance(added, *noise))


def law_behind(
    mixture: GaussianMixture, schedule: Schedule, x_t: Float[Tensor, " d"], t: int
) -> GaussianMixture:
    """q(x_0 | x_t): a mixture again, with the responsibilities of x_t for its weights.

    Raises `ScheduleError` for a time outside 1 … T. Source: `eq-conditioning`.
    """
    schedule.check_time(t)
    (level,) = schedule.noise_levels([t])
    noisy = mixture.diffused(level.signal**2)
    gain = level.signal * torch.linalg.solve(noisy.covariances, mixture.covariances).mT
    means = mixture.means + torch.einsum("kij,kj->ki", gain, x_t - noisy.means)
    left = mixture.covariances - level.signal * gain @ mixture.covariances
    return GaussianMixture(noisy.responsibilities(x_t[None])[0], means, (left + left.mT) / 2)


def law_of_step(
    mixture: GaussianMixture, schedule: Schedule, x_t: Float[Tensor, " d"], t: int, s: int
) -> GaussianMixture:
    """q(x_s | x_t), the mean of q(x_s | x_t, x_0) over q(x_0 | x_t). Source: `eq-step-mixture`."""
    c, d, variance = step_weights(schedule, t, s)
    behind = law_behind(mixture, schedule, x_t, t)
    noise = variance * torch.eye(len(x_t)).to(behind.covariances)
    return GaussianMixture(behind.weights, c * behind.means + d * x_t, c**2 * behind.covariances + noise)
