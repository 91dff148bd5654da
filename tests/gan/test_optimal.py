"""The best discriminator and the value of the game: against searches, scipy's quadrature, closed forms."""

import math

import numpy as np
import pytest
import torch
from scipy import integrate, optimize, stats

from gdmcourse.gan import (
    discriminator_loss,
    game_value,
    non_saturating_loss,
    optimal_logit,
    saturating_loss,
)
from gdmcourse.probability import GaussianMixture, f_divergence, js, js_generator

LOG4 = math.log(4)
GRID = torch.linspace(-14, 14, 14001, dtype=torch.float64)
DATA = GaussianMixture.isotropic(
    torch.tensor([[-2.0], [1.5]]).double(), 0.6, torch.tensor([0.3, 0.7]).double()
)
MADE = GaussianMixture.isotropic(torch.tensor([[0.5]]).double(), 1.2)
P, G = DATA.log_prob_1d, MADE.log_prob_1d


def density(mixture: GaussianMixture, x: float) -> float:
    """By scipy's normal density."""
    rows = zip(
        mixture.weights.tolist(), mixture.means[:, 0].tolist(), mixture.covariances.flatten(), strict=True
    )
    return sum(w * stats.norm.pdf(x, m, math.sqrt(v)) for w, m, v in rows)


def value(discriminator, limits=(-14, 14)) -> float:
    """V by scipy's adaptive quadrature, of a function x → D(x)."""

    def integrand(x):
        d = discriminator(x)
        return density(DATA, x) * math.log(d) + density(MADE, x) * math.log1p(-d)

    return integrate.quad(integrand, *limits, limit=400, epsabs=1e-11)[0]


@pytest.mark.equation("eq-optimal-discriminator")
@pytest.mark.parametrize(("a", "b"), [(1.0, 1.0), (3.0, 0.2), (1e-6, 2.0), (0.7, 0.0), (0.0, 0.4)])
def test_no_number_beats_the_share_of_p(a, b):
    """a log d + b log(1 − d) searched over d alone."""

    def loss(d):
        return -(a * math.log(d) if a else 0.0) - (b * math.log1p(-d) if b else 0.0)

    best = optimize.minimize_scalar(loss, bounds=(1e-9, 1 - 1e-9), method="bounded", options={"xatol": 1e-10})
    log_a, log_b = torch.tensor([[a], [b]], dtype=torch.float64).log()
    logit = optimal_logit(lambda x: log_a, lambda x: log_b)
    d = logit(torch.zeros(1)).sigmoid().item()
    assert d == pytest.approx(a / (a + b), abs=1e-12)
    assert best.x == pytest.approx(d, abs=1e-5)


@pytest.mark.equation("eq-optimal-discriminator")
def test_any_other_discriminator_gets_less():
    best = game_value(optimal_logit(P, G), P, G, GRID)
    for change in (lambda f: f + 0.1, lambda f: 0.9 * f, lambda f: f + 0.3 * torch.sin(3 * GRID)):
        other = game_value(lambda x, change=change: change(optimal_logit(P, G)(x)), P, G, GRID)
        assert other < best - 1e-4


@pytest.mark.equation("eq-optimal-logit")
def test_the_logit_of_two_normals_is_a_parabola():
    """log p − log p_g by hand, for N(1, ½²) against N(−1, 2²); sure and finite far out."""
    p, g = (torch.distributions.Normal(*map(torch.tensor, law)).log_prob for law in ((1.0, 0.5), (-1.0, 2.0)))
    x = torch.tensor([-60.0, -1.0, 0.0, 3.0])
    by_hand = math.log(4) - (x - 1) ** 2 / 0.5 + (x + 1) ** 2 / 8
    torch.testing.assert_close(optimal_logit(p, g)(x), by_hand)


def test_where_nobody_puts_mass_the_logit_is_zero():
    p, g = (torch.distributions.Uniform(a, a + 1, validate_args=False).log_prob for a in (0.0, 3.0))
    f = optimal_logit(p, g)(torch.tensor([0.5, 2.0, 3.5]))
    assert f.tolist() == [math.inf, 0.0, -math.inf]
    line = torch.linspace(-1, 5, 60_001, dtype=torch.float64)
    assert game_value(optimal_logit(p, g), p, g, line).item() == 0  # told apart without a doubt


def test_the_value_is_minus_infinity_for_a_sure_error_however_little_mass_it_costs():
    def p(x):
        return torch.where((x > 0) & (x < 1), 0.0, -800.0).double()

    line = torch.linspace(-1, 2, 30_001, dtype=torch.float64)
    wrong = game_value(lambda x: torch.where(p(x) == 0, 0.0, -torch.inf), p, p, line)
    assert wrong.item() == -math.inf


@pytest.mark.equation("eq-gan-gap")
@pytest.mark.parametrize("bend", [0.0, 0.4, -1.5])
def test_what_a_discriminator_misses_is_a_divergence_of_coins(bend):
    def logit(x):
        return 0.5 * x - 0.3 + bend * torch.sin(x)

    missed = game_value(optimal_logit(P, G), P, G, GRID) - game_value(logit, P, G, GRID)

    def coins(x):
        p, g = density(DATA, x), density(MADE, x)
        d = 1 / (1 + math.exp(-(0.5 * x - 0.3 + bend * math.sin(x))))
        best = p / (p + g)
        return (p + g) * stats.entropy([best, 1 - best], [d, 1 - d])

    wanted = integrate.quad(coins, -9, 9, limit=400, epsabs=1e-11)[0]
    assert missed.item() == pytest.approx(wanted, abs=1e-6)
    assert missed > 0.01


@pytest.mark.equation("eq-gan-js")
def test_the_value_of_the_best_discriminator_is_js():
    """Three ways: the library's quadrature, scipy's with densities of its own, and JS by its definition."""
    by_us = game_value(optimal_logit(P, G), P, G, GRID).item()
    by_scipy = value(lambda x: density(DATA, x) / (density(DATA, x) + density(MADE, x)), (-7, 8))
    by_definition = 2 * js(P, G, GRID).item() - LOG4
    assert by_us == pytest.approx(by_scipy, abs=1e-6)
    assert by_us == pytest.approx(by_definition, abs=1e-6)
    assert game_value(optimal_logit(P, P), P, P, GRID).item() == pytest.approx(-LOG4, abs=1e-9)


def test_the_mean_over_samples_is_the_quadrature():
    rng = torch.Generator().manual_seed(0)
    logit = optimal_logit(P, G)
    real, fake = (law.sample(200_000, rng)[:, 0] for law in (DATA, MADE))
    sampled = -discriminator_loss(logit(real), logit(fake))
    assert sampled.item() == pytest.approx(game_value(logit, P, G, GRID).item(), abs=5e-3)


@pytest.mark.equation("eq-js-line")
def test_the_discriminator_s_value_is_the_line_that_touches_the_generator_of_js():
    u = torch.tensor([0.05, 0.4, 1.0, 2.5, 30.0], dtype=torch.float64)
    d = torch.linspace(1e-4, 1 - 1e-4, 40_001, dtype=torch.float64)[:, None]
    lines = 0.5 * (u * (2 * d).log() + (2 * (1 - d)).log())
    highest = lines.max(0)
    torch.testing.assert_close(highest.values, js_generator(u), atol=1e-6, rtol=0)
    torch.testing.assert_close(d[highest.indices, 0], u / (1 + u), atol=1e-4, rtol=0)
    # Integrated against p_g the touching lines are the game.
    value = game_value(optimal_logit(P, G), P, G, GRID)
    assert f_divergence(js_generator, P, G, GRID).item() == pytest.approx((value.item() + LOG4) / 2, abs=1e-6)


def table_value(d: np.ndarray, p: np.ndarray, g: np.ndarray) -> float:
    """V on a finite set, with 0 log 0 = 0."""
    return float(sum(a * math.log(x) for a, x in zip(p, d, strict=True) if a)) + float(
        sum(b * math.log(1 - x) for b, x in zip(g, d, strict=True) if b)
    )


@pytest.mark.equation("eq-gan-equilibrium")
@pytest.mark.parametrize(
    ("g", "elsewhere", "d", "stable"),
    [
        ([0.5, 0.3, 0.2, 0.0], 0.5, 0.5, True),
        ([0.5, 0.3, 0.2, 0.0], 0.2, 0.5, True),
        ([0.5, 0.3, 0.2, 0.0], 0.7, 0.5, False),  # the generator would move to where D says "real"
        ([0.4, 0.4, 0.2, 0.0], 0.5, 0.5, False),  # the discriminator would
        ([0.5, 0.3, 0.1, 0.1], 0.5, 0.5, False),
        ([0.5, 0.3, 0.2, 0.0], 0.5, 0.6, False),
    ],
)
def test_nobody_gains_by_moving_alone_only_there(g, elsewhere, d, stable):
    """Four places, data at three; best answers are searched, D's on a grid, G's over the places."""
    p, g = np.array([0.5, 0.3, 0.2, 0.0]), np.array(g)
    discriminator = np.array([d, d, d, elsewhere])
    now = table_value(discriminator, p, g)
    ticks = np.linspace(0.001, 0.999, 999)
    best_d = sum(
        max((a * math.log(t) if a else 0) + (b * math.log(1 - t) if b else 0) for t in ticks)
        for a, b in zip(p, g, strict=True)
    )
    best_g = min(table_value(discriminator, p, np.eye(4)[k]) for k in range(4))
    assert (best_d <= now + 1e-9 and best_g >= now - 1e-9) == stable
    if stable:
        assert now == pytest.approx(-LOG4)


@pytest.mark.equation("eq-best-generator")
@pytest.mark.parametrize("logits", [[0.1, -1.0, 0.3], [2.0, 2.0, -1.0], [-30.0, -31.0, -30.5]])
def test_a_best_generator_for_a_fixed_discriminator_stands_where_d_is_largest(logits):
    """A linear programme over all laws on three places."""
    cost = np.log1p(-1 / (1 + np.exp(-np.array(logits))))
    found = optimize.linprog(cost, A_eq=np.ones((1, 3)), b_eq=[1], bounds=[(0, 1)] * 3)
    assert found.fun == pytest.approx(-math.log1p(math.exp(max(logits))), rel=1e-9)  # log(1 − σ(f))
    assert found.x[np.array(logits) < max(logits)].sum() == pytest.approx(0, abs=1e-9)


@pytest.mark.equation("eq-generator-pull")
@pytest.mark.parametrize("theta", [0.3, 1.5])
def test_with_the_best_discriminator_each_loss_pulls_along_a_divergence(theta):
    """Expectations over p_g differentiated with D held, by scipy; the divergences by finite differences."""

    def made(x, t):
        return stats.norm.pdf(x, t, 1.2)

    def against(x):
        return density(DATA, x) / (density(DATA, x) + made(x, theta))

    def integral(f):
        return integrate.quad(f, -10, 10, limit=400, epsabs=1e-12)[0]

    def kl(t):
        return integral(lambda x: made(x, t) * math.log(made(x, t) / density(DATA, x)))

    def twice_js(t):
        def integrand(x):
            p, g = density(DATA, x), made(x, t)
            return p * math.log(2 * p / (p + g)) + g * math.log(2 * g / (p + g))

        return integral(integrand)

    def slope(function, h=1e-4):
        return (function(theta + h) - function(theta - h)) / (2 * h)

    def twice_kl_of_the_mean(t):
        def integrand(x):
            both = density(DATA, x) + made(x, t)
            return both * math.log(both / (2 * density(DATA, x)))

        return integral(integrand)

    saturating = slope(lambda t: integral(lambda x: made(x, t) * math.log1p(-against(x))))
    other = slope(lambda t: integral(lambda x: -made(x, t) * math.log(against(x))))
    assert saturating == pytest.approx(slope(twice_js), abs=1e-6)
    assert other == pytest.approx(slope(kl) - slope(twice_js), abs=1e-6)
    assert kl(theta) - twice_js(theta) == pytest.approx(twice_kl_of_the_mean(theta), abs=1e-8)
    assert abs(other - saturating) > 0.05
    # The same slopes by the library's losses, of a fine table of the noise and with D held.
    noise = torch.from_numpy(stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000))
    best = optimal_logit(P, torch.distributions.Normal(torch.tensor(theta).double(), 1.2).log_prob)
    for loss, wanted in ((saturating_loss, saturating), (non_saturating_loss, other)):
        mean = torch.tensor(theta, dtype=torch.float64, requires_grad=True)
        loss(best(mean + 1.2 * noise)).backward()
        assert mean.grad.item() == pytest.approx(wanted, abs=1e-3)


def test_a_grid_that_loses_mass_is_refused():
    with pytest.raises(ValueError, match="make it wider or finer"):
        game_value(optimal_logit(P, G), P, G, GRID[7000:])
