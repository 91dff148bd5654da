"""The variational bound against quadrature in one dimension, where every integral can be done."""

import math

import pytest
import torch
from torch import Tensor

from gdmcourse.diffusion import Schedule, hybrid_loss, q_sample, simple_loss, variational_bound
from gdmcourse.diffusion.bound import (
    bound_term,
    bound_weights,
    interpolated_log_variance,
    log_variances,
    prior_term,
    reconstruction,
)

BETAS = [0.1, 0.25, 0.4, 0.6]
SCHEDULE = Schedule.from_betas(torch.tensor(BETAS))
ALPHA_BAR = [1.0, *torch.cumprod(1 - torch.tensor(BETAS, dtype=torch.float64), 0).tolist()]
GRID = torch.linspace(-8, 8, 3201, dtype=torch.float64)
STEP = float(GRID[1] - GRID[0])


def denoiser(x: Tensor, t: Tensor, y: Tensor | None = None) -> Tensor:
    """No exact one: the bound holds for any."""
    return 0.8 * torch.tanh(x) * (1 + t.view(-1, *[1] * (x.ndim - 1)) / 10)


def density(x: Tensor | float, mean: Tensor | float, variance: float) -> Tensor:
    x, mean = (torch.as_tensor(value, dtype=torch.float64) for value in (x, mean))
    return torch.exp(-((x - mean) ** 2) / (2 * variance)) / math.sqrt(2 * math.pi * variance)


def model_variance(t: int, kind: str) -> float:
    time = max(t, 2) if kind == "small" else t
    beta = BETAS[time - 1]
    return beta * (1 - ALPHA_BAR[time - 1]) / (1 - ALPHA_BAR[time]) if kind == "small" else beta


def model_mean(x_t: Tensor, t: int) -> Tensor:
    noise = denoiser(x_t[:, None], torch.full((len(x_t),), t))[:, 0]
    return (x_t - BETAS[t - 1] / math.sqrt(1 - ALPHA_BAR[t]) * noise) / math.sqrt(1 - BETAS[t - 1])


def noisy_density(x0: float, t: int) -> Tensor:
    return density(GRID, math.sqrt(ALPHA_BAR[t]) * x0, 1 - ALPHA_BAR[t])


def our_term(x0: float, t: int, kind: str, noise=denoiser) -> float:
    """Our term, averaged over x_t ~ q(x_t | x_0) on the grid."""
    x_t, times = GRID[:, None], torch.full((len(GRID),), t)
    table = dict(zip(("small", "large"), log_variances(SCHEDULE), strict=True))[kind]
    clean = torch.full_like(x_t, x0)
    terms = bound_term(SCHEDULE, clean, x_t, times, noise(x_t, times), table[t].double().expand_as(x_t))
    return float((noisy_density(x0, t) * terms).sum() * STEP)


@pytest.mark.equation("eq-bound-term")
@pytest.mark.parametrize("kind", ["small", "large"])
@pytest.mark.parametrize("t", [2, 3, 4])
@pytest.mark.parametrize("x0", [-0.7, 1.3])
def test_a_term_is_the_divergence_integrated_by_brute_force(t, kind, x0):
    """q(x_{t−1} | x_t, x_0) from Bayes' rule on the grid and normalised there, no formula for it used."""
    x_s = GRID[::8][:, None]
    width = 8 * STEP
    x_t = GRID[::8][None, :]
    joint = density(x_t, math.sqrt(1 - BETAS[t - 1]) * x_s, BETAS[t - 1]) * density(
        x_s, math.sqrt(ALPHA_BAR[t - 1]) * x0, 1 - ALPHA_BAR[t - 1]
    )
    weight = joint.sum(0) * width  # q(x_t | x_0)
    q = joint / weight.clamp(min=1e-300)
    p = density(x_s, model_mean(x_t[0], t)[None, :], model_variance(t, kind))
    inside = q > 1e-14
    log_ratio = torch.where(inside, (q.clamp(min=1e-300) / p.clamp(min=1e-300)).log(), 0.0)
    brute = float((weight * (q * log_ratio).sum(0)).sum() * width**2)
    assert our_term(x0, t, kind) == pytest.approx(brute, rel=2e-4)


@pytest.mark.equation("eq-bound-prior")
@pytest.mark.parametrize("x0", [-0.7, 0.0, 1.3])
def test_the_prior_term_is_a_divergence(x0):
    q = noisy_density(x0, 4)
    brute = float((q * (q / density(GRID, 0.0, 1.0)).log())[q > 1e-14].sum() * STEP)
    assert float(prior_term(SCHEDULE, torch.tensor([[x0]]))) == pytest.approx(brute, rel=1e-4)


@pytest.mark.equation("eq-variational-bound")
@pytest.mark.parametrize("kind", ["small", "large"])
@pytest.mark.parametrize("x0", [-0.7, 0.4, 1.3])
def test_the_terms_add_up_to_a_bound_on_the_models_own_density(kind, x0):
    """p(x_0) by carrying N(0, 1) back through the model's steps on a grid."""
    x = GRID[::4]
    p = density(x, 0.0, 1.0)
    for t in (4, 3, 2):
        p = density(x[:, None], model_mean(x, t)[None, :], model_variance(t, kind)) @ p * 4 * STEP
    p0 = float((density(x0, model_mean(x, 1), model_variance(1, kind)) * p).sum() * 4 * STEP)
    bound = float(prior_term(SCHEDULE, torch.tensor([[x0]]))) + sum(
        our_term(x0, t, kind) for t in range(1, 5)
    )
    assert bound > -math.log(p0) + 1e-3
    assert bound < -math.log(p0) + 5


@pytest.mark.equation("eq-variational-bound")
@pytest.mark.parametrize("x0", [-2.0, 0.0, 1.3])
def test_the_bound_is_tight_for_the_true_reverse_process(x0):
    """For data N(0, 1) the true steps back have ε̂ = √(1 − ᾱ_t) x_t and variance β_t, and x_T is N(0, 1)."""

    def exact(x, t):
        return SCHEDULE.one_minus_alpha_bar[t].sqrt()[:, None].double() * x

    bound = float(prior_term(SCHEDULE, torch.tensor([[x0]])))
    bound += sum(our_term(x0, t, "large", exact) for t in range(1, 5))
    assert bound == pytest.approx(x0**2 / 2 + math.log(2 * math.pi) / 2, abs=2e-5)


@pytest.mark.equation("eq-variational-bound")
@pytest.mark.parametrize("kind", ["small", "large"])
def test_the_bound_of_a_batch_is_an_estimate_of_its_terms(kind):
    x0 = torch.full((40_000, 1), 0.4)
    bound = variational_bound(
        denoiser, SCHEDULE, x0, variance=kind, generator=torch.Generator().manual_seed(0)
    )
    assert bound.transitions.shape == (40_000, 3)
    columns = [bound.reconstruction, *bound.transitions.T]
    for t, column in enumerate(columns, start=1):
        error = float(column.std()) / 200
        assert float(column.mean()) == pytest.approx(our_term(0.4, t, kind), abs=4 * error + 1e-5)
    torch.testing.assert_close(bound.total, bound.prior + sum(columns))
    torch.testing.assert_close(bound.bits_per_dim, bound.total / math.log(2))


@pytest.mark.equation("eq-bound-weight")
@pytest.mark.parametrize("kind", ["small", "large"])
@pytest.mark.parametrize("t", [1, 2, 3, 4])
def test_a_term_is_a_weighted_error_of_the_noise(t, kind):
    generator = torch.Generator().manual_seed(0)
    x0, noise, guess = (torch.randn(6, 5, generator=generator) for _ in range(3))
    times = torch.full((6,), t)
    x_t = q_sample(SCHEDULE, x0, times, noise)
    table = dict(zip(("small", "large"), log_variances(SCHEDULE), strict=True))[kind][t].expand_as(x0)
    difference = bound_term(SCHEDULE, x0, x_t, times, guess, table) - bound_term(
        SCHEDULE, x0, x_t, times, noise, table
    )
    weight = BETAS[t - 1] ** 2 / (2 * model_variance(t, kind) * (1 - BETAS[t - 1]) * (1 - ALPHA_BAR[t]))
    assert float(bound_weights(SCHEDULE, kind)[t]) == pytest.approx(weight, rel=1e-5)
    weighted = weight * (guess - noise).square().sum(1)
    torch.testing.assert_close(difference, weighted, rtol=1e-4, atol=1e-4)
    assert bound_weights(SCHEDULE, kind)[0] == 0


@pytest.mark.equation("eq-bound-reconstruction")
@pytest.mark.parametrize("log_variance", [-9.0, -2.0, 1.0])
@pytest.mark.parametrize("mean", [-1.6, -0.97, 0.1, 1.0])
def test_the_masses_of_all_grey_levels_add_to_one(mean, log_variance):
    x0 = torch.linspace(-1, 1, 17, dtype=torch.float64)[:, None]
    nll = reconstruction(x0, torch.full_like(x0, mean), torch.full_like(x0, log_variance), grey_levels=17)
    assert nll.isfinite().all()
    assert float((-nll).exp().sum()) == pytest.approx(1, abs=1e-9)


@pytest.mark.equation("eq-bound-reconstruction")
def test_a_bins_mass_is_the_integral_of_the_density():
    mean, variance = 0.13, 0.01
    x0 = torch.tensor([[0.25]], dtype=torch.float64)
    fine = torch.linspace(0.25 - 1 / 16, 0.25 + 1 / 16, 100_001, dtype=torch.float64)
    mass = float(torch.trapezoid(density(fine, mean, variance), fine))
    nll = reconstruction(
        x0, torch.full_like(x0, mean), torch.full_like(x0, math.log(variance)), grey_levels=17
    )
    assert float(nll) == pytest.approx(-math.log(mass), rel=1e-6)
    plain = reconstruction(x0, torch.full_like(x0, mean), torch.full_like(x0, math.log(variance)))
    assert float(plain) == pytest.approx(-math.log(float(density(x0, mean, variance))), rel=1e-9)


def test_far_from_the_mean_the_reconstruction_and_its_gradient_stay_finite():
    mean = torch.tensor([[-1.0], [1.0], [0.0]], requires_grad=True)
    x0 = torch.tensor([[1.0], [-1.0], [0.5]])
    nll = reconstruction(x0, mean, torch.full_like(x0, -10.0), grey_levels=256)
    nll.sum().backward()
    assert nll.isfinite().all()
    assert mean.grad is not None
    assert mean.grad.isfinite().all()
    assert (nll > 10).all()


def test_the_variance_goes_from_the_posteriors_to_the_steps():
    t = torch.tensor([2, 3, 4])
    for v, kind in ((-1.0, "small"), (1.0, "large")):
        got = interpolated_log_variance(SCHEDULE, torch.full((3, 2), v), t).exp()
        wanted = torch.tensor([[model_variance(int(time), kind)] * 2 for time in t])
        torch.testing.assert_close(got, wanted, rtol=1e-4, atol=0)
    middle = interpolated_log_variance(SCHEDULE, torch.zeros(3, 1), t).exp().squeeze()
    wanted = torch.tensor(
        [math.sqrt(model_variance(int(a), "small") * model_variance(int(a), "large")) for a in t]
    )
    torch.testing.assert_close(middle, wanted, rtol=1e-4, atol=0)


def test_the_bound_is_least_at_the_true_variance_of_a_step_back():
    """For data N(0, v) with the exact ε̂, averaged over data: the best variance is known."""
    v, t = 0.3, 3
    keep, beta = 1 - BETAS[t - 1], BETAS[t - 1]
    prior = ALPHA_BAR[t - 1] * v + 1 - ALPHA_BAR[t - 1]
    truth = prior * beta / (keep * prior + beta)
    generator = torch.Generator().manual_seed(0)
    x0 = math.sqrt(v) * torch.randn(50_000, 1, generator=generator)
    times = torch.full((50_000,), t)
    x_t = q_sample(SCHEDULE, x0, times, torch.randn(50_000, 1, generator=generator))
    best = math.sqrt(1 - ALPHA_BAR[t]) * x_t / (ALPHA_BAR[t] * v + 1 - ALPHA_BAR[t])
    mix = torch.linspace(-1, 1, 41)
    means = [
        bound_term(
            SCHEDULE, x0, x_t, times, best, interpolated_log_variance(SCHEDULE, m.expand_as(x0), times)
        ).mean()
        for m in mix
    ]
    found = interpolated_log_variance(SCHEDULE, mix[torch.stack(means).argmin()].view(1, 1), times[:1]).exp()
    assert float(found) == pytest.approx(truth, rel=0.03)


def test_the_bound_trains_the_variance_and_the_simple_loss_the_mean():
    generator = torch.Generator().manual_seed(0)
    x0, noise = torch.randn(6, 2, 3, 3, generator=generator), torch.randn(6, 2, 3, 3, generator=generator)
    t = torch.tensor([1, 2, 3, 4, 4, 1])
    output = torch.randn(6, 4, 3, 3, generator=generator).requires_grad_()
    (both,) = torch.autograd.grad(hybrid_loss(lambda *_: output, SCHEDULE, x0, t, noise), output)
    (mean_only,) = torch.autograd.grad(simple_loss(lambda *_: output[:, :2], SCHEDULE, x0, t, noise), output)
    torch.testing.assert_close(both[:, :2], mean_only[:, :2])
    log_variance = interpolated_log_variance(SCHEDULE, output[:, 2:], t)
    x_t = q_sample(SCHEDULE, x0, t, noise)
    bound = bound_term(SCHEDULE, x0, x_t, t, output[:, :2].detach(), log_variance)
    (variance_only,) = torch.autograd.grad(1e-3 * 4 * bound.mean() / 18, output)
    torch.testing.assert_close(both[:, 2:], variance_only[:, 2:])


def test_a_schedule_of_one_step_has_a_bound():
    schedule = Schedule.from_betas(torch.tensor([0.5]))
    bound = variational_bound(
        denoiser, schedule, torch.zeros(3, 2), generator=torch.Generator().manual_seed(0)
    )
    assert bound.transitions.shape == (3, 0)
    assert bound.total.isfinite().all()
