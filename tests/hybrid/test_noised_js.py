"""Divergences behind noise: two points exactly, what is continuous, what has a slope, and what jumps."""

import itertools
import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad

from gdmcourse.hybrid import points_js, points_js_slope, rebuilt_schedule

DELTAS = torch.tensor([0.0, 1e-3, 0.3, 1.0, 2.5, 6.0, 12.0], dtype=torch.float64)


def js_of_bells(delta: float) -> float:
    """By adaptive quadrature of the definition."""

    def integrand(x):
        p, g = math.exp(-(x**2) / 2), math.exp(-((x - delta) ** 2) / 2)
        m = (p + g) / 2
        return sum(q * math.log(q / m) for q in (p, g) if q > 0) / 2 / math.sqrt(2 * math.pi)

    return quad(integrand, -12, delta + 12, limit=200, epsabs=1e-12)[0]


@pytest.mark.equation("eq-dg-points")
def test_two_points_behind_noise_and_the_slope_of_their_divergence():
    found = points_js(DELTAS)
    for delta, value in zip(DELTAS.tolist(), found.tolist(), strict=True):
        assert value == pytest.approx(js_of_bells(delta), abs=1e-9)
    step = 1e-5
    differences = torch.tensor(
        [(js_of_bells(d + 1e-3) - js_of_bells(d - 1e-3)) / 2e-3 for d in DELTAS[2:5].tolist()]
    ).double()
    torch.testing.assert_close(points_js_slope(DELTAS)[2:5], differences, atol=1e-6, rtol=1e-5)
    fine = (points_js(DELTAS + step) - points_js((DELTAS - step).abs())) / (2 * step)
    torch.testing.assert_close(points_js_slope(DELTAS)[2:], fine[2:], atol=1e-8, rtol=1e-6)


@pytest.mark.equation("eq-dg-points")
@pytest.mark.parametrize("delta", [8.0, 30.0, 40.0])
def test_the_slope_of_points_far_apart_is_small_and_right(delta):
    """What is integrated peaks midway between the two bells, far out in the tails of both."""

    def integrand(w):
        return math.exp(-(w**2) / 2) / math.sqrt(2 * math.pi) / (1 + math.exp(delta * w + delta**2 / 2))

    expected = quad(integrand, -delta / 2 - 8, -delta / 2 + 8, epsabs=0, epsrel=1e-11, points=[-delta / 2])[0]
    found = points_js_slope(torch.tensor([delta]).double()).item()
    assert found == pytest.approx(delta / 2 * expected, rel=1e-8, abs=0)


@pytest.mark.equation("eq-dg-points")
def test_it_is_the_divergence_of_two_balls_in_the_plane_too():
    theta, a, s = torch.tensor([0.3, -0.4]).double(), 0.8, 0.25
    axis = torch.linspace(-2, 2, 801, dtype=torch.float64)
    y = torch.stack(torch.meshgrid(axis, axis, indexing="ij"), -1)
    p = (-(y.square().sum(-1)) / (2 * s**2)).exp() / (2 * math.pi * s**2)
    g = (-((y - a * theta).square().sum(-1)) / (2 * s**2)).exp() / (2 * math.pi * s**2)
    m = (p + g) / 2
    js = (torch.xlogy(p, p / m) + torch.xlogy(g, g / m)).sum() / 2 * (axis[1] - axis[0]) ** 2
    claimed = points_js(torch.tensor([a * 0.5 / s]).double())
    assert js.item() == pytest.approx(claimed.item(), abs=1e-8)


def divergence(theta: float, data, generator, a: float, s: float) -> float:
    """JS behind noise of laws on finitely many points: data (x, weights), generator θ ↦ its points."""
    y = np.linspace(-14, 14, 28_001)

    def density(points, weights):
        bells = np.exp(-((y[:, None] - a * np.asarray(points)) ** 2) / (2 * s**2)) / (
            s * math.sqrt(2 * math.pi)
        )
        return bells @ np.asarray(weights)

    p, g = density(*data), density(*generator(theta))
    tiny = 1e-290  # where a density has underflowed it has nothing to add
    m = (p + g + tiny) / 2
    terms = p * np.log((p + tiny) / m) + g * np.log((g + tiny) / m)
    return float(np.trapezoid(terms, y) / 2)


DATA = ([0.0, 1.0, 7.5], [0.5, 0.3, 0.2])


@pytest.mark.equation("eq-dg-continuous")
def test_behind_noise_nothing_jumps_where_points_of_the_generator_meet_those_of_the_data():
    """Continuous in θ though not differentiable: G_θ(z) = √|θ| (1 + z). The clean divergence jumps."""

    def generator(theta):
        return [math.sqrt(abs(theta)) * k for k in (1, 2)], [0.5, 0.5]

    a, s = 0.9, 0.2
    at = divergence(0.0, DATA, generator, a, s)
    gaps = [abs(divergence(theta, DATA, generator, a, s) - at) for theta in (1e-2, 1e-4, 1e-6, 1e-8)]
    assert all(later < earlier / 2 for earlier, later in itertools.pairwise(gaps))
    assert gaps[-1] < 1e-3
    # Clean: the generator's mass 1 is on the data's point 0 with mass ½, or on no point of the data.
    p, g = np.array([0.5, 0.5]), np.array([1.0, 0.0])
    m = (p + g) / 2
    meeting = (p[0] * math.log(p[0] / m[0]) + p[1] * math.log(p[1] / m[1]) + math.log(1 / m[0])) / 2
    assert math.log(2) - meeting > 0.3


@pytest.mark.equation("eq-dg-smooth")
@pytest.mark.parametrize("theta", [-0.7, 0.0, 0.4, 3.0])
def test_the_slope_is_the_pull_of_the_best_discriminator(theta):
    """G_θ(z) = tanh(θ + z) on five z, against differences of the divergence itself."""
    z, weights, a, s = np.array([-1.0, -0.3, 0.1, 0.8, 1.7]), np.full(5, 0.2), 0.85, 0.3

    def generator(value):
        return np.tanh(value + z), weights

    step = 1e-4
    differences = (
        divergence(theta + step, DATA, generator, a, s) - divergence(theta - step, DATA, generator, a, s)
    ) / (2 * step)
    y = torch.linspace(-9, 9, 18_001, dtype=torch.float64)

    def density(y, points, mass):
        bells = torch.distributions.Normal(a * torch.as_tensor(points), s).log_prob(y[:, None]).exp()
        return bells @ torch.as_tensor(mass)

    claimed = 0.0
    for point, slope in zip(np.tanh(theta + z), 1 - np.tanh(theta + z) ** 2, strict=True):
        at = (a * point + s * y).requires_grad_()
        p, g = density(at, *map(np.asarray, DATA)), density(at, *generator(theta))
        (pull,) = torch.autograd.grad((g / (p + g)).log().sum(), at)
        normal = torch.distributions.Normal(0.0, 1.0).log_prob(y).exp()
        claimed += 0.2 * slope * a / 2 * torch.trapezoid(normal * pull, y).item()
    assert claimed == pytest.approx(differences, abs=2e-6)
    assert abs(claimed) > 1e-3


@pytest.mark.equation("eq-dg-chi")
@pytest.mark.slip(22)
def test_chi_squared_behind_noise_is_infinite_for_a_generator_as_smooth_as_can_be():
    a, s, v = 0.9, 0.3, 1.0
    A = a**2 * v + s**2

    def chi(theta, reach):
        B = a**2 * theta**2 + s**2
        y = np.linspace(-reach, reach, 200_001)
        log_p, log_g = (-(y**2) / (2 * q) - 0.5 * math.log(2 * math.pi * q) for q in (A, B))
        return float(np.trapezoid(np.exp(2 * log_p - log_g), y) - 1)

    border = math.sqrt((A / 2 - s**2) / a**2)
    for theta in (1.05 * border, 0.9, 1.0, 1.6):
        B = a**2 * theta**2 + s**2
        assert chi(theta, 30) == pytest.approx(B / math.sqrt(A * (2 * B - A)) - 1, rel=1e-6, abs=1e-9)
    growing = [chi(0.95 * border, reach) for reach in (10, 20, 30)]
    assert growing[2] > 10 * growing[1] > 100 * growing[0]


@pytest.mark.equation("eq-dg-clean")
@pytest.mark.parametrize("clean", [0.0, 0.3, 0.5])
def test_a_share_of_clean_examples_brings_that_share_of_the_jump_back(clean):
    """The value of the game at two places, by search over what the discriminator answers there."""
    T, sigma = 30, 0.2
    schedule = rebuilt_schedule(T)
    answers = np.linspace(1e-6, 1 - 1e-6, 200_001)
    real, fake = np.log(answers), np.log(1 - answers)

    def mean(theta):
        value = real.max() + fake.max() if theta else (real + fake).max()
        total = clean * (value + math.log(4)) / 2
        for t in range(1, T + 1):
            a = math.sqrt(np.prod(1 - schedule.beta[1 : t + 1].double().numpy()))
            delta = torch.tensor([a * theta / (sigma * math.sqrt(1 - a**2))]).double()
            total += (1 - clean) / T * points_js(delta).item()
        return total

    near = mean(1e-7) - mean(0.0)
    assert near == pytest.approx(clean * math.log(2), abs=1e-5)
    assert mean(2.0) == pytest.approx(math.log(2), abs=0.01)
