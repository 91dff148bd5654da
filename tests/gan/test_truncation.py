"""Truncated noise, against quadrature and SciPy."""

import math

import pytest
import torch
from scipy.integrate import quad
from scipy.stats import kstest, norm, truncnorm

from gdmcourse.gan import truncated_normal, truncated_variance


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.equation("eq-truncated-variance")
@pytest.mark.parametrize("threshold", [0.003, 0.0099, 0.0101, 0.3, 1.0, 2.0, 6.0])
def test_the_variance_is_that_of_the_truncated_density(threshold):
    mass = quad(norm.pdf, -threshold, threshold)[0]
    second = quad(lambda z: z * z * norm.pdf(z) / mass, -threshold, threshold)[0]
    assert truncated_variance(threshold) == pytest.approx(second, rel=1e-4)


def test_without_a_threshold_nothing_is_truncated():
    assert truncated_variance(math.inf) == truncated_variance(1e300) == 1
    z = truncated_normal((50_000,), math.inf, seeded())
    assert kstest(z.numpy(), "norm").pvalue > 1e-3
    assert z.isfinite().all()


@pytest.mark.parametrize("threshold", [1e-3, 0.5, 2.0])
def test_the_numbers_have_the_truncated_law(threshold):
    z = truncated_normal((100, 300), threshold, seeded(1))
    assert z.dtype == torch.float32
    assert z.abs().max() <= threshold
    law = truncnorm(-threshold, threshold)
    assert kstest(z.flatten().double().numpy(), law.cdf).pvalue > 1e-3


def test_the_same_generator_gives_the_same_numbers():
    assert torch.equal(truncated_normal((5,), 1.0, seeded(3)), truncated_normal((5,), 1.0, seeded(3)))


@pytest.mark.parametrize("threshold", [0.0, -1.0, math.nan])
def test_a_threshold_that_leaves_nothing_is_refused(threshold):
    for call in (truncated_variance, lambda t: truncated_normal((2,), t, seeded())):
        with pytest.raises(ValueError, match="the threshold must be above 0"):
            call(threshold)


@pytest.mark.equation("eq-truncation-trade")
@pytest.mark.parametrize("threshold", [0.4, 1.5])
def test_truncated_samples_of_a_linear_generator_are_likelier_and_narrower(threshold):
    """Log-densities by `MultivariateNormal`, means over many draws."""
    generator = seeded(4)
    matrix = torch.randn(3, 3, generator=generator, dtype=torch.float64)
    mean = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    law = torch.distributions.MultivariateNormal(mean, matrix @ matrix.T)
    normal = mean + torch.randn(200_000, 3, generator=generator, dtype=torch.float64) @ matrix.T
    z = truncated_normal((200_000, 3), threshold, generator, torch.float64)
    truncated = mean + z @ matrix.T
    variance = quad(lambda t: t * t * norm.pdf(t), -threshold, threshold)[0]
    variance /= norm.cdf(threshold) - norm.cdf(-threshold)
    gained = (law.log_prob(truncated).mean() - law.log_prob(normal).mean()).item()
    assert gained == pytest.approx(1.5 * (1 - variance), abs=0.015)
    covariance = torch.cov(truncated.T)
    torch.testing.assert_close(covariance, variance * matrix @ matrix.T, atol=0.02, rtol=0.02)
