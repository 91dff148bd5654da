"""Waves beside the coordinates: what they are, and that a perceptron sees fine structure through them."""

import torch

from gdmcourse.gan.waves import Waves
from gdmcourse.training import seeded


def waves(count=200, band=(0.5, 14.0), scale=2.0):
    with seeded(0):
        return Waves(2, count, band, scale)


def test_the_point_stands_before_the_waves_and_each_wave_is_on_the_circle():
    x = torch.randn(7, 2, generator=torch.Generator().manual_seed(0))
    seen = waves()(x)
    assert seen.shape == (7, waves().out) == (7, 402)
    torch.testing.assert_close(seen[:, :2], x / 2)
    cosines, sines = seen[:, 2:202], seen[:, 202:]
    torch.testing.assert_close(cosines.square() + sines.square(), torch.ones(7, 200))


def test_frequencies_are_spread_over_the_band_evenly_on_a_logarithmic_axis():
    sizes = waves(4000).frequencies.norm(dim=0)
    assert 0.5 <= sizes.min() < 0.51
    assert 13.7 < sizes.max() <= 14.0
    assert abs((sizes < (0.5 * 14.0) ** 0.5).double().mean() - 0.5) < 0.03


def test_a_wave_returns_after_its_length_and_scale_stretches_it():
    """Moved by 2π · scale / frequency along its own direction, a wave is what it was."""
    made = waves(1)
    direction = made.frequencies[:, 0]
    period = 2 * torch.pi * 2.0 * direction / direction.square().sum()
    here, there = made(torch.zeros(1, 2)), made(period[None])
    torch.testing.assert_close(here[:, 2:], there[:, 2:], atol=1e-5, rtol=0)
    assert (here[:, :2] - there[:, :2]).abs().max() > 0.1


def test_they_are_drawn_once_and_not_learned():
    made = waves()
    assert not list(made.parameters())
    assert "frequencies" in made.state_dict()


def test_without_waves_the_scaled_point_is_left():
    x = torch.randn(5, 2, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(waves(0)(x), x / 2)
