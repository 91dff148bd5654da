"""Modes found and share of good samples, counted by hand."""

import pytest
import torch

from gdmcourse.metrics.mode_coverage import mode_coverage

MEANS = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])


def test_by_hand():
    """The third mode is the nearest to one sample, which is too far from it to find it."""
    good = [[0.0, 2.9], [10.0, 0.0], [10.0, 1.0], [2.1, 2.1]]
    samples = torch.tensor([*good, [0.0, 3.1], [5.0, 5.0], [0.0, 14.0]])
    coverage = mode_coverage(samples, MEANS, 1.0)
    assert coverage.modes == 2
    assert coverage.high_quality == pytest.approx(4 / 7)


def test_far_from_the_origin_nothing_is_lost():
    far = 10_000.0
    samples = MEANS + far + torch.tensor([[0.02, 0.0]])
    assert mode_coverage(samples, MEANS + far, 0.01) == (3, 1.0)


def test_no_samples_are_refused():
    with pytest.raises(ValueError, match="at least one sample"):
        mode_coverage(torch.empty(0, 2), MEANS, 1.0)
