"""Penalties on a critic's gradient, against critics whose gradient is known; and clipped weights."""

import math

import pytest
import torch
from torch import nn

from gdmcourse.gan import MinibatchDiscrimination, find_penalty, unit_norm_penalty, zero_norm_penalty
from gdmcourse.gan.clipping import clip_weights
from gdmcourse.gan.penalties import input_gradients

SHAPE = (2, 3, 4)


@pytest.fixture
def rng():
    return torch.Generator().manual_seed(0)


def images(n, rng, shape=SHAPE):
    return torch.randn(n, *shape, generator=rng, dtype=torch.float64)


def linear(slope, shape=SHAPE):
    """f(x) = slope · ⟨a, x⟩ with a unit vector a."""
    size = math.prod(shape)
    a = torch.arange(1.0, size + 1, dtype=torch.float64)
    a = slope * a / a.norm()
    return lambda x: x.flatten(1) @ a


@pytest.mark.parametrize("n", [1, 7])
@pytest.mark.parametrize("shape", [(2,), SHAPE])
def test_a_linear_critic_pays_for_the_distance_of_its_slope_from_one(n, shape, rng):
    """Nothing at slope 1, whatever the number of examples and of channels."""
    real, fake = images(n, rng, shape), images(n, rng, shape)
    for slope, price in ((1.0, 0.0), (3.0, 4.0), (0.25, 0.5625)):
        paid = unit_norm_penalty(linear(slope, shape), real, fake, rng)
        torch.testing.assert_close(paid.item(), price, atol=1e-12, rtol=1e-12)
        paid = zero_norm_penalty(linear(slope, shape), real)
        torch.testing.assert_close(paid.item(), slope**2 / 2, atol=1e-12, rtol=1e-12)


def test_each_example_has_a_norm_of_its_own(rng):
    """f = ½‖x‖² has the gradient x: between equal pairs of norms 1 and 3 it pays the mean of 0 and 4."""
    x = images(2, rng)
    x = x / x.flatten(1).norm(dim=1)[:, None, None, None] * torch.tensor([1.0, 3.0]).view(2, 1, 1, 1)

    def critic(x):
        return x.square().flatten(1).sum(1) / 2

    torch.testing.assert_close(unit_norm_penalty(critic, x, x, rng).item(), 2.0)
    torch.testing.assert_close(zero_norm_penalty(critic, x).item(), (1 + 9) / 4)


def test_each_pair_has_one_share_of_its_own(rng):
    """The points that the critic is asked at lie on the pairs' lines, each at a place of its own."""
    asked = []

    def critic(x):
        asked.append(x.detach())
        return x.flatten(1).sum(1)

    real, fake = images(500, rng), images(500, rng)
    unit_norm_penalty(critic, real, fake, rng)
    shares = ((asked[0] - fake) / (real - fake)).flatten(1)
    torch.testing.assert_close(shares, shares[:, :1].expand_as(shares), atol=1e-8, rtol=1e-8)
    share = shares[:, 0].sort().values
    assert 0 <= share[0] <= share[-1] <= 1
    uniform = (torch.arange(500, dtype=torch.float64) + 0.5) / 500
    assert (share - uniform).abs().max() < 0.08  # Kolmogorov's bound for 500 uniform draws, p ≈ 0.003


@pytest.mark.parametrize("name", ["unit-norm", "r1", "r1+r2"])
def test_the_gradient_is_finite_where_the_critic_is_flat(name, rng):
    critic = nn.Sequential(nn.Flatten(), nn.Linear(24, 5), nn.ReLU(), nn.Linear(5, 1), nn.Flatten(0)).double()
    for parameter in critic.parameters():
        nn.init.zeros_(parameter)
    penalty = find_penalty(name)(critic, images(3, rng), images(3, rng), rng)
    assert penalty.item() == (1.0 if name == "unit-norm" else 0.0)
    penalty.backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in critic.parameters())


@pytest.mark.parametrize("name", ["unit-norm", "r1", "r1+r2"])
def test_the_weights_feel_the_penalty(name):
    """For f = φ x the penalties are (|φ| − 1)² and φ²/2, once or twice; their slopes in φ are known."""
    phi = torch.tensor(1.7, dtype=torch.float64, requires_grad=True)
    x = torch.ones(4, 1, dtype=torch.float64)
    penalty = find_penalty(name)(lambda x: phi * x[:, 0], x, -x, torch.Generator().manual_seed(0))
    (slope,) = torch.autograd.grad(penalty, phi)
    assert slope.item() == pytest.approx({"unit-norm": 1.4, "r1": 1.7, "r1+r2": 3.4}[name])


def test_r1_is_taken_at_real_and_r2_at_generated_examples():
    """f = x²/2 has the gradient x."""
    real, fake = torch.full((3, 1), 2.0), torch.full((3, 1), 5.0)

    def critic(x):
        return x[:, 0].square() / 2

    rng = torch.Generator().manual_seed(0)
    assert find_penalty("r1")(critic, real, fake, rng).item() == pytest.approx(2.0)
    assert find_penalty("r1+r2")(critic, real, fake, rng).item() == pytest.approx(2.0 + 12.5)


def test_batch_norm_is_refused_while_it_trains(rng):
    critic = nn.Sequential(nn.Flatten(), nn.Linear(24, 4), nn.BatchNorm1d(4), nn.Linear(4, 1), nn.Flatten(0))
    critic.double()
    with pytest.raises(ValueError, match=r"layer 2 is a batch norm.*build the critic without batch norm"):
        unit_norm_penalty(critic, images(3, rng), images(3, rng), rng)
    assert unit_norm_penalty(critic.eval(), images(3, rng), images(3, rng), rng).isfinite()


def test_a_critic_that_compares_its_examples_is_refused_even_in_evaluation():
    critic = nn.Sequential(MinibatchDiscrimination(3), nn.Linear(19, 1), nn.Flatten(0)).eval()
    with pytest.raises(ValueError, match="layer 0 compares the examples of a batch"):
        zero_norm_penalty(critic, torch.randn(4, 3))


@pytest.mark.parametrize("shape", [(1, 2), (3, 1)])
def test_a_real_example_without_a_generated_one_of_its_shape_is_refused(shape, rng, unchecked):
    """Either would broadcast, and the point lie on no line between two examples."""
    critic = nn.Sequential(nn.Linear(2, 1), nn.Flatten(0))
    with pytest.raises(ValueError, match=r"one generated example for each real one .* for \(3, 2\)"):
        unit_norm_penalty(critic, torch.ones(3, 2), torch.ones(shape), rng)


def test_what_batch_norm_does_to_a_gradient(rng):
    """The reason: an example's row is no longer the gradient of its own logit alone."""
    critic = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 1), nn.Flatten(0))
    critic.double()
    x = images(5, rng, (3,))
    jacobian = torch.autograd.functional.jacobian(critic, x)  # (5, 5, 3): of each logit by each example
    own = jacobian.diagonal(dim1=0, dim2=1).T
    assert (jacobian.sum(0) - own).abs().max() > 0.01
    plain = nn.Sequential(*[layer for layer in critic if not isinstance(layer, nn.BatchNorm1d)])
    jacobian = torch.autograd.functional.jacobian(plain, x)
    torch.testing.assert_close(jacobian.diagonal(dim1=0, dim2=1).T, input_gradients(plain, x).detach())


def test_clipping_brings_every_weight_within_the_bound_and_moves_no_other():
    network = nn.Sequential(nn.Linear(30, 20), nn.ReLU(), nn.Linear(20, 1))
    before = [parameter.clone() for parameter in network.parameters()]
    clip_weights(network, 0.1)
    for old, new in zip(before, network.parameters(), strict=True):
        assert new.abs().max() <= 0.1
        inside = old.abs() <= 0.1
        assert torch.equal(old[inside], new[inside])
        assert torch.equal(new[~inside], 0.1 * old[~inside].sign())
        assert new.requires_grad


@pytest.mark.parametrize("bound", [0.0, -1.0, math.nan])
def test_a_bound_that_leaves_nothing_is_refused(bound):
    with pytest.raises(ValueError, match="a bound above 0"):
        clip_weights(nn.Linear(2, 1), bound)
