"""Steps of denoising against Bayes' rule on a grid, and the game of pairs against sums over a small world."""

import math

import pytest
import torch

from gdmcourse.diffusion import cosine_schedule
from gdmcourse.diffusion.schedule import ScheduleError
from gdmcourse.hybrid.denoising_gan import backward_step, forward_pair
from gdmcourse.hybrid.step_law import law_behind, law_of_step, step_weights
from gdmcourse.probability import GaussianMixture
from tests.oracles import bell, gen

close = torch.testing.assert_close
SCHEDULE = cosine_schedule(1000)
LINE = GaussianMixture(
    torch.tensor([0.3, 0.7]).double(),
    torch.tensor([[-1.0], [0.8]]).double(),
    torch.tensor([[[0.05]], [[0.2]]]).double(),
)
GRID = torch.linspace(-5, 5, 4001, dtype=torch.float64)


def by_bayes(x_t: float, t: int, s: int):
    """q(x_s | x_t) on the grid: the law of x_s times that of the jump, normalised."""
    there, here = SCHEDULE.noise_levels([s, t])
    ratio = here.signal / there.signal
    joint = LINE.diffused(there.signal**2).log_prob_1d(GRID).exp() * bell(x_t, ratio * GRID, 1 - ratio**2)
    return joint / torch.trapezoid(joint, GRID)


@pytest.mark.equation("eq-step-mixture")
@pytest.mark.parametrize(("t", "s"), [(700, 690), (700, 300), (900, 500), (500, 1)])
def test_the_step_is_the_mixture_over_what_may_be_behind(t, s):
    x_t = torch.tensor([0.2], dtype=torch.float64)
    law = law_of_step(LINE, SCHEDULE, x_t, t, s)
    close(law.log_prob_1d(GRID).exp(), by_bayes(0.2, t, s), atol=1e-6, rtol=1e-6)


def test_back_to_the_data_it_is_what_is_behind():
    x_t = torch.tensor([0.2], dtype=torch.float64)
    law, behind = law_of_step(LINE, SCHEDULE, x_t, 700, 0), law_behind(LINE, SCHEDULE, x_t, 700)
    close(law.means, behind.means)
    close(law.covariances, behind.covariances)
    keep = SCHEDULE.noise_levels([700])[0].signal ** 2
    close(behind.mean(), LINE.denoise(x_t[None], keep)[0])


def test_correlated_data_in_the_plane_keep_tweedies_mean():
    plane = GaussianMixture(
        torch.tensor([0.4, 0.6]).double(),
        torch.tensor([[1.0, 0.0], [-1.0, 0.5]]).double(),
        torch.tensor([[[1.0, 0.6], [0.6, 0.5]], [[0.2, -0.1], [-0.1, 0.4]]]).double(),
    )
    x_t = torch.tensor([0.3, -0.7], dtype=torch.float64)
    keep = SCHEDULE.noise_levels([600])[0].signal ** 2
    close(law_behind(plane, SCHEDULE, x_t, 600).mean(), plane.denoise(x_t[None], keep)[0])


@pytest.mark.equation("eq-step-spread")
@pytest.mark.parametrize(("t", "s"), [(700, 690), (700, 300), (950, 200)])
def test_the_spread_of_a_step_has_two_parts(t, s):
    """Variance by quadrature of Bayes' rule; and the ratio of the two weights as the page has it."""
    density = by_bayes(0.2, t, s)
    mean = torch.trapezoid(GRID * density, GRID)
    variance = torch.trapezoid((GRID - mean) ** 2 * density, GRID)
    c, _, noise = step_weights(SCHEDULE, t, s)
    behind = law_behind(LINE, SCHEDULE, torch.tensor([0.2], dtype=torch.float64), t).covariance()[0, 0]
    close(variance, noise + c**2 * behind, atol=1e-7, rtol=1e-6)
    there, here = SCHEDULE.noise_levels([s, t])
    a_s, b_s, a_t, b_t = there.signal, there.sigma, here.signal, here.sigma
    page = (1 - a_t**2 / a_s**2) * a_s**2 / (b_s**2 * b_t**2)
    assert c**2 / noise == pytest.approx(page, rel=1e-9)
    assert page == pytest.approx((a_s / b_s) ** 2 - (a_t / b_t) ** 2, rel=1e-9)


@pytest.mark.equation("eq-step-hidden")
@pytest.mark.parametrize(("t", "s", "bound"), [(700, 690, 0.080), (10, 9, 0.156), (700, 300, 13.5)])
def test_a_step_hides_what_is_behind_where_the_ratio_of_signal_to_noise_hardly_changes(t, s, bound):
    """The mean over x_t by quadrature of c² Var[x_0 | x_t]/τ², for wide groups and for narrow ones."""
    c, _, noise = step_weights(SCHEDULE, t, s)
    there, here = SCHEDULE.noise_levels([s, t])
    ratio = (there.signal / there.sigma * here.sigma / here.signal) ** 2
    assert ratio - 1 == pytest.approx(bound, rel=0.01)
    hidden = []
    for spread in (0.02, 0.3, 1.0):
        law = GaussianMixture.isotropic(torch.tensor([[-1.0], [1.0]]).double(), spread)
        points = torch.linspace(-5, 5, 401, dtype=torch.float64)
        weights = law.diffused(here.signal**2).log_prob_1d(points).exp()
        variances = torch.stack([law_behind(law, SCHEDULE, x[None], t).covariance()[0, 0] for x in points])
        mean = torch.trapezoid(weights * variances, points) / torch.trapezoid(weights, points)
        hidden.append((c**2 * mean / noise).item())
    assert max(hidden) <= ratio - 1
    assert max(hidden) > 0.05 * (ratio - 1)


@pytest.mark.equation("eq-step-game")
def test_the_game_of_pairs_is_a_mean_of_divergences():
    """A finite world: three x_t, four x_s; the best D of pairs by its table against JS of each row."""
    rows = torch.rand(3, generator=gen(0), dtype=torch.float64)
    real, fake = (torch.rand(3, 4, generator=gen(seed), dtype=torch.float64) for seed in (1, 2))
    rows, real, fake = (table / table.sum(-1, keepdim=True) for table in (rows, real, fake))
    pairs, made = rows[:, None] * real, rows[:, None] * fake
    best = pairs / (pairs + made)
    value = (pairs * best.log() + made * (1 - best).log()).sum()
    for seed in range(20):  # no other table does better
        other = torch.rand(3, 4, generator=gen(10 + seed), dtype=torch.float64)
        assert (pairs * other.log() + made * (1 - other).log()).sum() < value
    middle = (real + fake) / 2
    js = ((real * (real / middle).log() + fake * (fake / middle).log()).sum(1)) / 2
    close(value, 2 * (rows * js).sum() - math.log(4))


def test_pairs_of_the_forward_process_have_its_law_and_step_back_to_it():
    """x_s, x_t of many points; x_s made anew from x_t and the true x_0 has the same moments with x_t."""
    n = 200_000
    x0 = LINE.sample(n, gen(0))
    s, t = torch.full((n,), 300), torch.full((n,), 700)
    x_s, x_t = forward_pair(SCHEDULE, x0, s, t, gen(1))
    again = backward_step(SCHEDULE, x0, x_t, t, s, gen(2))
    for level, x in zip(SCHEDULE.noise_levels([300, 700]), (x_s, x_t), strict=True):
        wanted = LINE.diffused(level.signal**2)
        close(x.mean(0), wanted.mean(), atol=0.01, rtol=0)
        close(x.var(0), wanted.covariance()[0], atol=0.02, rtol=0)
    close(torch.cov(torch.cat([x_s, x_t], 1).T), torch.cov(torch.cat([again, x_t], 1).T), atol=0.01, rtol=0)


def test_the_last_step_is_the_image_itself():
    x0, x_t = torch.tensor([[0.3], [-0.2]]), torch.tensor([[1.0], [2.0]])
    close(backward_step(SCHEDULE, x0, x_t, 250, 0, gen(0)), x0)
    first, _ = forward_pair(SCHEDULE, x0, torch.zeros(2).long(), torch.full((2,), 250), gen(0))
    close(first, x0)


@pytest.mark.parametrize(("t", "s"), [(300, 300), (0, 0), (1001, 3)])
def test_a_step_goes_back(t, s):
    with pytest.raises(ScheduleError):
        step_weights(SCHEDULE, t, s)


@pytest.mark.parametrize("t", [0, 1001])
def test_what_is_behind_needs_a_time_with_noise(t):
    with pytest.raises(ScheduleError):
        law_behind(LINE, SCHEDULE, torch.zeros(1).double(), t)
