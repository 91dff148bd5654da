"""Modes of stacked digits: the count and the divergence against sums by hand, and real digits read right."""

import collections
import math

import pytest
import torch

from gdmcourse.data import load
from gdmcourse.metrics.stacked import count_modes, read_stacked, stacked_modes


def test_the_divergence_is_a_sum_over_the_modes_that_occur():
    read = torch.tensor([7, 7, 7, 123, 999, 123])
    counts = collections.Counter(read.tolist())
    by_hand = sum(n / 6 * math.log(n / 6 / (1 / 1000)) for n in counts.values())
    found = count_modes(read)
    assert found.modes == 3
    assert found.reverse_kl == pytest.approx(by_hand, abs=1e-12)


def test_the_ends_are_zero_and_the_logarithm_of_a_thousand():
    assert count_modes(torch.arange(1000).repeat(3)) == (1000, pytest.approx(0, abs=1e-12))
    assert count_modes(torch.full((50,), 3)) == (1, pytest.approx(math.log(1000), abs=1e-12))


@pytest.mark.parametrize("read", [[], [3, -1], [1000]])
def test_what_is_no_mode_is_refused(read):
    with pytest.raises(ValueError, match="numbers from 0 to 999"):
        count_modes(torch.tensor(read, dtype=torch.long))


def test_chance_alone_makes_about_half_a_mode_a_sample():
    """The floor that the docstring names: (modes − 1) / 2n for draws from equal modes."""
    g = torch.Generator().manual_seed(0)
    found = [count_modes(torch.randint(1000, (10_000,), generator=g)).reverse_kl for _ in range(20)]
    assert sum(found) / 20 == pytest.approx(999 / 20_000, rel=0.1)


def test_real_digits_are_read_as_they_are_labelled():
    test = load("stacked", "test")
    right = (read_stacked(test.images[:600]) == test.labels[:600]).double().mean().item()
    assert right > 0.85
    three = test.images[:3]
    assert stacked_modes(three.repeat(2, 1, 1, 1)).modes == len(read_stacked(three).unique())


@pytest.mark.parametrize(
    ("images", "sentence"),
    [
        (torch.zeros(0, 3, 8, 8), "give at least one"),
        (torch.full((2, 3, 8, 8), 3.0), "samples lie in"),
        (torch.full((2, 3, 8, 8), float("nan")), "did the sampler diverge"),
    ],
)
def test_what_is_no_image_is_refused(images, sentence):
    with pytest.raises(ValueError, match=sentence):
        stacked_modes(images)
