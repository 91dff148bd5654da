"""Statistics of a comparison, by enumeration, simulation and root finding."""

import itertools
import math

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import norm, ttest_rel

from gdmcourse.metrics.comparison import (
    expected_best,
    holm,
    paired,
    permutation_p,
    variance_components,
    wilson,
)


def enumerated(values):
    """The share of sign choices with a mean at least as far from 0."""
    values = np.asarray(values)
    signs = np.array(list(itertools.product((1, -1), repeat=len(values))))
    means = np.abs(signs @ values)
    return (means >= np.abs(values.sum()) * (1 - 1e-12)).mean()


@pytest.mark.equation("eq-permutation-exact")
def test_a_permutation_test_is_exact_whatever_the_sizes():
    """Over all signs of given sizes the share of p-values up to α is at most α; they are ours by hand."""
    sizes = np.array([0.1, 0.4, 0.5, 1.3, 2.0, 0.7])
    found = [permutation_p(sizes * signs) for signs in itertools.product((1, -1), repeat=6)]
    for alpha in (1 / 32, 0.05, 0.1, 0.25, 0.5, 1.0):
        assert np.mean(np.array(found) <= alpha + 1e-12) <= alpha + 1e-12
    assert np.mean(np.array(found) <= 2 / 32 + 1e-12) == pytest.approx(2 / 32)
    for values in ([0.3, -0.1, 0.2, 0.9], [1.0, 1.0, -1.0], [5.0, 4.0, 3.0, 2.0, -1.0]):
        assert permutation_p(values) == pytest.approx(enumerated(values))


@pytest.mark.equation("eq-permutation-floor")
@pytest.mark.parametrize("n", [3, 5, 8, 10])
def test_no_p_value_is_below_the_floor_and_one_sign_reaches_it(n):
    rng = np.random.default_rng(n)
    values = rng.exponential(size=n)
    assert permutation_p(values) == pytest.approx(2 / 2**n)
    for _ in range(20):
        assert permutation_p(rng.normal(3, 1, size=n)) >= 2 / 2**n - 1e-12
    assert permutation_p(np.ones(5)) == 0.0625


def test_nothing_but_zeros_says_nothing():
    assert permutation_p([0.0, 0.0, 0.0]) == 1.0
    found = paired([0.0, 0.0, 0.0])
    assert (found.low, found.high, found.p_value) == (0.0, 0.0, 1.0)


def test_the_interval_is_that_of_paired_samples():
    rng = np.random.default_rng(0)
    a, b = rng.normal(1, 1, 10), rng.normal(0, 1, 10)
    theirs = ttest_rel(a, b).confidence_interval(0.95)
    found = paired((a - b).tolist())
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high))
    with pytest.raises(ValueError, match="at least two"):
        paired([1.0])


@pytest.mark.parametrize("wrong", [math.nan, math.inf])
def test_what_is_no_number_is_no_evidence(wrong):
    for test in (permutation_p, paired):
        with pytest.raises(ValueError, match="all finite"):
            test([0.1, wrong, 0.3])
    with pytest.raises(ValueError, match="leave out what was not tested"):
        holm([0.01, wrong])


def test_signs_are_tried_as_long_as_they_fit_the_memory():
    with pytest.raises(ValueError, match="at most 20"):
        permutation_p([1.0] * 21)


def closed(p_values):
    """Holm's as the closure of Bonferroni: the worst over all sets of hypotheses with this one in it."""
    n = len(p_values)
    sets = [s for k in range(1, n + 1) for s in itertools.combinations(range(n), k)]
    return [max(min(1.0, len(s) * min(p_values[j] for j in s)) for s in sets if i in s) for i in range(n)]


@pytest.mark.equation("eq-holm")
def test_holm_is_closed_bonferroni_and_keeps_its_promise():
    rng = np.random.default_rng(1)
    for _ in range(20):
        p_values = rng.uniform(0, 0.3, 5).tolist()
        assert holm(p_values) == pytest.approx(closed(p_values))
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    # Twelve tests that depend on each other, eight of them of true hypotheses.
    wrong, plain, runs = 0, 0, 4000
    for _ in range(runs):
        z = 0.6 * rng.normal() + 0.8 * rng.normal(size=12)
        z[8:] += 3.0
        p_values = 2 * norm.sf(np.abs(z))
        wrong += min(holm(p_values.tolist())[:8]) <= 0.05
        plain += p_values[:8].min() <= 0.05
    assert wrong / runs < 0.05 + 3 * math.sqrt(0.05 / runs)
    assert plain / runs > 0.15


@pytest.mark.equation("eq-wilson")
@pytest.mark.parametrize(("failures", "runs"), [(0, 10), (1, 10), (5, 10), (3, 7), (10, 10)])
def test_the_ends_are_the_rates_at_which_the_score_test_just_doubts(failures, runs):
    c, share = norm.ppf(0.975), failures / runs

    def beyond(rate):
        return abs(share - rate) - c * math.sqrt(rate * (1 - rate) / runs)

    low, high = wilson(failures, runs)
    wanted_low = brentq(beyond, 1e-12, min(share, 1 - 1e-9)) if failures else 0.0
    wanted_high = brentq(beyond, max(share, 1e-9), 1 - 1e-12) if failures < runs else 1.0
    assert (low, high) == pytest.approx((wanted_low, wanted_high), abs=1e-6)
    middle = (share + c**2 / (2 * runs)) / (1 + c**2 / runs)
    half = c * math.sqrt(share * (1 - share) / runs + c**2 / (4 * runs**2)) / (1 + c**2 / runs)
    assert (low, high) == pytest.approx((middle - half, middle + half), abs=1e-9)


def table(rng, n, m, training, drawing, copies=1):
    at = rng.normal(0, math.sqrt(training), (copies, n, 1))
    return at + rng.normal(0, math.sqrt(drawing), (copies, n, m))


@pytest.mark.equation("eq-mean-variance")
def test_the_variance_of_a_mean_has_two_parts():
    rng = np.random.default_rng(2)
    means = table(rng, 5, 3, 2.0, 4.0, copies=40_000).mean((1, 2))
    assert means.var() == pytest.approx(2.0 / 5 + 4.0 / 15, rel=0.03)


@pytest.mark.equation("eq-variance-components")
def test_both_components_come_back_on_average():
    rng = np.random.default_rng(3)
    found = np.array(
        [variance_components(each.tolist()) for each in table(rng, 10, 3, 2.0, 1.0, copies=4000)]
    )
    assert found.mean(0) == pytest.approx([2.0, 1.0], rel=0.03)
    assert variance_components([[1.0, 3.0], [5.0, 7.0]]) == pytest.approx((7.0, 2.0))
    with pytest.raises(ValueError, match="two draws"):
        variance_components([[1.0], [2.0]])


@pytest.mark.equation("eq-draws")
@pytest.mark.parametrize(
    ("training", "drawing", "cost", "draw"), [(1.0, 4.0, 100.0, 1.0), (2.0, 0.5, 9.0, 1.0)]
)
def test_the_best_number_of_draws_is_best(training, drawing, cost, draw):
    """Of all numbers of draws, for one budget of time and any real number of trainings."""

    def variance(m):
        n = 1e4 / (cost + m * draw)
        return training / n + drawing / (n * m)

    best = math.sqrt(cost * drawing / (draw * training))
    tried = np.linspace(0.2, 60, 2000)
    assert tried[np.argmin([variance(m) for m in tried])] == pytest.approx(best, abs=0.05)


@pytest.mark.equation("eq-paired-variance")
def test_pairs_gain_what_they_share():
    rng = np.random.default_rng(4)
    both = rng.multivariate_normal([0, 0], [[1.0, 0.6], [0.6, 2.0]], size=(30_000, 8))
    assert (both[..., 0] - both[..., 1]).mean(1).var() == pytest.approx((1 + 2 - 2 * 0.6) / 8, rel=0.03)
    alone = both[..., 0].mean(1) - both[::-1, :, 1].mean(1)
    assert alone.var() == pytest.approx(3 / 8, rel=0.03)


@pytest.mark.equation("eq-expected-best")
def test_the_expected_best_is_the_mean_over_all_choices():
    scores = [3.0, 1.0, 4.0, 1.5, 9.0, 2.6]
    for trials in range(1, 7):
        choices = [min(each) for each in itertools.combinations(scores, trials)]
        assert expected_best(scores, trials) == pytest.approx(np.mean(choices))
    # Without bias for fresh trials: of twenty uniform scores, the best of five is 1/6 on average.
    rng = np.random.default_rng(5)
    found = [expected_best(list(rng.uniform(size=20)), 5) for _ in range(2000)]
    assert np.mean(found) == pytest.approx(1 / 6, abs=0.006)
    with pytest.raises(ValueError, match="1 to 6"):
        expected_best(scores, 7)
