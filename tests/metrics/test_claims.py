"""The claims of the chapter on scores: by exact sums, quadrature, counted arrangements, and many draws."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from scipy import integrate, stats

from gdmcourse.metrics.copies import copies
from gdmcourse.metrics.density_coverage import density_coverage, expected_coverage
from gdmcourse.metrics.frechet import frechet_bias, frechet_distance
from gdmcourse.metrics.inception_score import inception_score
from gdmcourse.metrics.kernel_distance import kernel_distance
from gdmcourse.metrics.two_sample import two_sample_test


def rng(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.equation("eq-frechet-line")
@pytest.mark.parametrize("n", [2, 5, 40])
def test_the_distance_on_a_line_by_quadrature_over_its_two_independent_parts(n):
    """The mean of n draws of N(0, 9) is N(0, 9/n); their variance is 9/(n − 1) times a chi-squared number."""

    def gap(c):
        return (3 * math.sqrt(c / (n - 1)) - 3) ** 2 * stats.chi2.pdf(c, n - 1)

    spread = integrate.quad(gap, 0, n - 1)[0] + integrate.quad(gap, n - 1, math.inf)[0]
    ratio = math.exp(math.lgamma(n / 2) - math.lgamma((n - 1) / 2)) * math.sqrt(2 / (n - 1))
    assert 9 * (1 / n + 2 - 2 * ratio) == pytest.approx(9 / n + spread, rel=1e-6)


@pytest.mark.equation("eq-frechet-line")
def test_three_halves_of_the_variance_are_what_is_left_of_it():
    n = 4000
    ratio = math.exp(math.lgamma(n / 2) - math.lgamma((n - 1) / 2)) * math.sqrt(2 / (n - 1))
    assert n * (1 / n + 2 - 2 * ratio) == pytest.approx(1.5, rel=1e-3)
    assert frechet_bias(torch.tensor([[9.0]])) == pytest.approx(1.5 * 9)


@pytest.mark.equation("eq-frechet-bias")
@pytest.mark.parametrize("variances", [(1.0, 1.0, 1.0, 1.0), (9.0, 4.0, 0.5, 0.01)])
def test_the_bias_is_the_mean_over_many_sets(variances):
    """Sets of 200 and of 400 rows of one turned Gaussian, whose distance should be 0."""
    turn, _ = torch.linalg.qr(torch.randn(4, 4, generator=rng(0), dtype=torch.float64))
    covariance = turn @ torch.diag(torch.tensor(variances).double()) @ turn.mT
    factor = torch.linalg.cholesky(covariance)
    g = rng(1)
    found = [
        frechet_distance(
            torch.randn(200, 4, generator=g, dtype=torch.float64) @ factor.mT,
            torch.randn(400, 4, generator=g, dtype=torch.float64) @ factor.mT,
        )
        for _ in range(1200)
    ]
    expected = frechet_bias(covariance) * (1 / 200 + 1 / 400)
    assert np.mean(found) == pytest.approx(expected, rel=0.04)


@pytest.mark.equation("eq-frechet-bias")
def test_the_bias_of_equal_variances_grows_with_the_square_of_the_features():
    for d in (1, 7, 300):
        assert frechet_bias(2 * torch.eye(d)) == pytest.approx(2 * d * (d + 5) / 4)


@pytest.mark.equation("eq-frechet-bias")
def test_a_small_change_of_a_covariance_costs_its_entries_over_sums_of_eigenvalues():
    """The step of the proof, against the distance itself."""
    from gdmcourse.probability import gaussian_w2

    values = torch.tensor([4.0, 1.0, 0.25]).double()
    change = 1e-3 * torch.tensor([[1.0, 0.7, -0.3], [0.7, -0.5, 0.2], [-0.3, 0.2, 0.1]]).double()
    nothing = torch.zeros(3).double()
    moved = gaussian_w2(nothing, values.diag(), nothing, values.diag() + change) ** 2
    by_entry = (change.square() / (2 * (values[:, None] + values))).sum()
    assert moved.item() == pytest.approx(by_entry.item(), rel=2e-3)


@pytest.mark.equation("eq-is-bounds")
def test_the_score_is_the_mutual_information_and_lies_between_its_bounds():
    """By a table of joint probabilities; at random, nearly sure, and where a class never occurs."""
    for scale in (0.1, 1.0, 30.0):
        logits = scale * torch.randn(50, 6, generator=rng(2), dtype=torch.float64)
        joint = (logits.softmax(1) / 50).numpy()
        product = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
        information = float(np.sum(joint * np.log(np.maximum(joint, 1e-300) / product)))
        assert inception_score(logits) == pytest.approx(math.exp(information), rel=1e-9)
        entropy = stats.entropy(joint.sum(0))
        assert 1 <= inception_score(logits) <= math.exp(entropy) * (1 + 1e-12) <= 6 * (1 + 1e-12)
    sure = 500.0 * torch.eye(6, dtype=torch.float64)
    assert inception_score(sure.repeat(3, 1)) == pytest.approx(6)
    assert inception_score(sure[[0, 0, 1, 1]]) == pytest.approx(2)
    assert inception_score(sure[:1].repeat(5, 1)) == pytest.approx(1)


@pytest.mark.equation("eq-kid-unbiased")
def test_the_mean_over_every_set_of_three_and_two_draws_is_the_distance_of_the_laws():
    p = (torch.tensor([[0.0], [2.0], [-1.0]]), (0.5, 0.2, 0.3))
    q = (torch.tensor([[1.0], [-2.0]]), (0.6, 0.4))

    def mean(law, other):
        (x, a), (y, b) = law, other
        pairs = itertools.product(zip(x, a, strict=True), zip(y, b, strict=True))
        return sum(wa * wb * float(u @ v + 1) ** 3 for (u, wa), (v, wb) in pairs)

    def draws(law, n):
        points, weights = law
        for chosen in itertools.product(range(len(points)), repeat=n):
            yield points[list(chosen)], math.prod(weights[i] for i in chosen)

    found = sum(
        wx * wy * kernel_distance(x, y)
        for (x, wx), (y, wy) in itertools.product(draws(p, 3), list(draws(q, 2)))
    )
    assert found == pytest.approx(mean(p, p) + mean(q, q) - 2 * mean(p, q), rel=1e-6)


@pytest.mark.equation("eq-kid-moments")
def test_the_distance_of_two_tables_is_that_of_their_first_three_moments():
    d = 3
    x = torch.randn(5, d, generator=rng(3), dtype=torch.float64)
    y = 1 + torch.randn(4, d, generator=rng(4), dtype=torch.float64)

    def kernel(a, b):
        return (a @ b.mT / d + 1).pow(3).mean()

    gaps = [x.mean(0) - y.mean(0)]
    gaps.append(torch.einsum("ni,nj->ij", x, x) / 5 - torch.einsum("ni,nj->ij", y, y) / 4)
    gaps.append(torch.einsum("ni,nj,nk->ijk", x, x, x) / 5 - torch.einsum("ni,nj,nk->ijk", y, y, y) / 4)
    by_moments = sum(math.comb(3, m) / d**m * gap.square().sum() for m, gap in enumerate(gaps, 1))
    expected = kernel(x, x) + kernel(y, y) - 2 * kernel(x, y)
    torch.testing.assert_close(torch.as_tensor(by_moments), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.equation("eq-kid-gaussians")
def test_the_distance_of_two_gaussians_on_a_line_by_quadrature():
    m, s, k, t = 0.4, 1.3, -0.7, 0.6
    nodes, weights = np.polynomial.hermite_e.hermegauss(8)  # exact up to the fifteenth power
    weights = weights / weights.sum()

    def mean(a, b):
        return weights @ (np.outer(a, b) + 1) ** 3 @ weights

    x, y = m + s * nodes, k + t * nodes
    expected = mean(x, x) + mean(y, y) - 2 * mean(x, y)
    formula = (
        3 * (m - k) ** 2
        + 3 * (m**2 + s**2 - k**2 - t**2) ** 2
        + (m**3 + 3 * m * s**2 - k**3 - 3 * k * t**2) ** 2
    )
    assert formula == pytest.approx(expected, rel=1e-10)


@pytest.mark.equation("eq-expected-coverage")
@pytest.mark.parametrize(("samples", "reference", "k"), [(1, 2, 1), (3, 4, 2), (4, 3, 1), (2, 5, 4)])
def test_coverage_by_counting_all_orders_of_the_others(samples, reference, k):
    """Around one reference image the N − 1 others and the M samples come in any order of nearness, alike."""
    others = "r" * (reference - 1) + "s" * samples
    orders = list(itertools.permutations(range(len(others))))
    covered = 0
    for order in orders:
        kinds = [others[i] for i in order]
        kth = [at for at, kind in enumerate(kinds) if kind == "r"][k - 1]
        covered += "s" in kinds[:kth]
    share = Fraction(covered, len(orders))
    assert expected_coverage(samples, reference, k) == pytest.approx(float(share), rel=1e-12)


@pytest.mark.equation("eq-expected-coverage")
def test_coverage_of_one_law_on_average_and_of_large_sets():
    g = rng(5)
    found = [
        density_coverage(torch.rand(12, 2, generator=g), torch.rand(9, 2, generator=g), 2).coverage
        for _ in range(1500)
    ]
    assert np.mean(found) == pytest.approx(expected_coverage(12, 9, 2), abs=0.015)
    assert expected_coverage(10**6, 10**6, 5) == pytest.approx(1 - 2**-5, abs=1e-5)


@pytest.mark.equation("eq-expected-density")
@pytest.mark.parametrize(("samples", "reference", "k"), [(7, 12, 3), (20, 6, 5)])
def test_density_is_one_on_average_whatever_the_sizes(samples, reference, k):
    g = rng(6)
    found = [
        density_coverage(
            torch.randn(samples, 3, generator=g), torch.randn(reference, 3, generator=g), k
        ).density
        for _ in range(2000)
    ]
    assert np.mean(found) == pytest.approx(1.0, abs=4 * np.std(found) / math.sqrt(2000))
    assert np.std(found) / math.sqrt(2000) < 0.02


@pytest.mark.equation("eq-two-sample-null")
def test_the_hits_of_a_fixed_judge_by_counting_all_ways_to_label_six_rows():
    """Whatever the judge calls, the rows that are samples are any three of the six."""
    for calls in range(7):
        hits = [sum(row < calls for row in chosen) for chosen in itertools.combinations(range(6), 3)]
        for h in range(4):
            expected = math.comb(3, h) * math.comb(3, calls - h) / math.comb(6, calls) if calls >= h else 0
            assert hits.count(h) / 20 == pytest.approx(expected)


@pytest.mark.equation("eq-two-sample-null")
def test_p_values_are_those_of_the_hits(monkeypatch):
    """A judge that is given: it calls every positive number a sample."""
    import sklearn.neighbors

    class Judge:
        def __init__(self, neighbours):
            pass

        def fit(self, rows, labels):
            return self

        def predict(self, rows):
            return (rows[:, 0] <= 0).astype(int)

    monkeypatch.setattr(sklearn.neighbors, "KNeighborsClassifier", Judge)
    accuracy, p_value = two_sample_test(torch.ones(8, 1), -torch.ones(8, 1), rng(0))
    assert accuracy == 1
    assert p_value == pytest.approx(1 / math.comb(8, 4))
    accuracy, p_value = two_sample_test(torch.ones(8, 1), torch.ones(8, 1), rng(0))
    assert (accuracy, p_value) == pytest.approx((0.5, 1.0))


@pytest.mark.equation("eq-copy-chance")
@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_chance_copies_among_points_that_lie_evenly(dimension):
    """On a torus, made by repeating the training points around the cell."""
    g = rng(7)
    moves = torch.tensor(list(itertools.product((-1.0, 0.0, 1.0), repeat=dimension))).double()
    shares = []
    for _ in range(60):
        training = torch.rand(60, dimension, generator=g, dtype=torch.float64)
        around = (training[:, None] + moves).flatten(0, 1)
        new = torch.rand(150, dimension, generator=g, dtype=torch.float64)
        shares.append([copies(new, around, ratio).double().mean().item() for ratio in (1 / 3, 0.6)])
    few, more = np.mean(shares, axis=0)
    assert few == pytest.approx(3.0**-dimension, abs=0.02)
    assert more == pytest.approx(0.6**dimension, abs=0.02)
