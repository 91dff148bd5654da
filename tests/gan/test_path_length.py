"""The path-length penalty: against autograd's Jacobian, and its minimum against quadrature."""

import math

import pytest
import torch
from scipy.stats import chi

from gdmcourse.gan.path_length import PathLength, path_lengths
from gdmcourse.gan.style import StyleGenerator

close = torch.testing.assert_close


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def small_generator() -> StyleGenerator:
    torch.manual_seed(0)
    return StyleGenerator((1, 8, 8), noise_dim=3, style_dim=2, width=2).double().eval()


@pytest.mark.equation("eq-style-path-probe")
def test_a_gradient_of_a_number_is_the_jacobian_times_a_vector():
    synthesis = small_generator().synthesis
    w = torch.randn(2, 6, 2, generator=rng(), dtype=torch.float64, requires_grad=True)
    y = torch.randn(2, 1, 8, 8, generator=rng(1), dtype=torch.float64)
    lengths = path_lengths(synthesis(w), w, y)
    for k in range(2):
        jacobian = torch.autograd.functional.jacobian(lambda one: synthesis(one[None])[0].flatten(), w[k])
        close(lengths[k], (jacobian.flatten(1).T @ y[k].flatten()).norm())


@pytest.mark.equation("eq-style-path-probe")
def test_the_mean_square_length_is_the_jacobian_s_square():
    """Over y = ± the unit vectors times √D, whose covariance is the identity, the mean is exact."""
    J = torch.randn(7, 4, generator=rng(), dtype=torch.float64)
    w = torch.zeros(7, 4, dtype=torch.float64, requires_grad=True)
    y = math.sqrt(7) * torch.eye(7, dtype=torch.float64)
    close(path_lengths(w @ J.T, w, y).square().mean(), J.square().sum())
    draws = torch.randn(50_000, 7, generator=rng(1), dtype=torch.float64)
    assert (draws @ J).square().sum(1).mean().item() == pytest.approx(J.square().sum().item(), rel=0.03)


def penalty_in_the_plane(first: float, second: float, a: float) -> float:
    """E (‖Jᵀy‖ − a)² for two singular values, by polar coordinates: E r² = 2 and E r = √(π/2)."""
    angle = torch.arange(2000, dtype=torch.float64) * (2 * math.pi / 2000)
    shape = ((first * angle.cos()) ** 2 + (second * angle.sin()) ** 2).sqrt()
    return float((2 * shape.square() - 2 * a * math.sqrt(math.pi / 2) * shape + a**2).mean())


@pytest.mark.equation("eq-style-path-minimum")
@pytest.mark.parametrize("a", [0.7, 3.0])
def test_in_the_plane_the_least_penalty_is_at_two_equal_singular_values(a):
    c = a * chi.mean(2) / 2
    least = a**2 * (1 - chi.mean(2) ** 2 / 2)
    assert penalty_in_the_plane(c, c, a) == pytest.approx(least, rel=1e-9)
    for first in torch.linspace(0, 2 * a, 41).tolist():
        for second in torch.linspace(0, 2 * a, 41).tolist():
            value = penalty_in_the_plane(first, second, a)
            assert value >= least - 1e-12
            if max(abs(first - c), abs(second - c)) > 0.1 * a:
                assert value > least * (1 + 1e-3)


@pytest.mark.equation("eq-style-path-minimum")
@pytest.mark.parametrize(("rows", "columns"), [(6, 4), (3, 5)])
def test_descent_on_a_matrix_ends_at_orthogonal_columns_or_rows_of_one_length(rows, columns):
    d, a = min(rows, columns), 2.0
    J = torch.randn(rows, columns, generator=rng(), dtype=torch.float64).requires_grad_()
    y = torch.randn(20_000, rows, generator=rng(1), dtype=torch.float64)
    stepper = torch.optim.LBFGS([J], max_iter=25, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        stepper.zero_grad()
        value = ((y @ J).norm(dim=1) - a).square().mean()
        value.backward()
        return value

    stepper.step(loss)
    wanted = a * chi.mean(d) / d
    close(torch.linalg.svdvals(J.detach()), torch.full((d,), wanted).double(), atol=0.03 * wanted, rtol=0)
    assert loss().item() == pytest.approx(a**2 * (1 - chi.mean(d) ** 2 / d), rel=0.03)


def test_the_target_begins_at_what_it_finds_and_follows_without_a_gradient():
    generator, path = small_generator(), PathLength(decay=0.6).double()
    z = torch.randn(5, 3, generator=rng(), dtype=torch.float64)
    means, target = [], 0.0
    for k, share in enumerate((1, 1 / 2, 0.4, 0.4)):
        w = generator.styles((k + 1) * z + k)
        images = (k + 1) * generator.synthesis(w)
        y = torch.randn(images.shape, generator=rng(k)) / 8
        lengths = path_lengths(images, w, y.double())
        means.append(lengths.mean().item())
        target += share * (means[-1] - target)
        penalty = path(images, w, rng(k))
        assert path.target.item() == pytest.approx(target)
        close(penalty, (lengths - target).square().mean())
    assert max(means) > 2 * min(means)
    weight = generator.synthesis.second[1].weight
    (found,) = torch.autograd.grad(penalty, weight, retain_graph=True)
    (claimed,) = torch.autograd.grad((lengths - target).square().mean(), weight)
    close(found, claimed)
    assert set(path.state_dict()) == {"target", "calls"}
