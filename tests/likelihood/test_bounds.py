"""Bounds and gradients against quadrature, torch.distributions and enumeration."""

import itertools
import math

import pytest
import torch
from scipy.integrate import quad
from scipy.stats import chi2, norm
from torch.distributions import Normal, kl_divergence

from gdmcourse.likelihood.bounds import (
    importance_weighted_bound,
    kl_to_prior,
    normal_log_prob,
    reparameterise,
)
from tests.oracles import gen, normal

close = torch.testing.assert_close
LINE = torch.linspace(-9, 9, 6001, dtype=torch.float64)


@pytest.mark.equation("eq-vae-kl")
def test_the_rate_is_that_of_quadrature_latent_by_latent():
    mean, log_variance = normal(3, 4), normal(3, 4, seed=1) - 1
    got = kl_to_prior(mean, log_variance)
    for m, v, one in zip(mean.flatten(), log_variance.flatten(), got.flatten(), strict=True):
        log_q = Normal(m, (v / 2).exp()).log_prob(LINE)
        close(
            one,
            torch.trapezoid(log_q.exp() * (log_q - Normal(0.0, 1.0).log_prob(LINE)), LINE),
            atol=1e-7,
            rtol=0,
        )
    close(got, kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(0.0, 1.0)))
    assert kl_to_prior(torch.zeros(1, 5), torch.zeros(1, 5)).sum() == 0


def roots(z: torch.Tensor) -> torch.Tensor:
    """log p(x | z) for x = 2 seen through z² with noise of standard deviation 0.4."""
    return Normal(z**2, 0.4).log_prob(torch.tensor(2.0, dtype=z.dtype))


# log p(2), by another road: z² follows a χ² law, whose density the noise spreads.
LOG_P = torch.tensor(
    math.log(quad(lambda u: norm.pdf(2, u, 0.4) * chi2.pdf(u, 1), 0, 9, points=[1e-3, 2])[0]),
    dtype=torch.float64,
)


@pytest.mark.equation("eq-vae-elbo")
@pytest.mark.parametrize(("mean", "std"), [(1.4, 0.15), (0.0, 1.0), (-1.0, 0.5)])
def test_both_forms_of_the_bound_are_one_and_lie_below_the_likelihood(mean, std):
    log_q, log_prior = Normal(mean, std).log_prob(LINE), Normal(0.0, 1.0).log_prob(LINE)
    mean_log_weight = torch.trapezoid(log_q.exp() * (roots(LINE) + log_prior - log_q), LINE)
    reconstruction = torch.trapezoid(log_q.exp() * roots(LINE), LINE)
    rate = kl_to_prior(*torch.tensor([[mean], [2 * math.log(std)]], dtype=torch.float64)).squeeze()
    close(mean_log_weight, reconstruction - rate, atol=1e-7, rtol=1e-7)
    assert mean_log_weight < LOG_P
    # The posterior from its shape alone, made to have mass one.
    log_posterior = (roots(LINE) + log_prior).log_softmax(0) - (LINE[1] - LINE[0]).log()
    gap = torch.trapezoid(log_q.exp() * (log_q - log_posterior), LINE)
    close(mean_log_weight + gap, LOG_P, atol=1e-6, rtol=0)


@pytest.mark.equation("eq-vae-gradients")
def test_both_estimators_have_the_slope_of_the_average():
    """The four averages by quadrature over ε, against numerical differences of E[f]."""
    eps, base = LINE, Normal(0.0, 1.0).log_prob(LINE).exp()

    def f(z):
        return torch.sin(1.3 * z) + 0.2 * z**3

    def average(values):
        return torch.trapezoid(values * base, eps)

    mean, std, h = 0.4, 0.8, 1e-4
    slope_mean = (average(f(mean + h + std * eps)) - average(f(mean - h + std * eps))) / (2 * h)
    slope_std = (average(f(mean + (std + h) * eps)) - average(f(mean + (std - h) * eps))) / (2 * h)
    z = (mean + std * eps).requires_grad_()
    (derivative,) = torch.autograd.grad(f(z).sum(), z)
    values = f(z.detach())
    for got in (average(derivative), average(values * eps / std)):
        close(got, slope_mean, atol=1e-6, rtol=0)
    for got in (average(derivative * eps), average(values * (eps**2 - 1) / std)):
        close(got, slope_std, atol=1e-6, rtol=0)


@pytest.mark.equation("eq-vae-gradients")
def test_a_draw_lets_the_gradient_through_to_mean_and_spread():
    mean, log_variance = (normal(2, 3, seed=s).requires_grad_() for s in (1, 2))
    noise = torch.randn(2, 3, generator=gen(5), dtype=torch.float64)
    z = reparameterise(mean, log_variance, gen(5))
    close(z.detach(), (mean + (log_variance / 2).exp() * noise).detach())
    slopes = torch.autograd.grad((z**3).sum(), [mean, log_variance])
    close(slopes[0], 3 * z.detach() ** 2)
    close(slopes[1], 3 * z.detach() ** 2 * noise * (log_variance / 2).exp().detach() / 2)


@pytest.mark.equation("eq-vae-gradient-variance")
@pytest.mark.parametrize("d", [1, 3, 8])
def test_variances_of_one_draw_of_each_estimator(d):
    """By autograd and by the density's own gradient, over many draws."""
    std, n = 0.7, 400_000
    eps = torch.randn(n, d, generator=gen(d), dtype=torch.float64)
    f = 0.5 * (std * eps).square().sum(1)
    score = eps[:, 0] / std  # ∂/∂μ log q, as torch.distributions has it:
    mean = torch.zeros(d, dtype=torch.float64, requires_grad=True)
    log_q = Normal(mean, std).log_prob(std * eps[:3]).sum()
    close(torch.autograd.grad(log_q, mean)[0][0], score[:3].sum())
    z = (std * eps).requires_grad_()
    pathwise = torch.autograd.grad((0.5 * z.square()).sum(), z)[0][:, 0]
    for estimator, variance in (
        (pathwise, std**2),
        (f * score, std**2 * (d + 2) * (d + 4) / 4),
        ((f - 0.5 * std**2 * d) * score, std**2 * (d + 4) / 2),
    ):
        assert estimator.var().item() == pytest.approx(variance, rel=0.05)


@pytest.mark.equation("eq-vae-importance")
def test_the_bound_rises_from_the_elbo_and_stays_below_by_enumeration():
    """A latent of three values: every k draws there are, with their probabilities."""
    q = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    joint = torch.tensor([0.02, 0.1, 0.03], dtype=torch.float64)  # p(x, z)
    log_w = (joint / q).log()
    found = []
    for k in range(1, 7):
        rows = torch.tensor(list(itertools.product(range(3), repeat=k)))
        bounds = importance_weighted_bound(log_w[rows].mT)
        found.append((q[rows].prod(1) * bounds).sum().item())
    elbo = (q * (joint.log() - q.log())).sum().item()
    log_p = math.log(joint.sum())
    assert found[0] == pytest.approx(elbo, abs=1e-12)
    assert all(a + 1e-3 < b for a, b in itertools.pairwise(found))
    assert found[-1] < log_p
    assert log_p - found[-1] < 0.3 * (log_p - elbo)


def test_equal_weights_give_that_weight_whatever_k_is():
    """A forgotten log k would add it."""
    for k in (1, 10):
        close(importance_weighted_bound(torch.full((k, 2), -800.0)), torch.full((2,), -800.0))
    with pytest.raises(ValueError, match="k ≥ 1"):
        importance_weighted_bound(torch.zeros(0, 2))


def test_the_density_of_a_code_is_that_of_torch():
    z, mean, log_variance = (normal(4, 3, seed=s) for s in range(3))
    close(normal_log_prob(z, mean, log_variance), Normal(mean, (log_variance / 2).exp()).log_prob(z).sum(1))
    close(normal_log_prob(z, 0.0, 0.0), Normal(0.0, 1.0).log_prob(z).sum(1))
