"""Energy by frequency, against Parseval, single waves and white noise."""

import math

import pytest
import torch

from gdmcourse.metrics.spectrum import energy_by_frequency, high_frequency_energy
from gdmcourse.probability.pixel import expected_pixel
from tests.oracles import gen


@pytest.mark.parametrize(("rows", "columns"), [(0, 0), (1, 0), (2, 3), (0, 4), (3, 1)])
def test_a_wave_has_its_energy_at_its_frequency(rows, columns):
    i, j = torch.meshgrid(torch.arange(8), torch.arange(8), indexing="ij")
    wave = (2 * math.pi * (rows * i + columns * j) / 8).cos()[None, None]
    energy = energy_by_frequency(wave)
    assert energy[max(rows, columns)].item() == pytest.approx(wave.square().sum().item(), rel=1e-5)
    assert energy.sum().item() == pytest.approx(wave.square().sum().item(), rel=1e-5)
    assert (high_frequency_energy(wave) > 1) == (max(rows, columns) >= 3)


def test_energies_add_to_the_squares_for_odd_sizes_and_colours():
    images = torch.randn(5, 3, 7, 6, generator=gen())
    centre = images.mean(0)
    total = (images - centre).square().flatten(1).sum(1).mean()
    assert energy_by_frequency(images, centre).sum().item() == pytest.approx(total.item(), rel=1e-5)


@pytest.mark.equation("eq-vae-blur")
def test_what_mean_images_lack_is_white():
    """Codes with pixels of their own law each: samples, less their means, spread evenly over the waves."""
    n, size, rng = 40_000, 4, gen(3)
    code = torch.randint(0, 3, (n,), generator=rng)
    mean = torch.randn(3, 1, size, size, generator=rng)
    log_variance = torch.randn(3, 1, size, size, generator=rng) - 1
    drawn = mean[code] + (log_variance[code] / 2).exp() * torch.randn(n, 1, size, size, generator=rng)
    samples = (drawn.clamp(-1, 1) * 8).round() / 8
    means = expected_pixel(mean, log_variance, 17)[code]
    variance = torch.stack([samples[code == k].var(0) for k in range(3)])[code].sum((1, 2, 3)).mean()
    centre = torch.full((1, size, size), 0.3)
    waves = torch.tensor([1.0, 8.0, 7.0])  # of 16, those with 0, 1 and 2 periods
    lacking = energy_by_frequency(samples, centre) - energy_by_frequency(means, centre)
    torch.testing.assert_close(lacking, waves.double() * variance.double() / 16, rtol=0.05, atol=0.03)
