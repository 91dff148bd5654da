"""The plucked string: its waves have the law that is said of them."""

import math

import pytest
import torch
from scipy.stats import norm

from gdmcourse.data.strings import DAMPING, LEVELS, NOISE, PERIOD, next_probabilities, pluck, pluck_log_prob
from tests.oracles import gen


def test_the_law_of_the_next_symbol_by_scipy():
    before = pluck(3, 60, gen())
    law = next_probabilities(before)
    torch.testing.assert_close(law.sum(1), torch.ones(3, dtype=torch.float64))
    value = lambda k: 2 * k / (LEVELS - 1) - 1  # noqa: E731
    for row, found in zip(before.tolist(), law, strict=True):
        mean = DAMPING * (value(row[60 - PERIOD]) + value(row[60 - PERIOD - 1])) / 2
        for k in range(LEVELS):
            low = -math.inf if k == 0 else value(k - 0.5)
            high = math.inf if k == LEVELS - 1 else value(k + 0.5)
            assert found[k].item() == pytest.approx(
                norm.cdf(high, mean, NOISE) - norm.cdf(low, mean, NOISE), abs=1e-12
            )


def test_waves_follow_that_law():
    waves = pluck(400, 80, gen())
    assert waves.min() == 0
    assert waves.max() == LEVELS - 1
    share = torch.bincount(waves[:, : PERIOD + 1].flatten(), minlength=LEVELS) / (400 * (PERIOD + 1))
    assert (share - 1 / LEVELS).abs().max() < 0.012
    # What was drawn costs what the law expects, its own entropy, within the error of the mean.
    cost, entropy = [], []
    for t in range(PERIOD + 1, 80):
        law = next_probabilities(waves[:, :t])
        cost.append(-law.gather(1, waves[:, t : t + 1]).log())
        entropy.append(torch.special.entr(law).sum(1, keepdim=True))
    gap = torch.cat(cost, 1) - torch.cat(entropy, 1)
    assert abs(gap.mean()) < 4 * gap.std() / gap.numel() ** 0.5
    found = pluck_log_prob(waves)
    torch.testing.assert_close(-found[:, PERIOD + 1 :], torch.cat(cost, 1))
    torch.testing.assert_close(found[:, 0], torch.full((400,), -math.log(LEVELS)).double())
    with pytest.raises(ValueError, match="more than 21 symbols"):
        pluck(1, 21, gen())
