"""Claims of the chapter on scores and stochastic equations whose formulas stand on the page."""

import math

import pytest
import torch

from gdmcourse.diffusion import linear_schedule
from gdmcourse.diffusion.denoiser import alpha_bar_at
from gdmcourse.diffusion.noise_level import NoiseLevel
from gdmcourse.diffusion.ode import heun, probability_flow
from gdmcourse.diffusion.samplers import langevin_step
from gdmcourse.diffusion.samplers.ancestral import ancestral_mean
from gdmcourse.diffusion.samplers.reverse_sde import euler_maruyama_step
from gdmcourse.diffusion.samplers.times import split_noise
from gdmcourse.diffusion.sde import VESDE, VPSDE, exact_score
from gdmcourse.probability import GaussianMixture
from tests.oracles import noisy

close = torch.testing.assert_close
GRID = torch.linspace(-6, 6, 4001, dtype=torch.float64)
DX = float(GRID[1] - GRID[0])
LINE = GaussianMixture.isotropic(
    torch.tensor([[-1.5], [0.5], [2.0]]).double(), 0.3, torch.tensor([0.2, 0.5, 0.3]).double()
)
PLANE = GaussianMixture.isotropic(
    torch.tensor([[-1.0, 0.3], [0.8, -0.5]]).double(), 0.35, torch.tensor([0.4, 0.6]).double()
)
SDES = {"VP": VPSDE(), "VE": VESDE(sigma_min=0.05, sigma_max=3.0)}
every_sde = pytest.mark.parametrize("sde", SDES.values(), ids=SDES)


def slope(values):
    return torch.gradient(values, spacing=DX)[0]


def density(sde, t):
    return noisy(LINE, sde, t).log_prob_1d(GRID).exp()


def jacobian(velocity, t, point):
    return torch.autograd.functional.jacobian(lambda x: velocity(t, x[None])[0], point)


@pytest.mark.equation("eq-fokker-planck")
@every_sde
@pytest.mark.parametrize("t", [0.2, 0.5, 0.8])
def test_the_exact_density_solves_the_fokker_planck_equation(sde, t):
    h = 1e-4
    left = (density(sde, t + h) - density(sde, t - h)) / (2 * h)
    p = density(sde, t)
    right = -slope(sde.drift(GRID, t) * p) + sde.diffusion(t) ** 2 / 2 * slope(slope(p))
    assert left.abs().max() > 0.01
    close(left[4:-4], right[4:-4], atol=2e-3 * float(left.abs().max()), rtol=0)


@pytest.mark.equation("eq-fokker-planck")
def test_one_small_step_moves_averages_as_the_equation_says():
    """A walk without a known solution: the change of E φ by quadrature over x and z, against ∫ φ ∂p/∂t."""
    p, g = LINE.log_prob_1d(GRID).exp(), 0.7
    nodes = torch.linspace(-8, 8, 801, dtype=torch.float64)
    weights = torch.softmax(-(nodes**2) / 2, 0)

    def drift(x):
        return torch.sin(2 * x) - 0.3 * x

    def phi(x):
        return torch.exp(-((x - 0.4) ** 2))

    change = -slope(drift(GRID) * p) + g**2 / 2 * slope(slope(p))
    predicted = float((phi(GRID) * change).sum() * DX)
    errors = []
    for h in (0.02, 0.01):
        moved = GRID[:, None] + drift(GRID)[:, None] * h + g * math.sqrt(h) * nodes
        after = float((p * (phi(moved) @ weights)).sum() * DX)
        before = float((p * phi(GRID)).sum() * DX)
        errors.append(abs((after - before) / h - predicted))
    assert errors[1] == pytest.approx(errors[0] / 2, rel=0.1)  # what is left is of order h
    assert errors[1] < 0.05 * abs(predicted)


@pytest.mark.equation("eq-diffusion-as-drift")
def test_the_laplacian_is_the_divergence_of_p_times_the_score():
    point = torch.tensor([0.3, -0.4], dtype=torch.float64)

    def p(x):
        return PLANE.log_prob(x[None]).exp()[0]

    laplacian = torch.autograd.functional.hessian(p, point).trace()
    flux = torch.autograd.functional.jacobian(lambda x: p(x) * PLANE.score(x[None])[0], point)
    close(laplacian, flux.trace())
    assert abs(laplacian) > 0.01


@pytest.mark.equation("eq-langevin-invariant")
def test_half_the_score_and_unit_noise_leave_the_density_as_it_is():
    p, score = LINE.log_prob_1d(GRID).exp(), LINE.score(GRID[:, None])[:, 0]
    drift, noise = -slope(p * score / 2), slope(slope(p)) / 2
    assert noise.abs().max() > 0.1
    assert (drift + noise)[4:-4].abs().max() < 1e-3 * noise.abs().max()
    whole_score = -slope(p * score) + slope(slope(p)) / 2  # a forgotten half does not balance
    assert whole_score.abs().max() > 0.1


@pytest.mark.equation("eq-langevin-stationary")
@pytest.mark.parametrize(("a", "settles"), [(0.1, True), (1.0, True), (1.9, True), (2.1, False)])
def test_langevin_settles_below_four_variances_and_never_above(a, settles):
    """The law of a Gaussian under the affine step, followed exactly: no sampling."""
    v, m = 0.5, 0.7
    at_m, at_m_plus_1 = (
        langevin_step(x, (m - x) / v, a, torch.tensor(0.0)) for x in (torch.tensor(m), torch.tensor(m + 1))
    )
    kick = langevin_step(torch.tensor(m), torch.tensor(0.0), a, torch.tensor(1.0)) - m
    variance = 3.0
    for _ in range(400):
        variance = float(at_m_plus_1 - at_m) ** 2 * variance + float(kick) ** 2
    if settles:
        assert variance == pytest.approx(v / (1 - a / (4 * v)), rel=1e-3)
    else:
        assert variance > 1e6


@pytest.mark.equation("eq-vp-limit")
def test_alpha_bar_tends_to_the_squared_signal():
    gaps = [
        abs(alpha_bar_at(linear_schedule(T), T // 4) - VPSDE().marginal(0.25)[0] ** 2)
        for T in (400, 800, 1600)
    ]
    assert gaps[0] > 1.8 * gaps[1] > 3.2 * gaps[2] > 0


@pytest.mark.equation("eq-reverse-sde")
@every_sde
def test_the_reversed_drift_solves_the_fokker_planck_equation_backward(sde):
    t, h = 0.5, 1e-4
    p = density(sde, t)
    score = noisy(LINE, sde, t).score(GRID[:, None])[:, 0]
    backward = (density(sde, t - h) - density(sde, t + h)) / (2 * h)
    drift = -sde.drift(GRID, t) + sde.diffusion(t) ** 2 * score
    right = -slope(drift * p) + sde.diffusion(t) ** 2 / 2 * slope(slope(p))
    close(backward[4:-4], right[4:-4], atol=2e-3 * float(backward.abs().max()), rtol=0)


@pytest.mark.equation("eq-ancestral-euler")
def test_the_ancestral_step_and_euler_maruyama_differ_by_the_square_of_the_step():
    sde, x = VPSDE(), torch.tensor([[0.3, -1.2], [1.0, 0.4]], dtype=torch.float64)
    differences = []
    for h in (0.01, 0.005):
        t, s = 0.5, 0.5 - h
        kept = math.sqrt(1 - sde.beta(t) * h)  # one discrete step with β_t = β(t) h
        signal, sigma = sde.marginal(t)
        before = signal / kept
        here, there = NoiseLevel(2, 2 * math.log(signal)), NoiseLevel(1, 2 * math.log(before))
        score = exact_score(PLANE, sde)(x, torch.full((2,), t))
        x0, _ = split_noise(x, -sigma * score, here)
        ours = ancestral_mean(x, x0, here, there)
        close(ours, (x + sde.beta(t) * h * score) / kept)  # the formula of the page
        differences.append(float((ours - euler_maruyama_step(x, score, sde, t, s, None)).norm()))
    assert differences[1] == pytest.approx(differences[0] / 4, rel=0.1)


@pytest.mark.equation("eq-probability-flow")
@every_sde
def test_the_flow_solves_the_continuity_equation(sde):
    t, h = 0.4, 1e-4
    p = density(sde, t)
    velocity = probability_flow(exact_score(LINE, sde), sde)(t, GRID[:, None])[:, 0]
    left = (density(sde, t + h) - density(sde, t - h)) / (2 * h)
    close(left[4:-4], -slope(velocity * p)[4:-4], atol=2e-3 * float(left.abs().max()), rtol=0)


@pytest.mark.equation("eq-instantaneous-change")
@every_sde
def test_the_density_at_a_moving_point_falls_by_the_divergence(sde):
    t, h = 0.4, 1e-4
    velocity = probability_flow(exact_score(PLANE, sde), sde)
    x = torch.tensor([[0.2, -0.3], [-1.0, 0.8]], dtype=torch.float64)
    later, earlier = heun(velocity, x, [t, t + h]), heun(velocity, x, [t, t - h])
    rate = (noisy(PLANE, sde, t + h).log_prob(later) - noisy(PLANE, sde, t - h).log_prob(earlier)) / (2 * h)
    divergence = torch.stack([jacobian(velocity, t, row).trace() for row in x])
    close(rate, -divergence, rtol=1e-4, atol=1e-5)
    assert divergence.abs().min() > 0.01


@pytest.mark.equation("eq-hutchinson")
def test_random_signs_give_the_trace_on_average():
    matrix = torch.randn(3, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    signs = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0], dtype=torch.float64)] * 3)  # all, each as likely
    values = torch.einsum("ni,ij,nj->n", signs, matrix, signs)
    close(values.mean(), matrix.trace())
    assert values.std() > 0.1
