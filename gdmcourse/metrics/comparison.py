"""How sure a comparison over seeds is: paired intervals, exact permutation tests, Holm's correction."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

CONFIDENCE = 0.95
MOST = 20  # differences whose signs are all tried: a million choices


class Paired(NamedTuple):
    """The mean of paired differences, its t interval, and the exact p-value of a permutation of signs."""

    mean: float
    low: float
    high: float
    p_value: float


def paired(differences: Sequence[float], confidence: float = CONFIDENCE) -> Paired:
    """What differences of pairs say, one for each seed: interval by Student's t, p-value by permutation.

    Raises ValueError for fewer than two differences, more than 20, or one that isn't finite.
    """
    from scipy.stats import ttest_1samp

    values = np.asarray(differences, dtype=float)
    if len(values) < 2:
        raise ValueError(f"an interval needs at least two differences, not {len(values)}")
    p_value, mean = permutation_p(values), float(values.mean())
    low = high = mean
    if np.ptp(values) > 0:
        low, high = ttest_1samp(values, 0.0).confidence_interval(confidence)
    return Paired(mean, float(low), float(high), p_value)


def permutation_p(differences: Sequence[float] | np.ndarray) -> float:
    """The two-sided p-value of the mean over all 2ⁿ choices of signs (`eq-permutation-exact`).

    Raises ValueError for one that isn't finite, or more than 20: their choices would fill the memory.
    """
    from scipy.stats import permutation_test

    values = np.asarray(differences, dtype=float)
    if len(values) > MOST or not np.isfinite(values).all():
        raise ValueError(f"give at most {MOST} differences, all finite, not {values.tolist()}")
    if not values.any():
        return 1.0

    def size(signed: np.ndarray, axis: int) -> Any:
        return np.abs(signed.mean(axis=axis))

    found = permutation_test(
        (values,),
        size,
        permutation_type="samples",
        n_resamples=np.inf,
        vectorized=True,
        alternative="greater",
    )
    return float(found.pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values, in the order given: reject those up to α, and one true hypothesis is rejected with
    probability at most α, however the tests depend on each other (`eq-holm`). Source: Holm 1979.

    Raises ValueError unless all of them lie between 0 and 1: leave out what was not tested.
    """
    if not all(0 <= p <= 1 for p in p_values):
        raise ValueError(f"p-values lie between 0 and 1; leave out what was not tested: {list(p_values)}")
    order, adjusted, largest = np.argsort(p_values, kind="stable"), [0.0] * len(p_values), 0.0
    for rank, place in enumerate(order):
        largest = max(largest, (len(p_values) - rank) * p_values[place])
        adjusted[place] = min(1.0, largest)
    return adjusted


def wilson(successes: int, runs: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Wilson's interval of a share (`eq-wilson`); raises ValueError unless 0 ≤ successes ≤ runs ≥ 1."""
    from scipy.stats import binomtest

    interval = binomtest(successes, runs).proportion_ci(confidence, method="wilson")
    return float(interval.low), float(interval.high)


class Components(NamedTuple):
    """Variances of a score: between trainings, and between draws of one training."""

    training: float
    drawing: float


def variance_components(scores: Sequence[Sequence[float]]) -> Components:
    """Both from n trainings with m draws each, (n, m), without bias but that none is below 0.

    Raises ValueError for fewer than two trainings or draws. Source: `eq-variance-components`.
    """
    table = np.asarray(scores, dtype=float)
    if table.ndim != 2 or min(table.shape) < 2:
        raise ValueError(f"give at least two trainings with two draws each, not a table of {table.shape}")
    drawing = float(table.var(axis=1, ddof=1).mean())
    return Components(max(0.0, float(table.mean(axis=1).var(ddof=1)) - drawing / table.shape[1]), drawing)


def expected_best(scores: Sequence[float], trials: int) -> float:
    """The smallest of `trials` of the scores, on average over all choices of so many (`eq-expected-best`).

    Raises ValueError unless there are at least so many scores, and one trial.
    """
    n = len(scores)
    if not 1 <= trials <= n:
        raise ValueError(f"choose from 1 to {n} trials, not {trials}")
    return sum(
        score * math.comb(n - rank, trials - 1) / math.comb(n, trials)
        for rank, score in enumerate(sorted(scores), 1)
        if n - rank >= trials - 1
    )
