"""The claims of the chapter on training GANs, against brute force, polynomials and finite differences."""

import itertools
import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from gdmcourse.gan import relativistic_loss
from gdmcourse.gan.penalties import zero_norm_penalty

close = torch.testing.assert_close


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


SHAPES = [
    (n, k, s, q)
    for n, k, s, q in itertools.product(range(1, 10), range(1, 6), range(1, 4), range(2))
    if n + 2 * q >= k and q < k
]


@pytest.mark.equation("eq-conv-size")
def test_sizes_are_those_of_windows_laid_one_by_one_and_of_torch():
    for n, k, s, q in SHAPES:
        starts = [i for i in range(-q, n + q) if (i + q) % s == 0 and i + k - 1 <= n - 1 + q]
        found = (n + 2 * q - k) // s + 1
        assert len(starts) == found
        assert F.conv1d(torch.zeros(1, 1, n), torch.zeros(1, 1, k), stride=s, padding=q).shape[2] == found


@pytest.mark.equation("eq-conv-size")
def test_a_transposed_convolution_goes_to_the_smallest_side_that_comes_back_and_is_the_transpose():
    for n, k, s, q in SHAPES:
        small = (n + 2 * q - k) // s + 1
        back = (small - 1) * s - 2 * q + k
        sides = [m for m, *rest in SHAPES if rest == [k, s, q] and (m + 2 * q - k) // s + 1 == small]
        if back < 1:
            continue
        assert back == min(sides)
        weight = torch.randn(1, 1, k, generator=gen(n), dtype=torch.float64)
        if s <= 2 and n < 9:
            matrix = F.conv1d(torch.eye(back).double()[:, None], weight, stride=s, padding=q)[:, 0].T
            h = torch.randn(small, generator=gen(k), dtype=torch.float64)
            transposed = F.conv_transpose1d(h[None, None], weight, stride=s, padding=q)[0, 0]
            close(transposed, matrix.T @ h)


@pytest.mark.equation("eq-windows")
@pytest.mark.parametrize(("k", "s"), list(itertools.product(range(1, 9), range(1, 6))))
def test_windows_are_counted_by_a_transposed_convolution_of_ones(k, s):
    count = F.conv_transpose1d(torch.ones(1, 1, 40), torch.ones(1, 1, k), stride=s)[0, 0]
    inner = count[k:-k]
    inner = inner[: len(inner) // s * s]
    if k < s:  # pixels between the windows are seen by none
        assert inner.min() == 0
    assert inner.min() == k // s
    assert inner.max() == -(-k // s)
    assert (inner.unique().numel() == 1) == (k % s == 0)


@pytest.mark.equation("eq-batch-norm")
def test_equal_images_that_are_not_flat_come_through_a_convolution_s_batch_norm_equal():
    images = torch.randn(1, 2, 4, 4, generator=gen()).expand(5, -1, -1, -1)
    out = nn.BatchNorm2d(2, affine=False)(images)
    assert out.abs().min() > 0
    close(out, out[:1].expand_as(out), atol=0, rtol=0)


@pytest.mark.equation("eq-batch-norm")
@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1.0, 50.0])
def test_a_batch_is_spread_to_the_root_of_two_unless_it_is_narrower_than_epsilon(scale):
    norm = nn.BatchNorm1d(3, affine=False, eps=1e-5).double()
    h = 7 + scale * torch.randn(6, 3, generator=gen(), dtype=torch.float64)
    out, variance = norm(h), h.var(0, correction=0)
    squares = sum((out[i] - out[j]) ** 2 for i in range(6) for j in range(6) if i != j) / 30
    close(squares, 2 * 6 / 5 * variance / (variance + 1e-5))
    assert (squares > 2).all() == (scale > 1e-2)


@pytest.mark.equation("eq-batch-norm")
def test_batch_norm_does_not_see_contrast_and_brightness():
    norm = nn.BatchNorm2d(2, affine=False, eps=1e-15).double()
    images = torch.rand(5, 2, 4, 4, generator=gen(), dtype=torch.float64)
    close(norm(0.01 * images - 3), norm(images))
    assert (norm(-images) - norm(images)).abs().max() > 0.1  # c has to be positive


def slopes_of(leak, n, critics=40_000, dim=3):
    """Gradients of random critics with one hidden layer at a point, by autograd."""
    rng = gen(n)  # one for all three, which have to be independent
    w, b, c = (torch.randn(critics, n, k, generator=rng, dtype=torch.float64) for k in (dim, 1, 1))
    x = torch.tensor([0.3, -1.0, 2.0], dtype=torch.float64)[:dim].expand(critics, dim).requires_grad_()
    f = (0.7 * c * F.leaky_relu(w @ x[..., None] + b, leak)).sum()
    return torch.autograd.grad(f, x)[0]


@pytest.mark.equation("eq-leaky-gradient")
@pytest.mark.parametrize("n", [1, 3, 5])
def test_relus_are_dead_in_a_power_of_a_half_and_leaks_never(n):
    dead = (slopes_of(0.0, n) == 0).all(1).double().mean().item()
    chance = 2.0**-n
    assert dead == pytest.approx(chance, abs=4 * math.sqrt(chance * (1 - chance) / 40_000))
    assert not (slopes_of(0.2, n) == 0).all(1).any()


@pytest.mark.equation("eq-leaky-gradient")
@pytest.mark.parametrize("leak", [0.0, 0.2, 0.7])
def test_the_mean_square_of_the_slope_is_that_of_the_formula(leak):
    squares = slopes_of(leak, 4).square().sum(1)
    expected = (1 + leak**2) / 2 * 0.7**2 * 4 * 3  # E‖w‖² is the dimension, 3
    spread = squares.std().item() / math.sqrt(len(squares))
    assert squares.mean().item() == pytest.approx(expected, abs=4 * spread)
    assert 8 * spread < 0.1 * expected


def spiral(beta, eta, in_turn, steps=8000):
    """The growth a step of the distance from 0, by playing; a fit over whole turns."""
    theta, phi, m_theta, m_phi = 1.0, 0.0, 0.0, 0.0
    logs = []
    for _ in range(steps):
        seen = theta
        m_phi = beta * m_phi + (1 - beta) * seen
        new = phi + eta * m_phi
        m_theta = beta * m_theta - (1 - beta) * (new if in_turn else phi)
        theta, phi = theta + eta * m_theta, new
        logs.append(math.log(math.hypot(theta, phi)))
    turn = round(2 * math.pi / eta)
    return (sum(logs[-turn:]) - sum(logs[turn : 2 * turn])) / turn / (steps - 2 * turn)


@pytest.mark.equation("eq-momentum-spiral")
@pytest.mark.parametrize("in_turn", [False, True])
@pytest.mark.parametrize("beta", [-0.5, 0.0, 0.5, 0.9])
def test_momentum_drives_the_turning_game_outwards(beta, in_turn):
    eta = 0.003
    claimed = beta / (1 - beta) if in_turn else (1 + beta) / (2 * (1 - beta))
    assert spiral(beta, eta, in_turn) / eta**2 == pytest.approx(claimed, rel=0.02, abs=0.01)


@pytest.mark.equation("eq-momentum-spiral")
@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9])
def test_the_largest_eigenvalue_of_a_step_has_that_size(beta):
    """The step of (θ, φ, m_θ, m_φ) as a matrix, and its eigenvalues by numerical linear algebra."""
    for in_turn in (False, True):
        claimed = beta / (1 - beta) if in_turn else (1 + beta) / (2 * (1 - beta))
        for eta in (1e-2, 1e-3):
            b, c = beta, 1 - beta
            critic = torch.tensor([[1, 0, 0, 0], [eta * c, 1, 0, eta * b], [0, 0, 1, 0], [c, 0, 0, b]])
            player = torch.tensor([[1, -eta * c, eta * b, 0], [0, 1, 0, 0], [0, -c, b, 0], [0, 0, 0, 1]])
            eye = torch.eye(4)
            step = player @ critic if in_turn else critic + player - eye
            growth = torch.linalg.eigvals(step.double()).abs().max().item() - 1
            assert growth / eta**2 == pytest.approx(claimed, abs=40 * eta)


def flow(theta, phi, gamma, penalties):
    """Minus the gradients of both players' losses on the Dirac-GAN, by autograd through the library."""
    theta, phi = (x.requires_grad_() for x in (theta, phi))
    critic = lambda x: phi * x[:, 0]  # noqa: E731
    zero = torch.zeros(1, 1, dtype=torch.float64)
    made = zero + theta
    loss = relativistic_loss(critic(zero), critic(made))
    for x in (zero, made)[:penalties]:
        loss = loss + gamma * zero_norm_penalty(critic, x)
    (up,) = torch.autograd.grad(loss, phi, create_graph=True)
    (side,) = torch.autograd.grad(relativistic_loss(critic(made), critic(zero)), theta, create_graph=True)
    return -side, -up


@pytest.mark.equation("eq-relativistic-dirac")
@pytest.mark.parametrize("penalties", [0, 1, 2])
@pytest.mark.parametrize("gamma", [0.1, 0.5, 2.0])
def test_penalties_damp_the_game_of_pairs(gamma, penalties):
    """The Jacobian of the flow by finite differences, and its eigenvalues against the formula."""
    h = 1e-5
    columns = []
    for direction in ((h, 0.0), (0.0, h)):
        ends = []
        for sign in (1, -1):
            at = [torch.tensor(sign * d, dtype=torch.float64) for d in direction]
            ends.append([v.item() for v in flow(*at, gamma, penalties)])
        columns.append([(a - b) / (2 * h) for a, b in zip(*ends, strict=True)])
    found = torch.linalg.eigvals(torch.tensor(columns, dtype=torch.float64).T)
    strength = penalties * gamma
    root = torch.sqrt(torch.tensor(strength**2 - 1, dtype=torch.complex128))
    claimed = torch.stack([(-strength + root) / 2, (-strength - root) / 2])
    order = lambda values: sorted(values.tolist(), key=lambda v: (round(v.real, 6), v.imag))  # noqa: E731
    close(torch.tensor(order(found)), torch.tensor(order(claimed)), atol=2e-4, rtol=1e-4)
    assert (found.real < -1e-3).all() == (penalties > 0)


@pytest.mark.equation("eq-relativistic-dirac")
@pytest.mark.parametrize(("strength", "shrinks"), [(0.0, False), (0.4, True), (4.0, True)])
def test_the_flow_itself_comes_home_only_with_a_penalty(strength, shrinks):
    theta, phi = 0.3, 0.0
    for _ in range(20_000):
        chance = 1 / (1 + math.exp(-phi * theta))
        theta, phi = (
            theta + 1e-3 * phi * (1 - chance),
            phi - 1e-3 * (theta * chance + strength * phi),
        )
    rate = -math.log(math.hypot(theta, phi) / 0.3) / 20
    slow = strength / 2 - math.sqrt(max(0.0, strength**2 - 1)) / 2
    assert rate == pytest.approx(slow, abs=0.03)
    assert (rate > 0.03) == shrinks
    if not shrinks:  # only a pull of third order: ρ = ρ₀ / √(1 + ρ₀² t / 8)
        assert math.hypot(theta, phi) == pytest.approx(0.3 / math.sqrt(1 + 0.09 * 20 / 8), rel=0.02)
