"""What noise hides: by sums, quadrature and Fourier transforms, with none of the library's formulas."""

import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad

from gdmcourse.hybrid.characteristic import behind_triangle, characteristic, comb, triangle_density

LINE = torch.linspace(-4000, 4000, 400_001, dtype=torch.float64)
STEP = LINE[1] - LINE[0]


@pytest.mark.equation("eq-dg-triangle")
def test_the_noise_is_a_density_whose_transform_is_the_triangle():
    density = triangle_density(LINE)
    assert density.min() >= 0
    for x in (0.5, 1.0, math.pi, 20.0):
        expected = (1 - math.cos(x)) / (math.pi * x**2)
        assert triangle_density(torch.tensor([x], dtype=torch.float64)).item() == pytest.approx(
            expected, rel=1e-12
        )
    u = torch.tensor([0.0, 0.25, 0.6, 0.95, 1.1, 1.7, 3.0]).double()
    found = characteristic(LINE, density * STEP, u)
    torch.testing.assert_close(found.real, (1 - u.abs()).clamp(min=0), atol=5e-4, rtol=0)
    assert found.imag.abs().max() < 1e-9


@pytest.mark.equation("eq-dg-twins")
@pytest.mark.slip(12)
def test_two_laws_of_x_have_one_law_behind_a_noise_that_enters_one_to_one():
    """h(ε) = ε: as the theorem is printed, equal laws of y would mean equal laws of x."""
    places, mass = comb(20_001)
    assert mass.sum().item() == pytest.approx(1, abs=2e-5)
    y = torch.tensor([0.0, 0.01, 0.3, 1.0, 2.0, 4.5, 9.0]).double()
    on_comb = (mass * triangle_density(y[:, None] - places)).sum(1)
    for value, one in zip(y.tolist(), on_comb.tolist(), strict=True):
        smooth = torch.trapezoid(triangle_density(LINE) * triangle_density(value - LINE), LINE).item()
        by_transform = quad(lambda u, value=value: (1 - u) ** 2 * math.cos(u * value) / math.pi, 0, 1)[0]
        assert one == pytest.approx(smooth, abs=1e-8)
        assert one == pytest.approx(by_transform, abs=1e-10)
        assert behind_triangle(torch.tensor([value]).double()).item() == pytest.approx(
            by_transform, abs=1e-12
        )
    # And they are two: one has half of its mass on a point.
    assert mass.max() == 0.5
    near = torch.linspace(-1e-3, 1e-3, 101).double()
    assert torch.trapezoid(triangle_density(near), near) < 1e-3


@pytest.mark.equation("eq-dg-twins")
def test_the_characteristic_functions_agree_inside_and_part_outside():
    places, mass = comb(20_001)
    u = torch.linspace(-3, 3, 61).double()
    found = characteristic(places, mass, u).real
    zigzag = 1 - (torch.remainder(u + 1, 2) - 1).abs()
    torch.testing.assert_close(found, zigzag, atol=5e-5, rtol=0)
    inside = u.abs() <= 1
    torch.testing.assert_close(found[inside], 1 - u[inside].abs(), atol=5e-5, rtol=0)
    assert found[u.abs() > 1.5].max() > 0.9


@pytest.mark.equation("eq-dg-identifiable")
def test_behind_uniform_noise_the_masses_are_found_again_by_dividing():
    """Between the zeros of sin(u)/u; the density behind the noise is a sum of boxes."""
    points, masses = np.array([-0.7, 0.1, 1.5]), np.array([0.5, 0.2, 0.3])
    y = np.linspace(-4, 4, 16_001)
    density = (0.5 * (np.abs(y[:, None] - points) <= 1)) @ masses
    u = np.linspace(0.05, 30, 200)
    lets = np.sin(u) / u
    u, lets = u[np.abs(lets) > 0.02], lets[np.abs(lets) > 0.02]
    seen = np.trapezoid(density * np.exp(1j * u[:, None] * y), y, axis=1)
    waves = np.exp(1j * np.outer(u, points))
    np.testing.assert_allclose(seen / lets, waves @ masses, atol=0.03)
    np.testing.assert_allclose(np.linalg.lstsq(waves, seen / lets)[0], masses, atol=2e-3)


@pytest.mark.equation("eq-dg-identifiable")
def test_on_a_ring_the_noise_can_be_undone_on_laws_where_its_transform_has_no_zero():
    """On n places the noise is a matrix: laws with one image are one law if and only if it has rank n.

    A ring's frequencies are whole numbers, so there dense means all.
    """
    n = 12
    gaussian = np.exp(-0.5 * (np.minimum(np.arange(n), n - np.arange(n)) / 1.3) ** 2)
    pair = np.zeros(n)
    pair[[0, 6]] = 0.5  # whose transform vanishes at odd frequencies
    for noise, hidden in ((gaussian / gaussian.sum(), 0), (pair, 6)):
        matrix = np.stack([np.roll(noise, k) for k in range(n)], 1)
        assert (np.abs(np.fft.fft(noise)) < 1e-12).sum() == hidden
        assert np.linalg.matrix_rank(matrix) == n - hidden
        one, other = matrix[:, 0], matrix[:, 6]  # the images of a law on place 0 alone, and of one on 6
        assert np.allclose(one, other) == (hidden > 0)


@pytest.mark.equation("eq-dg-identifiable")
def test_laws_on_single_points_pass_an_interval_of_zeros_though_hardly():
    """Laws on finitely many points can hide behind no noise, the triangle included; but see how hardly.

    The images of the points are independent if and only if their Gram matrix has no singular value 0.
    """
    y = np.linspace(-400, 400, 80_001)

    def least(density, x):
        columns = density(y[:, None] - x)
        values = np.linalg.svd(columns.T @ columns * (y[1] - y[0]), compute_uv=False)
        return values[-1] / values[0]

    def uniform(e):
        return 0.5 * (np.abs(e) <= 1)

    def triangle(e):
        return np.sinc(e / (2 * np.pi)) ** 2 / (2 * np.pi)

    three, many = np.array([-1.0, 0.0, 1.0]), np.linspace(-5, 5, 21)
    assert least(uniform, three) > 0.1
    assert least(uniform, many) > 1e-3
    assert least(triangle, three) > 1e-4
    assert least(triangle, many) < 1e-12
