"""Claims of the notation chapter whose code stands in the chapter itself, and its table of indices."""

import itertools
import math

import pytest
import torch
from diffusers import DDPMScheduler
from hypothesis import given
from torch.distributions import Exponential, LogNormal, Normal, TransformedDistribution
from torch.distributions.transforms import AffineTransform, ExpTransform, TanhTransform

from gdmcourse.diffusion import linear_schedule
from gdmcourse.probability import (
    GaussianMixture,
    discrete_kl,
    discrete_total_variation,
    gaussian_log_prob,
    kl,
)
from tests.probability.strategies import mixtures, probabilities

close = torch.testing.assert_close
LINE = torch.linspace(-40, 40, 8001, dtype=torch.float64)


def through(log_prob, inverse, jacobian, y):
    """log p_y by the formula of the chapter, from log p_x, g⁻¹ and g′ at x."""
    x = inverse(y)
    return log_prob(x) - jacobian(x).abs().log()


@pytest.mark.equation("eq-change-of-variables")
def test_change_of_variables_agrees_with_torch_distributions():
    normal = Normal(torch.tensor(0.3).double(), torch.tensor(0.8).double())
    y = torch.linspace(0.05, 0.95, 10, dtype=torch.float64)
    close(
        through(normal.log_prob, torch.log, torch.exp, y),
        LogNormal(normal.loc, normal.scale).log_prob(y),
    )
    close(
        through(normal.log_prob, torch.atanh, lambda x: 1 - x.tanh() ** 2, y),
        TransformedDistribution(normal, TanhTransform()).log_prob(y),
    )
    twice = TransformedDistribution(normal, [AffineTransform(1.0, -2.0), ExpTransform()])
    close(
        through(normal.log_prob, lambda y: (1 - y.log()) / 2, lambda x: -2 * (1 - 2 * x).exp(), y),
        twice.log_prob(y),
    )


@pytest.mark.equation("eq-change-of-variables")
def test_the_transformed_density_still_integrates_to_one_and_fits_the_samples(generator):
    """A bend of the plane: y = (x₁, x₂ + x₁²) + ½ (sin x₂, 0), with its Jacobian from autograd."""

    def bend(x):
        y2 = x[1] + x[0] ** 2
        return torch.stack([x[0] + 0.5 * y2.sin(), y2])

    def unbend(y):
        x1 = y[:, 0] - 0.5 * y[:, 1].sin()
        return torch.stack([x1, y[:, 1] - x1**2], dim=1)

    axis = torch.linspace(-9, 9, 301, dtype=torch.float64)
    tall = torch.linspace(-8, 40, 801, dtype=torch.float64)
    y = torch.cartesian_prod(axis, tall)
    x = unbend(y)
    jacobian = torch.func.vmap(torch.func.jacrev(bend))(x)
    cov, mean = torch.eye(2).double(), torch.zeros(2).double()
    log_density = gaussian_log_prob(x, mean, cov) - torch.linalg.slogdet(jacobian)[1]
    cell = (axis[1] - axis[0]) * (tall[1] - tall[0])
    close((log_density.exp().sum() * cell).item(), 1.0, rtol=1e-6, atol=0)
    samples = torch.func.vmap(bend)(torch.randn(200_000, 2, dtype=torch.float64, generator=generator))
    share = ((samples[:, 0] > 0) & (samples[:, 1] < 1)).double().mean().item()
    region = (y[:, 0] > 0) & (y[:, 1] < 1)
    assert (log_density.exp()[region].sum() * cell).item() == pytest.approx(share, abs=0.02)


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.mark.equation("eq-reparameterisation")
@pytest.mark.parametrize("f", [torch.sin, torch.square, torch.nn.functional.softplus])
def test_pathwise_gradient_agrees_with_quadrature(f, generator):
    """E[∇ f(μ + σ ε)] from samples against ∇ ∫ p f, for μ and for log σ."""
    parameters = torch.tensor([0.7, -0.4], dtype=torch.float64, requires_grad=True)
    normal = Normal(parameters[0], parameters[1].exp())
    (exact,) = torch.autograd.grad(torch.trapezoid(normal.log_prob(LINE).exp() * f(LINE), LINE), parameters)
    eps = torch.randn(400_000, dtype=torch.float64, generator=generator)
    x = (parameters[0] + parameters[1].exp() * eps).detach().requires_grad_()
    (slope,) = torch.autograd.grad(f(x).sum(), x)
    draws = torch.stack([slope, slope * parameters[1].exp().detach() * eps])
    error = draws.std(dim=1) / math.sqrt(len(eps))
    assert ((draws.mean(dim=1) - exact).abs() < 4 * error).all()


@pytest.mark.equation("eq-reparameterisation")
def test_rsample_is_the_same_thing(generator):
    """For an exponential law g_λ(u) = −log(u)/λ, and E[x] = 1/λ has the slope −1/λ²."""
    rate = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    u = torch.rand(400_000, dtype=torch.float64, generator=generator)
    (-u.log() / rate).mean().backward()
    assert rate.grad.item() == pytest.approx(-1 / 4, rel=0.01)
    ours = -u.log() / 2
    exponential = Exponential(torch.tensor(2.0).double())
    assert (exponential.cdf(ours.sort().values) - torch.arange(1, len(u) + 1) / len(u)).abs().max() < 0.005


@pytest.mark.equation("eq-kl-convex")
@given(probabilities(4))
def test_mixing_brings_closer(rows):
    p1, p2, q1, q2 = (row + 0.01 / len(row) for row in rows)
    p1, p2, q1, q2 = (row / row.sum() for row in (p1, p2, q1, q2))
    for w in (0.2, 0.5):
        mixed = discrete_kl(w * p1 + (1 - w) * p2, w * q1 + (1 - w) * q2)
        assert mixed <= w * discrete_kl(p1, q1) + (1 - w) * discrete_kl(p2, q2) + 1e-12


@pytest.mark.equation("eq-kl-convex")
@given(mixtures(d=1))
def test_a_mixture_is_no_further_than_its_components_on_average(mixture):
    q = GaussianMixture.isotropic(torch.zeros(1, 1).double(), 3.0)
    parts = torch.stack(
        [kl(mixture.given(k).log_prob_1d, q.log_prob_1d, LINE) for k in range(len(mixture.weights))]
    )
    assert kl(mixture.log_prob_1d, q.log_prob_1d, LINE) <= mixture.weights @ parts + 1e-9


@pytest.mark.equation("eq-tv-events")
@given(probabilities(2))
def test_no_event_tells_two_laws_apart_better_than_total_variation(pair):
    p, q = pair
    events = itertools.product([0.0, 1.0], repeat=len(p))
    best = max((torch.tensor(event).double() @ (p - q)).item() for event in events)
    assert discrete_total_variation(p, q).item() == pytest.approx(best, abs=1e-12)


# -- The table of indices ----------------------------------------------------------------------------------


def test_the_code_of_ddpm_counts_from_our_one():
    theirs = DDPMScheduler(num_train_timesteps=1000, beta_schedule="linear").alphas_cumprod
    close(theirs, linear_schedule(T=1000).alpha_bar[1:])


def test_ddim_writes_alpha_for_our_alpha_bar():
    """β_t = 1 − α_t/α_{t−1} in DDIM's letters, and α of DPM-Solver is the root of ᾱ."""
    schedule = linear_schedule(T=50)
    ddim = schedule.alpha_bar.double()
    close(1 - ddim[1:] / ddim[:-1], schedule.beta[1:].double(), rtol=1e-3, atol=1e-6)
    log_snr = (schedule.alpha_bar[1:] / (1 - schedule.alpha_bar[1:])).log()
    alpha, sigma = schedule.alpha_bar[1:].sqrt(), (1 - schedule.alpha_bar[1:]).sqrt()
    close((alpha / sigma).log(), log_snr / 2)


def test_the_continuous_schedule_is_the_limit_of_the_steps():
    """VP-SDE: ᾱ(t) = exp(−∫ β), with β(t) = T β_t running from 0.1 to 20."""
    schedule = linear_schedule(T=1000)
    t = torch.linspace(0, 1, 1001, dtype=torch.float64)
    integral = 0.1 * t + (20 - 0.1) * t**2 / 2
    close((-integral).exp(), schedule.alpha_bar.double(), rtol=0, atol=5e-3)


def test_noise_levels_of_ncsn_and_edm():
    """x_t/√ᾱ is the data plus noise of standard deviation √((1−ᾱ)/ᾱ)."""
    mixture = GaussianMixture.isotropic(torch.tensor([[-1.0], [2.0]]).double(), 0.5)
    alpha_bar = 0.3
    diffused = mixture.diffused(alpha_bar)
    level = math.sqrt((1 - alpha_bar) / alpha_bar)
    noisy = GaussianMixture(
        mixture.weights, mixture.means, mixture.covariances + level**2 * torch.eye(1).double()
    )
    x = torch.linspace(-4, 4, 9, dtype=torch.float64)[:, None]
    close(noisy.log_prob(x), diffused.log_prob(math.sqrt(alpha_bar) * x) + math.log(math.sqrt(alpha_bar)))
