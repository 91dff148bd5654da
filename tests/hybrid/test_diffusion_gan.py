"""The game behind noise: its value, its gradient, its times, by enumeration, quadrature and differences."""

import itertools
import math

import pytest
import torch

from gdmcourse.hybrid import draw_times, expected_js, noised, rebuilt_schedule, time_weights
from gdmcourse.probability import GaussianMixture

SIGMA, T = 0.3, 6
SCHEDULE = rebuilt_schedule(T)
GRID = torch.linspace(-4, 4, 4001, dtype=torch.float64)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def strong(T: int) -> list[tuple[float, float]]:
    """Signal and noise at the times 1 … T of a chain that ends in much noise, worked out here."""
    found, kept = [], 1.0
    for t in range(1, T + 1):
        kept *= 1 - 0.08 * t
        found.append((math.sqrt(kept), SIGMA * math.sqrt(1 - kept)))
    return found


def law(means, std: float, a: float, s: float):
    """The density of a mixture behind noise, written out."""

    def density(y):
        spread = math.sqrt((a * std) ** 2 + s**2)
        return torch.stack([torch.distributions.Normal(a * m, spread).log_prob(y).exp() for m in means]).mean(
            0
        )

    return density


LEVELS = strong(4)
REAL = [law((-1.0, 1.0), 0.1, a, s) for a, s in LEVELS]
FAKE = [law((0.7,), 0.3, a, s) for a, s in LEVELS]
PI = torch.tensor([0.4, 0.3, 0.2, 0.1], dtype=torch.float64)


def logs(densities):
    return [torch.log, *[lambda y, p=p: p(y).log() for p in densities]]


def best_by_search(p: torch.Tensor, g: torch.Tensor) -> torch.Tensor:
    """The largest ∫ p log d + g log(1 − d) over d at each point, by search over d, a fine grid."""
    d = torch.linspace(1e-4, 1 - 1e-4, 2001, dtype=torch.float64)[:, None]
    some = slice(None, None, 8)
    reward = p[some] * d.log() + g[some] * (1 - d).log()
    return torch.trapezoid(reward.max(0).values, GRID[some])


@pytest.mark.equation("eq-dg-value")
def test_a_discriminator_that_is_told_the_time_leaves_the_mean_divergence():
    """Searched for at each time and point, with no formula for it."""
    found = sum(w * best_by_search(p(GRID), g(GRID)) for w, p, g in zip(PI, REAL, FAKE, strict=True))
    weights = torch.cat([torch.zeros(1).double(), PI])
    claimed = 2 * expected_js(logs(REAL), logs(FAKE), weights, GRID) - math.log(4)
    assert found.item() == pytest.approx(claimed.item(), abs=2e-4)
    uniform = 2 * expected_js(logs(REAL), logs(FAKE), time_weights(4, "uniform"), GRID) - math.log(4)
    assert abs(uniform - claimed) > 0.01


@pytest.mark.equation("eq-dg-told")
@pytest.mark.slip(10)
def test_one_discriminator_told_the_time_is_as_good_as_one_for_each_and_better_than_one_untold():
    p, g = (sum(w * q(GRID) for w, q in zip(PI, side, strict=True)) for side in (REAL, FAKE))
    untold = best_by_search(p, g)
    told = sum(w * best_by_search(a(GRID), b(GRID)) for w, a, b in zip(PI, REAL, FAKE, strict=True))
    assert untold < told - 0.005
    # No less, if all times look alike.
    p, g = (sum(w * side[0](GRID) for w in PI) for side in (REAL, FAKE))
    alike = expected_js(
        logs([REAL[0]] * 4), logs([FAKE[0]] * 4), torch.cat([torch.zeros(1).double(), PI]), GRID
    )
    assert best_by_search(p, g).item() == pytest.approx(2 * alike.item() - math.log(4), abs=2e-4)


@pytest.mark.equation("eq-dg-told")
@pytest.mark.slip(11)
def test_the_divergence_of_the_pairs_is_a_mean_of_conditional_ones_and_not_what_is_printed():
    """On three places and two times, as tables; as printed the second law isn't divided by π."""
    pi = torch.tensor([0.25, 0.75]).double()
    p = torch.tensor([[0.2, 0.3, 0.5], [0.6, 0.1, 0.3]]).double()
    g = torch.tensor([[0.7, 0.2, 0.1], [0.3, 0.3, 0.4]]).double()

    def js(a, b):
        m = (a + b) / 2
        return ((a * (a / m).log()).sum() + (b * (b / m).log()).sum()) / 2

    joint = js(pi[:, None] * p, pi[:, None] * g)
    mean = sum(w * js(a, b) for w, a, b in zip(pi, p, g, strict=True))
    printed = sum(w * js(a, w * a) for w, a in zip(pi, p, strict=True))
    torch.testing.assert_close(joint, mean)
    assert printed > 0.03  # for equal laws


@pytest.mark.equation("eq-dg-pull")
def test_the_gradient_through_the_noise_is_that_of_differences():
    """And a_t times the slope of the logit, for a generator of two parameters."""
    generator = rng()
    z, noise = torch.randn(2, 50, 2, generator=generator, dtype=torch.float64)
    t = torch.randint(1, T + 1, (50,), generator=generator)
    weight = torch.randn(2, generator=generator).double()

    def loss(theta):
        y = noised(SCHEDULE, theta[0] * z + theta[1], t, SIGMA, noise)
        logit = (y @ weight) * (1 + 0.1 * t) + y.square().sum(1) * 3
        return torch.nn.functional.softplus(-logit).mean()

    theta = torch.tensor([0.8, -0.3]).double().requires_grad_()
    (gradient,) = torch.autograd.grad(loss(theta), theta)
    step = 1e-5 * torch.eye(2).double()
    with torch.no_grad():
        differences = torch.stack([(loss(theta + e) - loss(theta - e)) / 2e-5 for e in step])
        a = torch.stack([torch.prod(1 - SCHEDULE.beta[1 : k + 1].double()).sqrt() for k in t.tolist()])
        s = SIGMA * (1 - a**2).sqrt()
        y = a[:, None] * (theta[0] * z + theta[1]) + s[:, None] * noise
        logit = (y @ weight) * (1 + 0.1 * t) + y.square().sum(1) * 3
        slope = weight * (1 + 0.1 * t[:, None]) + 6 * y
        pull = -torch.sigmoid(-logit)[:, None] * a[:, None] * slope
        claimed = torch.stack([(pull * z).sum(1).mean(), pull.sum(1).mean()])
    torch.testing.assert_close(gradient, differences, rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(gradient, claimed, rtol=1e-4, atol=1e-6)


@pytest.mark.equation("eq-dg-level")
@pytest.mark.parametrize("steps", [8, 50, 500, 1000])
def test_the_signal_that_is_left_lies_between_the_bounds(steps):
    kept, mean = 1.0, (1e-4 + 0.02) / 2
    for t in range(steps):
        kept *= 1 - (1e-4 + (0.02 - 1e-4) * t / (steps - 1))
    low, high = math.exp(-steps * mean / 0.98), math.exp(-steps * mean)
    assert low < kept < high
    assert low > 0.8 * high or steps > 500
    assert rebuilt_schedule(steps).alpha_bar[steps].item() == pytest.approx(kept, rel=1e-5)


@pytest.mark.equation("eq-dg-sign")
def test_the_signs_of_the_best_discriminator_measure_total_variation_which_noise_lowers():
    """By drawing: examples behind noise, and the sign of the exact logit."""
    generator, found, variations = rng(), [], []
    for p, g, (a, s) in zip(REAL, FAKE, LEVELS, strict=True):
        x = torch.where(torch.rand(40_000, generator=generator) < 0.5, -1.0, 1.0).double()
        x = x + 0.1 * torch.randn(40_000, generator=generator).double()
        made = 0.7 + 0.3 * torch.randn(40_000, generator=generator).double()
        signs = [
            torch.sign(p(y) - g(y)).mean()
            for y in (a * part + s * torch.randn(40_000, generator=generator).double() for part in (x, made))
        ]
        found.append(signs[0] - signs[1])
        variations.append(torch.trapezoid((p(GRID) - g(GRID)).abs(), GRID) / 2)
    torch.testing.assert_close(torch.stack(found), 2 * torch.stack(variations), atol=0.03, rtol=0)
    assert all(later < earlier - 1e-3 for earlier, later in itertools.pairwise(variations))


def test_weights_sum_to_one_and_draw_every_time_as_often_as_they_say():
    for kind, shares in (("uniform", [0.25] * 4), ("priority", [0.1, 0.2, 0.3, 0.4])):
        weights = time_weights(4, kind)
        torch.testing.assert_close(weights, torch.tensor([0.0, *shares]).double())
        drawn = draw_times(weights, 40_000, rng()).bincount(minlength=5) / 40_000
        assert drawn[0] == 0
        torch.testing.assert_close(drawn.double(), weights, atol=0.012, rtol=0)
    assert draw_times(time_weights(1, "priority"), 5, rng()).tolist() == [1] * 5


def test_noise_is_that_of_the_forward_process_at_every_time():
    """Against the chain itself, step by step."""
    x = torch.full((60_000, 1), 1.5)
    y, generator = x.clone(), rng()
    for t in range(1, T + 1):
        beta = SCHEDULE.beta[t]
        y = (1 - beta).sqrt() * y + beta.sqrt() * SIGMA * torch.randn(y.shape, generator=generator)
        once = noised(SCHEDULE, x, t, SIGMA, torch.randn(x.shape, generator=generator))
        assert y.mean().item() == pytest.approx(once.mean().item(), abs=2e-3)
        assert y.std().item() == pytest.approx(once.std().item(), rel=0.02)
    torch.testing.assert_close(noised(SCHEDULE, x, 0, SIGMA, torch.ones_like(x)), x)


@pytest.mark.slip(14)
def test_a_kernel_with_the_printed_sign_has_no_mass():
    """Against drawings: as printed, what lies 2 deviations off would be commoner than what lies near."""
    a, s = SCHEDULE.alpha_bar[T].sqrt(), SIGMA * SCHEDULE.one_minus_alpha_bar[T].sqrt()
    x = torch.full((200_000, 1), 0.7)
    y = noised(SCHEDULE, x, T, SIGMA, torch.randn(x.shape, generator=rng()))
    off = ((y - a * x) / s).abs()
    counts = [((off > at - 0.1) & (off < at + 0.1)).sum().item() for at in (0.5, 2.0)]
    assert counts[1] / counts[0] == pytest.approx(math.exp(-(2.0**2 - 0.5**2) / 2), rel=0.05)
    wide = [torch.linspace(-reach, reach, 4001).double() for reach in (5.0, 10.0)]
    printed = [torch.trapezoid((0.5 * y**2).exp(), y).item() for y in wide]
    assert printed[1] > 1e15 * printed[0]


@pytest.mark.parametrize(
    ("mistake", "sentence"),
    [
        (lambda: noised(SCHEDULE, torch.ones(2, 1), 1, 0.0, torch.ones(2, 1)), "σ above 0, not 0.0"),
        (lambda: noised(SCHEDULE, torch.ones(2, 1), T + 1, 0.1, torch.ones(2, 1)), "outside 0 … 6"),
        (lambda: draw_times(torch.tensor([0.0, 0.5, 0.6]), 3, rng()), "they sum to 1.1"),
        (lambda: draw_times(torch.tensor([0.0, 1.5, -0.5]), 3, rng()), "the least is -0.5"),
        (lambda: draw_times(torch.tensor([0.0, 0.0, 0.4, 0.6]), 3, rng()), "never draw time 1"),
        (lambda: draw_times(torch.tensor([1.0]), 3, rng()), "a table over the times"),
        (lambda: time_weights(0), "at least one time"),
        (lambda: time_weights(4, "newest"), "no weights 'newest'; there are: uniform, priority"),
        (lambda: rebuilt_schedule(0), "at least one step"),
    ],
)
def test_what_cannot_be_is_named(mistake, sentence):
    with pytest.raises(ValueError, match=sentence):
        mistake()


def test_the_mean_divergence_refuses_tables_of_another_length():
    p = GaussianMixture.isotropic(torch.zeros(1, 1).double(), 0.5).log_prob_1d
    with pytest.raises(ValueError, match="a density for each of 3 times"):
        expected_js([p, p], [p, p], torch.tensor([0.0, 0.5, 0.5]).double(), GRID)
