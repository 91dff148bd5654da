"""The claims of the chapter on Wasserstein distances, against linear programs, quadrature and solvers."""

import itertools
import math

import numpy as np
import ot
import pytest
import torch
from scipy.integrate import solve_ivp
from scipy.linalg import expm
from scipy.optimize import linprog
from scipy.sparse.csgraph import bellman_ford
from scipy.stats import wasserstein_distance
from torch import nn

from gdmcourse.gan import (
    non_saturating_loss,
    saturating_loss,
    unit_norm_penalty,
    wasserstein_generator_loss,
    zero_norm_penalty,
)
from gdmcourse.gan.clipping import clip_weights
from gdmcourse.probability import js

SEEDS = range(4)


def laws(seed, n=6, m=5, dim=2):
    """Two laws of n and of m points with weights, as numpy arrays: x, a, y, b."""
    rng = np.random.default_rng(seed)
    a, b = rng.dirichlet(np.ones(n)), rng.dirichlet(np.ones(m))
    return rng.normal(size=(n, dim)), a, rng.normal(size=(m, dim)) + 0.5, b


def distances(x, y):
    return np.linalg.norm(x[:, None] - y[None], axis=2)


def best_prices(x, a, y, b):
    """The 1-Lipschitz prices at all places that earn most, by a linear program over prices alone."""
    places = np.concatenate([x, y])
    apart = distances(places, places)
    pairs = [(i, j) for i in range(len(places)) for j in range(len(places)) if i != j]
    rows = np.zeros((len(pairs), len(places)))
    for row, (i, j) in zip(rows, pairs, strict=True):
        row[i], row[j] = 1, -1
    limits = [apart[pair] for pair in pairs]
    earned = np.concatenate([a, -b])
    bounds = [(0, 0)] + [(None, None)] * (len(places) - 1)
    found = linprog(-earned, A_ub=rows, b_ub=limits, bounds=bounds)
    return found.x, -found.fun


@pytest.mark.equation("eq-wgan-weak")
@pytest.mark.parametrize("seed", SEEDS)
def test_no_prices_earn_more_than_the_cheapest_plan_costs(seed):
    """Prices that are cut from cones of slope 1; the best ones come within rounding, steeper ones pass."""
    x, a, y, b = laws(seed)
    least = ot.emd2(a, b, distances(x, y))
    rng = np.random.default_rng(100 + seed)
    for _ in range(200):
        tips, heights = rng.normal(size=(4, 2)) * 2, rng.normal(size=4)
        at_x, at_y = ((heights + distances(points, tips)).min(axis=1) for points in (x, y))
        assert a @ at_x - b @ at_y <= least + 1e-12
        assert b @ at_y - a @ at_x <= least + 1e-12
    prices, _ = best_prices(x, a, y, b)
    earned = a @ prices[: len(a)] - b @ prices[len(a) :]
    assert least - 1e-8 <= earned <= least + 1e-8
    assert 1.01 * earned > least + 1e-3


@pytest.mark.equation("eq-wgan-duality")
@pytest.mark.parametrize("seed", SEEDS)
def test_the_best_prices_earn_what_the_cheapest_plan_costs(seed):
    """Two linear programs that share nothing but the laws; and the prices that the proof makes of walks."""
    x, a, y, b = laws(seed)
    n, m = len(a), len(b)
    cost = distances(x, y)
    rows, columns = np.kron(np.eye(n), np.ones((1, m))), np.kron(np.ones((1, n)), np.eye(m))
    plan = linprog(cost.ravel(), A_eq=np.concatenate([rows, columns]), b_eq=np.concatenate([a, b]))
    assert best_prices(x, a, y, b)[1] == pytest.approx(plan.fun, abs=1e-8)

    places = np.concatenate([x, y])
    steps = distances(places, places)
    used = np.argwhere(plan.x.reshape(n, m) > 1e-9)
    for i, j in used:
        steps[i, n + j] = -cost[i, j]
    walked = bellman_ford(steps, indices=0)  # raises where a closed walk costs less than nothing
    assert (walked[:, None] - walked[None] <= distances(places, places) + 1e-9).all()
    for i, j in used:
        assert walked[i] - walked[n + j] == pytest.approx(cost[i, j], abs=1e-9)
    assert a @ walked[:n] - b @ walked[n:] == pytest.approx(plan.fun, abs=1e-8)


@pytest.mark.equation("eq-wgan-slack")
@pytest.mark.parametrize("seed", SEEDS)
def test_what_a_plan_costs_too_much_is_the_slack_along_its_ways(seed):
    """For the plan that divides every pile among all holes, and the best prices."""
    x, a, y, b = laws(seed)
    cost, (prices, _) = distances(x, y), best_prices(x, a, y, b)
    slack = cost - prices[: len(a), None] + prices[None, len(a) :]
    assert slack.min() > -1e-8
    poor = np.outer(a, b)
    least = ot.emd2(a, b, cost)
    assert (poor * cost).sum() > least + 0.05
    assert (poor * slack).sum() == pytest.approx((poor * cost).sum() - least, abs=1e-8)
    assert (ot.emd(a, b, cost) * slack).sum() == pytest.approx(0, abs=1e-8)


@pytest.mark.equation("eq-wgan-line")
@pytest.mark.parametrize("seed", SEEDS)
def test_the_critic_of_the_line_earns_the_area_between_the_distribution_functions(seed):
    x, a, y, b = laws(seed, n=9, m=7, dim=1)
    order = np.argsort(np.concatenate([x, y])[:, 0])
    places, mass = np.concatenate([x, y])[order, 0], np.concatenate([a, -b])[order]
    slopes = np.sign(-np.cumsum(mass)[:-1])
    critic = np.concatenate([[0], np.cumsum(slopes * np.diff(places))])
    exact = wasserstein_distance(x[:, 0], y[:, 0], a, b)
    assert mass @ critic == pytest.approx(exact, abs=1e-10)
    assert mass @ critic == pytest.approx(best_prices(x, a, y, b)[1], abs=1e-8)


@pytest.mark.equation("eq-wgan-shift")
@pytest.mark.parametrize("dim", [1, 3])
@pytest.mark.parametrize("size", [0.01, 0.7, 40.0])
def test_a_law_that_is_moved_is_as_far_away_as_it_was_moved(dim, size):
    rng = np.random.default_rng(dim)
    x, mass = rng.normal(size=(40, dim)) ** 3, np.full(40, 1 / 40)
    theta = rng.normal(size=dim)
    theta *= size / np.linalg.norm(theta)
    assert ot.emd2(mass, mass, distances(x, x + theta)) == pytest.approx(size, rel=1e-9)


def bell(place, std):
    return torch.distributions.Normal(torch.tensor(place).double(), std).log_prob


@pytest.mark.equation("eq-wgan-js")
@pytest.mark.parametrize("std", [0.05, 0.5, 2.0])
@pytest.mark.parametrize("widths", [0.3, 1.0, 3.0, 6.0])
def test_bells_that_part_come_to_log_two_at_least_as_fast_as_their_overlap_vanishes(std, widths):
    theta = widths * std
    line = torch.linspace(-9 * std, theta + 9 * std, 20001, dtype=torch.float64)
    p, q = bell(0.0, std), bell(theta, std)
    missing = math.log(2) - js(p, q, line).item()
    overlap = torch.trapezoid((0.5 * (p(line) + q(line))).exp(), line).item()
    assert overlap == pytest.approx(math.exp(-(theta**2) / (8 * std**2)), rel=1e-6)
    assert 0 < missing <= overlap
    assert missing > 0.2 * overlap  # the exponent is right; the factor falls as σ/θ


@pytest.mark.equation("eq-wgan-slopes")
@pytest.mark.parametrize(("theta", "std"), [(0.2, 1.0), (1.5, 0.5), (3.0, 0.3), (2.0, 0.1)])
def test_what_a_shifted_bell_feels(theta, std):
    """Autograd through the library's losses, noise on a grid, against the formulas with E D by quadrature."""
    z = torch.linspace(-9, 9, 20001, dtype=torch.float64)
    mass = torch.distributions.Normal(0.0, 1.0).log_prob(z).exp() * (z[1] - z[0])
    assert mass.sum().item() == pytest.approx(1)
    place = torch.tensor(theta, dtype=torch.float64, requires_grad=True)
    x = place + std * z
    logit = bell(0.0, std)(x) - bell(theta, std)(x)  # the second with θ held

    def slope(loss, of):
        each = torch.func.vmap(loss)(of[:, None])  # the library's losses are means
        return torch.autograd.grad((mass * each).sum(), place, retain_graph=True)[0].item()

    d = (mass * logit.detach().sigmoid()).sum().item()
    pull = theta / std**2
    assert slope(saturating_loss, logit) == pytest.approx(pull * d, rel=1e-6)
    assert slope(saturating_loss, logit) <= pull / 2 * math.exp(-(theta**2) / (8 * std**2))
    assert slope(non_saturating_loss, logit) == pytest.approx(pull * (1 - d), rel=1e-6)
    assert slope(wasserstein_generator_loss, -x) == pytest.approx(1)


@pytest.mark.equation("eq-wgan-unit")
@pytest.mark.parametrize("seed", SEEDS)
def test_the_best_critic_falls_straight_along_the_ways_of_the_cheapest_plan(seed):
    """Best prices from their linear program, continued to the plane, and differentiated by autograd."""
    x, a, y, b = laws(seed)
    prices, _ = best_prices(x, a, y, b)
    places, heights = (torch.from_numpy(part) for part in (np.concatenate([x, y]), prices))

    def critic(z):
        return (heights + torch.linalg.vector_norm(z - places, dim=1)).min()

    used = np.argwhere(ot.emd(a, b, distances(x, y)) > 1e-9)
    assert len(used) >= 6
    for i, j in used:
        way = torch.from_numpy(x[i] - y[j])
        for t in (0.1, 0.4, 0.8, 0.99):  # at t = 1 this critic has the tip of a cone
            z = torch.from_numpy((1 - t) * x[i] + t * y[j]).requires_grad_()
            value = critic(z)
            assert value.item() == pytest.approx(prices[i] - t * way.norm().item(), abs=1e-7)
            (slope,) = torch.autograd.grad(value, z)
            torch.testing.assert_close(slope, way / way.norm(), atol=1e-4, rtol=0)


@pytest.mark.equation("eq-wgan-clip")
@pytest.mark.parametrize("c", [0.01, 0.1, 1.0])
def test_a_clipped_network_is_no_steeper_than_the_bound_which_is_reached(c):
    sizes = [7, 5, 6, 1]
    layers = []
    for inside, outside in itertools.pairwise(sizes):
        layers += [nn.Linear(inside, outside), nn.LeakyReLU(0.2)]
    network = nn.Sequential(*layers[:-1]).double()
    bound = c**3 * math.sqrt(7 * 5 * 5 * 6 * 6 * 1)
    rng = torch.Generator().manual_seed(0)
    x = torch.rand(20, 7, generator=rng, dtype=torch.float64).requires_grad_()

    def steepest():
        return torch.autograd.grad(network(x).sum(), x)[0].norm(dim=1).max().item()

    for spread in (1.0, 3.0) * 10:  # some weights are clipped, then most
        for parameter in network.parameters():
            drawn = 2 * torch.rand(parameter.shape, generator=rng, dtype=torch.float64) - 1
            parameter.data = spread * c * drawn
        clip_weights(network, c)
        assert steepest() <= bound
    for parameter in network.parameters():
        parameter.data.fill_(5 * c)
    clip_weights(network, c)
    assert steepest() == pytest.approx(bound, rel=1e-12)


@pytest.mark.equation("eq-wgan-clip")
def test_the_best_weights_of_a_clipped_last_layer_stand_at_the_bounds():
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(50, 8)), rng.normal(size=(40, 8)) + 0.3
    gap = real.mean(0) - fake.mean(0)
    found = linprog(-gap, bounds=[(-0.2, 0.2)] * 8)
    np.testing.assert_allclose(found.x, 0.2 * np.sign(gap))


def moves(state, penalty):
    """How the smallest game moves, by autograd from what each player raises, the critic less its penalty."""
    theta, phi = (torch.tensor(part, dtype=torch.float64, requires_grad=True) for part in state)
    earned = -phi * theta
    (made,) = torch.autograd.grad(-earned, theta, retain_graph=True)
    (slope,) = torch.autograd.grad(earned - penalty(lambda x: phi * x[:, 0]), phi)
    return [made.item(), slope.item()]


@pytest.mark.equation("eq-wgan-dirac-unit")
@pytest.mark.parametrize("weight", [0.3, 1.0, 4.0])
@pytest.mark.parametrize("start", [(1.0, 0.3), (0.01, -0.01), (-3.0, 2.0), (0.0, 1.0)])
def test_the_smallest_game_with_a_target_of_one_does_not_rest_at_the_data(weight, start):
    """The field against autograd through the library's penalty, and its path by an integrator."""

    def field(t, state):
        theta, phi = state
        return [phi, -theta - 2 * weight * (abs(phi) - 1) * np.sign(phi)]

    def penalty(critic):
        data, made = torch.zeros(2, 1, dtype=torch.float64), torch.full((2, 1), start[0], dtype=torch.float64)
        return weight * unit_norm_penalty(critic, data, made, torch.Generator().manual_seed(0))

    assert field(0, start) == pytest.approx(moves(start, penalty))
    walk = solve_ivp(field, (0, 120), start, max_step=0.02, method="RK23")
    late = np.abs(walk.y[0][walk.t > 80])
    assert late.max() > 0.5 * weight


@pytest.mark.equation("eq-wgan-dirac-zero")
@pytest.mark.parametrize("weight", [0.3, 1.0, 2.0, 5.0])
def test_the_smallest_game_with_a_target_of_zero_rests_there(weight):
    """The field by autograd through the library's penalty; its limit by the matrix exponential."""

    def penalty(critic):
        return weight * zero_norm_penalty(critic, torch.zeros(1, 1, dtype=torch.float64))

    matrix = np.array([moves(unit, penalty) for unit in ((1.0, 0.0), (0.0, 1.0))]).T
    root = np.emath.sqrt(weight**2 - 4)
    expected = np.sort_complex(np.array([(-weight + root) / 2, (-weight - root) / 2], dtype=complex))
    found = np.sort_complex(np.linalg.eigvals(matrix).astype(complex))
    np.testing.assert_allclose(found, expected, atol=1e-7)
    assert np.abs(expm(200 * matrix)).max() < 1e-8


@pytest.mark.equation("eq-wgan-batch")
@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_batches_are_on_average_further_apart_than_their_laws(shift):
    """Bells at 0 and at the shift, at which they are apart."""
    rng = torch.Generator().manual_seed(0)
    means = []
    for n in (4, 16, 64):
        x, y = torch.randn(2, 4000, n, generator=rng, dtype=torch.float64).sort(dim=2).values
        apart = (x - y - shift).abs().mean(1)
        error = (apart.std() / math.sqrt(len(apart))).item()
        means.append(apart.mean().item())
        assert means[-1] > shift + 5 * error
    assert means == sorted(means, reverse=True)
