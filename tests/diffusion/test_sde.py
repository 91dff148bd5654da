"""Continuous time: marginals of the SDEs, the reverse SDE, the probability-flow ODE and its likelihood."""

import math

import pytest
import torch
from torch import Tensor

from gdmcourse.diffusion import exact_denoiser, linear_schedule
from gdmcourse.diffusion.denoiser import alpha_bar_at
from gdmcourse.diffusion.ode import exact_divergence, heun, log_likelihood, probability_flow, rk45
from gdmcourse.diffusion.samplers.reverse_sde import euler_maruyama_step, reverse_sde
from gdmcourse.diffusion.sde import VESDE, VPSDE, exact_score, vp_score
from gdmcourse.probability import GaussianMixture, gaussian_w2
from tests.oracles import noisy, normal

MEANS = torch.tensor([[-1.0, 0.3], [0.8, -0.5]], dtype=torch.float64)
LAW = GaussianMixture.isotropic(MEANS, 0.35, torch.tensor([0.4, 0.6], dtype=torch.float64))
ONE = GaussianMixture(
    torch.ones(1, dtype=torch.float64),
    torch.tensor([[0.5, -0.4]], dtype=torch.float64),
    torch.tensor([[[0.5, 0.2], [0.2, 0.3]]], dtype=torch.float64),
)
SDES = {"VP": VPSDE(), "VE": VESDE(sigma_min=0.01, sigma_max=8.0)}
every_sde = pytest.mark.parametrize("sde", SDES.values(), ids=SDES)


@pytest.mark.equation("eq-vp-marginal", "eq-ve-marginal")
@every_sde
@pytest.mark.parametrize("t", [0.1, 0.5, 1.0])
def test_the_marginal_solves_the_moment_equations(sde, t):
    """dm/dt = f(m), dV/dt = 2 f′ V + g², integrated by the midpoint rule from a point at 1."""
    steps, mean, variance = 500, 1.0, 0.0
    for i in range(steps):
        now, h = (i + 0.5) * t / steps, t / steps
        grow = math.exp(float(sde.drift(torch.ones(1, 1), now)) * h)
        mean, variance = mean * grow, variance * grow**2 + sde.diffusion(now) ** 2 * h * grow
    signal, sigma = sde.marginal(t)
    assert signal == pytest.approx(mean, rel=1e-3)
    assert sigma**2 == pytest.approx(variance, rel=1e-3)
    assert sde.marginal(0.0) == (1.0, 0.0)


@pytest.mark.equation("eq-vp-limit")
def test_the_vp_equation_is_the_linear_schedule_in_the_limit():
    differences = []
    for T in (500, 2000):
        schedule = linear_schedule(T)
        pairs = [(VPSDE().marginal(t / T)[0] ** 2, alpha_bar_at(schedule, t)) for t in range(1, T + 1, 7)]
        differences.append(max(abs(a - b) for a, b in pairs))
    assert differences[0] < 0.01
    assert differences[1] == pytest.approx(differences[0] / 4, rel=0.1)


def test_the_score_of_a_trained_denoiser_is_asked_on_the_schedules_clock():
    law = LAW
    schedule = linear_schedule(1000)

    def denoiser(x: Tensor, t: Tensor, y: Tensor | None = None) -> Tensor:
        return exact_denoiser(law, schedule)(x, t.round().long())

    x = normal(6, 2)
    for t in (0.1, 0.5, 0.9):
        got = vp_score(denoiser, VPSDE())(x, torch.full((6,), t))
        torch.testing.assert_close(
            got, exact_score(law, VPSDE())(x, torch.full((6,), t)), atol=0.02, rtol=0.02
        )


@pytest.mark.equation("eq-reverse-sde")
@every_sde
@pytest.mark.parametrize("corrector", [0, 2])
def test_the_reverse_sde_ends_at_the_data(sde, corrector):
    x = reverse_sde(
        exact_score(ONE, sde),
        sde,
        sde.prior_std * normal(4000, 2),
        torch.linspace(1, 1e-3, 201).tolist(),
        generator=torch.Generator().manual_seed(0),
        corrector_steps=corrector,
        snr=0.1,
    )
    distance = gaussian_w2(x.mean(0), x.T.cov(), ONE.mean(), ONE.covariance())
    assert float(distance) < 0.06


@pytest.mark.equation("eq-reverse-sde")
@every_sde
def test_one_step_back_has_the_exact_moments_to_first_order(sde):
    """Gaussian data: the law at t pushed back by one step, against the law at s; the error falls as h²."""
    errors = []
    for h in (0.02, 0.01):
        t, s = 0.5, 0.5 - h
        points = torch.cat([torch.zeros(1, 2), torch.eye(2)]).double()
        score = exact_score(ONE, sde)(points, torch.full((3,), t))
        quiet = euler_maruyama_step(points, score, sde, t, s, None)
        matrix, before, after = (quiet[1:] - quiet[0]).T, noisy(ONE, sde, t), noisy(ONE, sde, s)
        mean = matrix @ before.mean() + quiet[0]
        eye = torch.eye(2, dtype=torch.float64)
        covariance = matrix @ before.covariance() @ matrix.T + sde.diffusion(t) ** 2 * h * eye
        errors.append(float((mean - after.mean()).norm() + (covariance - after.covariance()).norm()))
    assert errors[1] / errors[0] == pytest.approx(0.25, abs=0.04)


def test_the_corrector_makes_up_for_large_steps():
    sde, distances = VPSDE(), []
    times = (
        torch.linspace(1, 1e-3**0.5, 16).square().tolist()
    )  # the last step has no corrector: keep it short
    for corrector in (0, 3):
        x = reverse_sde(
            exact_score(ONE, sde),
            sde,
            normal(4000, 2),
            times,
            generator=torch.Generator().manual_seed(0),
            corrector_steps=corrector,
        )
        distances.append(float(gaussian_w2(x.mean(0), x.T.cov(), ONE.mean(), ONE.covariance())))
    assert distances[1] < distances[0] / 1.5


@pytest.mark.parametrize("times", [[1.0], [1.2, 0.0], [1.0, -0.1], [0.5, 0.5], [0.2, 0.4]])
def test_the_times_of_an_sde_are_checked(times):
    with pytest.raises(ValueError, match="decrease within"):
        reverse_sde(exact_score(ONE, VPSDE()), VPSDE(), normal(2, 2), times)


def test_impossible_rates_and_noise_levels_are_refused():
    for rates in ((0.0, 20.0), (2.0, 1.0), (math.nan, 1.0)):
        with pytest.raises(ValueError, match="0 < beta_min ≤ beta_max"):
            VPSDE(*rates)
    for levels in ((0.0, 10.0), (1.0, 1.0), (-1.0, 1.0)):
        with pytest.raises(ValueError, match="0 < sigma_min < sigma_max"):
            VESDE(*levels)


def test_no_noise_is_added_on_the_last_step():
    ends = [
        reverse_sde(
            exact_score(ONE, VPSDE()), VPSDE(), normal(5, 2), [0.1, 0.05],
            generator=torch.Generator().manual_seed(seed), corrector_steps=1,
        )
        for seed in (0, 1)
    ]  # fmt: skip
    assert torch.equal(*ends)


@pytest.mark.equation("eq-probability-flow")
@every_sde
def test_the_flow_carries_the_marginals(sde):
    """Gaussian data: the exact flow is x ↦ m_s + C_s^½ C_t^−½ (x − m_t), as all covariances here commute."""
    t, s, x = 1.0, 0.02, sde.prior_std * normal(10, 2)
    velocity = probability_flow(exact_score(ONE, sde), sde)
    before, after = noisy(ONE, sde, t), noisy(ONE, sde, s)
    _, vectors = torch.linalg.eigh(ONE.covariance())
    ratio = []
    for law in (before, after):
        ratio.append((vectors.T @ law.covariance() @ vectors).diagonal().sqrt())
    wanted = after.mean() + (x - before.mean()) @ vectors @ torch.diag(ratio[1] / ratio[0]) @ vectors.T
    torch.testing.assert_close(rk45(velocity, x, t, s, rtol=1e-8, atol=1e-8), wanted, atol=1e-5, rtol=1e-5)
    errors = [
        float(
            (heun(velocity, x, torch.linspace(t, s, n + 1, dtype=torch.float64).tolist()) - wanted)
            .abs()
            .max()
        )
        for n in (200, 400)
    ]
    assert math.log2(errors[0] / errors[1]) == pytest.approx(2, abs=0.3)


@pytest.mark.equation("eq-ode-likelihood")
@every_sde
@pytest.mark.parametrize("divergence", ["exact", "hutchinson"])
def test_the_odes_likelihood_is_the_density(sde, divergence):
    """Once what the prior misses of the law at t = 1 is put back, which is known at the flow's end."""
    x = LAW.sample(60 if divergence == "exact" else 8, torch.Generator().manual_seed(0))
    repeats = 1 if divergence == "exact" else 400
    got = log_likelihood(
        exact_score(LAW, sde), sde, x.repeat(repeats, 1), divergence=divergence, rtol=1e-6, atol=1e-6,
        generator=torch.Generator().manual_seed(1),
    ).view(repeats, -1)  # fmt: skip
    end = rk45(probability_flow(exact_score(LAW, sde), sde), x, 1e-5, 1.0, rtol=1e-7, atol=1e-7)
    prior = -(end**2).sum(1) / (2 * sde.prior_std**2) - math.log(2 * math.pi * sde.prior_std**2)
    missed = prior - noisy(LAW, sde, 1.0).log_prob(end)
    error = (got.mean(0) - missed - LAW.log_prob(x)).abs().max()
    assert missed.abs().max() < (0.02 if isinstance(sde, VPSDE) else 0.2)
    assert error < (1e-3 if divergence == "exact" else 4 * float(got.std(0).max()) / repeats**0.5)


def test_rk45_solves_a_known_equation_and_takes_few_steps():
    calls = []

    def velocity(t: float, x: Tensor) -> Tensor:
        calls.append(t)
        return torch.cos(torch.tensor(3 * t)) * x

    x = torch.tensor([[1.0], [2.0]], dtype=torch.float64)
    for start, end in ((0.0, 2.0), (2.0, 0.0)):
        wanted = x * math.exp((math.sin(3 * end) - math.sin(3 * start)) / 3)
        torch.testing.assert_close(
            rk45(velocity, x, start, end, rtol=1e-8, atol=1e-8), wanted, rtol=1e-6, atol=0
        )
    assert len(calls) < 1500
    assert all(-1e-12 <= t <= 2 + 1e-12 for t in calls)


def test_rk45_gives_up_on_an_explosion():
    with pytest.raises(RuntimeError, match="too stiff"):
        rk45(lambda t, x: x**2, torch.ones(1, 1, dtype=torch.float64), 0.0, 2.0)


def test_the_divergence_is_the_trace_of_the_jacobian():
    x = normal(4, 3).requires_grad_()

    def field(x: Tensor) -> Tensor:
        return torch.stack([x[:, 0] * x[:, 1], x[:, 2].sin(), x[:, 0] * x[:, 2] ** 2], dim=1)

    got = exact_divergence(field(x), x)
    for row, value in zip(x.detach(), got, strict=True):
        jacobian = torch.autograd.functional.jacobian(lambda r: field(r[None])[0], row)
        assert float(value) == pytest.approx(float(jacobian.trace()))
