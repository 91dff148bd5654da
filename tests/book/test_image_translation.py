"""Claims of the chapter on translating images whose formulas stand on the page."""

import math
from itertools import product

import pytest
import torch
from scipy.optimize import minimize_scalar
from scipy.stats import entropy

RNG = torch.Generator().manual_seed(0)
GRID = torch.linspace(0, 1, 20_001, dtype=torch.float64)[1:-1]  # values of a critic


def table(*shape: int) -> torch.Tensor:
    """Probabilities, positive, that sum to one."""
    values = torch.rand(shape, generator=RNG, dtype=torch.float64) + 0.05
    return values / values.sum()


def best_value(real: torch.Tensor, fake: torch.Tensor) -> float:
    """The most that a critic which is free at each outcome can reach, by trying its values one by one."""
    tried = real.flatten()[:, None] * GRID.log() + fake.flatten()[:, None] * (1 - GRID).log()
    return float(tried.max(1).values.sum())


def js(p: torch.Tensor, q: torch.Tensor) -> float:
    """By entropies."""
    one, other = p.flatten().double(), q.flatten().double()
    return float(entropy((one + other) / 2) - (entropy(one) + entropy(other)) / 2)


@pytest.mark.equation("eq-tr-regression")
def test_mean_and_medians_against_every_answer_of_a_fine_grid():
    values = torch.tensor([-0.8, -0.1, 0.3, 0.9], dtype=torch.float64)
    answers = torch.linspace(-1, 1, 2001, dtype=torch.float64)
    uneven, even = ([0.4, 0.3, 0.2, 0.1], [0.1, 0.4, 0.3, 0.2])  # one median, and many
    for weights in (table(4), *(torch.tensor(w, dtype=torch.float64) for w in (even, uneven))):
        apart = values - answers[:, None]
        squared, absolute = (apart**2 @ weights), (apart.abs() @ weights)
        mean = values @ weights
        variance = (values - mean) ** 2 @ weights
        torch.testing.assert_close(squared, variance + (mean - answers) ** 2)
        assert answers[squared.argmin()] == pytest.approx(float(mean), abs=1e-3)
        near = (absolute <= absolute.min() + 1e-9).tolist()
        below = ((values < answers[:, None] - 1e-9).double() @ weights).tolist()
        above = ((values > answers[:, None] + 1e-9).double() @ weights).tolist()
        claimed = [lo <= 0.5 + 1e-9 and hi <= 0.5 + 1e-9 for lo, hi in zip(below, above, strict=True)]
        assert near == claimed
    assert sum(near) == 1
    halves = torch.tensor([0.25, 0.25, 0.25, 0.25], dtype=torch.float64)
    flat = (values - answers[:, None]).abs() @ halves
    assert int((flat <= flat.min() + 1e-9).sum()) == 401  # all medians, from −0.1 to 0.3


def test_the_median_of_pixels_may_be_none_of_the_answers():
    answers = torch.tensor([[1.0, 1.0, -1.0], [1.0, -1.0, 1.0], [-1.0, 1.0, 1.0]])
    assert answers.median(0).values.tolist() == [1.0, 1.0, 1.0]


@pytest.mark.equation("eq-tr-pairs")
def test_what_critics_of_pairs_and_of_answers_can_reach():
    given = table(3)
    right, made = table(3, 5), table(3, 5)
    right, made = (law / law.sum(1, keepdim=True) for law in (right, made))
    real, fake = given[:, None] * right, given[:, None] * made
    of_pairs, of_answers = best_value(real, fake), best_value(real.sum(0), fake.sum(0))
    mean = sum(float(given[a]) * js(right[a], made[a]) for a in range(3))
    assert of_pairs == pytest.approx(2 * mean - math.log(4), abs=1e-6)
    assert of_answers == pytest.approx(2 * js(real.sum(0), fake.sum(0)) - math.log(4), abs=1e-6)
    assert of_answers < of_pairs - 1e-3
    a, b = 1, 2
    tried = real[a, b] * GRID.log() + fake[a, b] * (1 - GRID).log()
    assert GRID[tried.argmax()] == pytest.approx(float(right[a, b] / (right[a, b] + made[a, b])), abs=1e-4)


@pytest.mark.equation("eq-tr-pairs")
def test_answers_to_another_question_content_a_critic_of_answers():
    given = torch.tensor([0.2, 0.4, 0.4], dtype=torch.float64)
    right = torch.eye(3, dtype=torch.float64) * 0.8 + 0.2 / 3

    def values(order):
        real, fake = given[:, None] * right, given[:, None] * right[order]
        return best_value(real.sum(0), fake.sum(0)), best_value(real, fake)

    of_answers, of_pairs = values([0, 2, 1])
    assert of_answers == pytest.approx(-math.log(4), abs=1e-6)
    assert of_pairs > -math.log(4) + 0.3
    for other in ([1, 2, 0], [1, 1, 1]):  # an exchange that changes the questions' law, and no exchange
        assert values(other)[0] > -math.log(4) + 0.01


def loss_of_share(q: float, p: float, pull: float) -> float:
    """2 JS and λ d times the chance of a wrong answer, with no formula of the page."""
    laws = torch.tensor([[p, 1 - p], [q, 1 - q]], dtype=torch.float64)
    return 2 * js(laws[0], laws[1]) + pull * (q * (1 - p) + (1 - q) * p)


def excess(q: float, p: float, pull: float) -> float:
    """Left side minus right side of the equation."""
    m = (p + q) / 2
    return math.log(q / (1 - q)) - math.log(m / (1 - m)) - pull * (2 * p - 1)


@pytest.mark.equation("eq-tr-dial")
@pytest.mark.parametrize("p", [0.55, 0.6, 0.9])
def test_the_share_of_the_likelier_answer_is_the_root_of_the_equation(p):
    shares = []
    for pull in (0.0, 0.5, 2.0, 6.0):
        best = minimize_scalar(
            lambda q, pull=pull: loss_of_share(q, p, pull), bounds=(1e-6, 1 - 1e-6), method="bounded",
            options={"xatol": 1e-10},
        ).x  # fmt: skip
        shares.append(best)
        assert excess(best - 1e-3, p, pull) < 0 < excess(best + 1e-3 * (1 - best), p, pull) + 1e-3
        assert abs(excess(best, p, pull)) < 1e-3
    assert shares[0] == pytest.approx(p, abs=1e-4)
    assert shares == sorted(shares)
    assert excess(0.999, p, 1e3) < 0 < excess(1 - 1e-12, p, 10.0)  # towards 1, and never there


@pytest.mark.equation("eq-tr-dial")
def test_an_answer_that_is_never_right_is_the_worst_and_the_likelier_one_the_better():
    right = torch.tensor([0.6, 0.4, 0.0])
    values = [js(right, torch.eye(3)[k]) for k in range(3)]
    assert values[0] < values[1] < values[2]
    assert values[2] == pytest.approx(math.log(2))


@pytest.mark.equation("eq-tr-dial")
@pytest.mark.parametrize("worse", [0.0, 0.3])
@pytest.mark.parametrize("pull", [0.0, 0.5, 5.0])
def test_a_third_answer_gets_no_share_however_near(worse, pull):
    """Shares of three answers on a fine triangle; the third costs as little as the likelier one, or more."""
    p = 0.6
    right = torch.tensor([p, 1 - p, 0.0], dtype=torch.float64)
    costs = torch.tensor([1 - p, p, 1 - p + worse], dtype=torch.float64)
    steps = 50
    shares = [(i, j, steps - i - j) for i in range(steps + 1) for j in range(steps + 1 - i)]
    laws = torch.tensor(shares, dtype=torch.float64) / steps
    mean = (laws + right) / 2
    loss = sum(
        torch.special.xlogy(law, law / mean).nan_to_num(0).sum(1) for law in (laws, right.expand_as(laws))
    )
    assert laws[(loss + pull * laws @ costs).argmin(), 2] == 0


@pytest.mark.equation("eq-tr-dial")
def test_the_pull_of_the_quiz():
    assert excess(0.9, 0.6, 5 * math.log(3)) == pytest.approx(0)


ROWS = torch.tensor(list(product((0, 1), repeat=3)))  # all rows of three pixels
COINS = torch.full((8,), 1 / 8, dtype=torch.float64)


def only(condition: torch.Tensor) -> torch.Tensor:
    """All rows where the condition holds, equally likely."""
    return condition.double() / condition.sum()


def patches(law: torch.Tensor) -> torch.Tensor:
    """The law of two neighbours, for both places: (2, 4)."""
    laws = torch.zeros(2, 4, dtype=torch.float64)
    for place in range(2):
        laws[place].index_add_(0, 2 * ROWS[:, place] + ROWS[:, place + 1], law)
    return laws


@pytest.mark.equation("eq-tr-patch")
def test_one_critic_for_all_places_compares_patches_at_random_places():
    real, fake = table(8), table(8)
    # The mean over places, with one value of the critic for each kind of patch, tried one by one.
    tried = [
        sum(patches(real)[i, c] * GRID.log() + patches(fake)[i, c] * (1 - GRID).log() for i in range(2)) / 2
        for c in range(4)
    ]
    reached = sum(float(values.max()) for values in tried)
    assert reached == pytest.approx(
        2 * js(patches(real).mean(0), patches(fake).mean(0)) - math.log(4), abs=1e-6
    )
    apart = sum(2 * js(patches(real)[i], patches(fake)[i]) for i in range(2)) / 2 - math.log(4)
    assert reached < apart - 1e-4  # critics of their own for each place would see more


@pytest.mark.equation("eq-tr-patch")
def test_what_the_quiz_says_of_three_generators():
    first, second, third = ROWS.T
    for blind in (only(third == first), only(third != first)):
        torch.testing.assert_close(patches(blind), patches(COINS))
        assert js(blind, COINS) > 0.2
    seen = patches(only(second == first))
    assert seen[0].tolist() == [0.5, 0, 0, 0.5]
    assert js(seen.mean(0), patches(COINS).mean(0)) > 0.01


@pytest.mark.equation("eq-tr-markov")
def test_independent_far_pixels_are_not_enough():
    first, second, third = ROWS.T
    law = only(second == (first != third))
    torch.testing.assert_close(patches(law), patches(COINS))
    ends = torch.zeros(4, dtype=torch.float64).index_add_(0, 2 * first + third, law)
    assert ends.tolist() == [0.25] * 4
    assert js(law, COINS) > 0.2


@pytest.mark.equation("eq-tr-markov")
@pytest.mark.parametrize("r", [2, 3])
def test_patches_make_up_a_row_with_a_short_memory_and_no_other(r):
    length = 5
    shape = (2,) * length

    def from_patches(law: torch.Tensor) -> torch.Tensor:
        made = torch.ones(shape, dtype=torch.float64)
        for start in range(length - r + 1):
            keep = set(range(start, start + r))
            made = made * law.sum([i for i in range(length) if i not in keep], keepdim=True)
            if start:
                inner = set(range(start, start + r - 1))
                made = made / law.sum([i for i in range(length) if i not in inner], keepdim=True)
        return made

    law = torch.ones(shape, dtype=torch.float64)
    for place in range(length):  # a pixel given the r − 1 before it
        memory = min(place, r - 1)
        step = torch.rand((2,) * (memory + 1), generator=RNG, dtype=torch.float64) + 0.1
        step = step / step.sum(-1, keepdim=True)
        law = law * step.reshape((1,) * (place - memory) + step.shape + (1,) * (length - place - 1))
    assert float(law.sum()) == pytest.approx(1)
    torch.testing.assert_close(from_patches(law), law)
    other = table(*shape)
    assert (from_patches(other) - other).abs().max() > 1e-3


def standard_gaussian_answers(rho: float) -> torch.Tensor:
    """E(b − v)² and the standard deviation of v = α m + τ·coin, for many α and τ, (n, 2); b ~ N(0, 1)."""
    alpha = torch.linspace(0, 2.5, 501, dtype=torch.float64)[:, None]
    tau = torch.linspace(0, 1.2, 241, dtype=torch.float64)[None]
    # Cov(b, m) = Var(m) = ρ
    error = 1 - 2 * alpha * rho + alpha**2 * rho + tau**2
    return torch.stack([error.flatten(), (alpha**2 * rho + tau**2).sqrt().flatten()], dim=1)


@pytest.mark.equation("eq-tr-tradeoff")
@pytest.mark.parametrize("rho", [0.2, 0.5, 0.8])
@pytest.mark.parametrize("w", [0.0, 0.1, 0.5])
def test_the_least_error_of_answers_with_nearly_the_right_law(rho, w):
    error, std = standard_gaussian_answers(rho).T
    allowed = (std - 1).abs() <= w + 2e-3
    claimed = 1 - rho + max(0.0, 1 - math.sqrt(rho) - w) ** 2
    assert float(error[allowed].min()) == pytest.approx(claimed, abs=4e-3)
    assert 1 - rho <= 2 - 2 * math.sqrt(rho) <= 2 * (1 - rho)


@pytest.mark.equation("eq-tr-tradeoff")
@pytest.mark.parametrize("rho", [0.2, 0.5, 0.8])
def test_answers_of_another_law_lie_above_the_curve(rho):
    """v = c·sign(m): E|m| = √(2ρ/π), and the coupling with b ~ N(0, 1) by order is by sign."""
    for c in (0.2, 0.5, 0.8, 1.0, 1.3):
        error = 1 + c**2 - 2 * c * math.sqrt(2 * rho / math.pi)
        w = math.sqrt(1 + c**2 - 2 * c * math.sqrt(2 / math.pi))
        assert error > 1 - rho + max(0.0, 1 - math.sqrt(rho) - w) ** 2 + 1e-3


@pytest.mark.equation("eq-tr-tradeoff")
def test_a_draw_from_the_posterior_errs_twice_as_much_by_sampling():
    rho, n = 0.6, 200_000
    m = math.sqrt(rho) * torch.randn(n, generator=RNG, dtype=torch.float64)
    b, v = (m + math.sqrt(1 - rho) * torch.randn(n, generator=RNG, dtype=torch.float64) for _ in range(2))
    assert float((b - v).square().mean()) == pytest.approx(2 * (1 - rho), rel=0.02)
    assert float((b - m).square().mean()) == pytest.approx(1 - rho, rel=0.02)
