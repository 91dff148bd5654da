"""What the chapter on training GANs claims of pairs: the best critic, and what the generator then lowers."""

import math

import pytest
import torch
from torch.nn import functional as F

from gdmcourse.gan import relativistic_loss

close = torch.testing.assert_close

# Pairs, on laws of four values, where every mean is a sum.
P = torch.tensor([0.4, 0.3, 0.2, 0.1], dtype=torch.float64)
Q = torch.tensor([0.1, 0.1, 0.3, 0.5], dtype=torch.float64)


def pair_loss(f):
    """−E log ς(f(x) − f(x̂)) over all pairs of values, with their probabilities."""
    return (P[:, None] * Q[None] * F.softplus(f[None] - f[:, None])).sum()


@pytest.mark.equation("eq-relativistic-optimum")
def test_the_best_critic_of_pairs_is_the_log_ratio_and_its_loss_a_divergence():
    f = torch.zeros(4, dtype=torch.float64)
    for _ in range(12):  # Newton's method; a constant added to f changes nothing, hence the pseudoinverse
        point = f.clone().requires_grad_()
        (slope,) = torch.autograd.grad(pair_loss(point), point)
        curvature = torch.autograd.functional.hessian(pair_loss, f)
        f = f - torch.linalg.pinv(curvature, rtol=1e-8) @ slope
    best = f - f.mean()
    ratio = (P / Q).log()
    close(best, ratio - ratio.mean(), atol=1e-5, rtol=1e-5)
    left, right = P[:, None] * Q[None], Q[:, None] * P[None]
    middle = (left + right) / 2
    divergence = 0.5 * ((left * (left / middle).log()).sum() + (right * (right / middle).log()).sum())
    assert pair_loss(f).item() == pytest.approx(math.log(2) - divergence.item(), abs=1e-10)


@pytest.mark.equation("eq-relativistic-optimum")
def test_against_the_best_critic_the_generator_s_loss_is_a_divergence_and_at_least_log_two():
    f = (P / Q).log()
    loss = (P[:, None] * Q[None] * F.softplus(f[:, None] - f[None])).sum().item()
    left, right = P[:, None] * Q[None], Q[:, None] * P[None]
    far, near = ((left * (left / law).log()).sum().item() for law in (right, (left + right) / 2))
    assert loss == pytest.approx(math.log(2) + far - near)
    assert loss > math.log(2) + far / 2


@pytest.mark.equation("eq-relativistic-optimum")
def test_the_library_s_loss_is_that_of_pairs_and_the_generator_s_has_both_sides():
    """The generator's gradient depends on the real batch; a loss without it would not."""
    g = torch.Generator().manual_seed(0)
    x = torch.multinomial(P, 200_000, replacement=True, generator=g)
    y = torch.multinomial(Q, 200_000, replacement=True, generator=g)
    f = torch.tensor([0.5, -1.0, 0.3, 2.0], dtype=torch.float64)
    assert relativistic_loss(f[x], f[y]).item() == pytest.approx(pair_loss(f).item(), abs=0.01)
    slopes = []
    for real in (-2.0, 2.0):
        fake = torch.zeros(3, requires_grad=True)
        relativistic_loss(fake, torch.full((3,), real)).backward()
        slopes.append(fake.grad[0].item())
    assert slopes[0] != slopes[1]
    assert slopes[1] == pytest.approx(-(1 / (1 + math.exp(-2))) / 3, abs=1e-6)
