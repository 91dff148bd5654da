"""Spectral norm: against singular value decompositions, finite differences, and torch's own."""

import copy

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from gdmcourse.gan import ImageCritic, spectral_norm
from gdmcourse.gan.spectral import convolution_bound, power_iteration
from gdmcourse.training import seeded

close = torch.testing.assert_close


def matrix(values, rows=6, columns=4, seed=0):
    """A matrix with these singular values, and its first right singular vector."""
    g = torch.Generator().manual_seed(seed)
    left = torch.linalg.qr(torch.randn(rows, rows, generator=g, dtype=torch.float64)).Q[:, : len(values)]
    right = torch.linalg.qr(torch.randn(columns, columns, generator=g, dtype=torch.float64)).Q[
        :, : len(values)
    ]
    return left @ torch.diag(torch.tensor(values, dtype=torch.float64)) @ right.T, right


def settled(layer, calls=100):
    """The layer after so many uses in training, then in evaluation."""
    for _ in range(calls):
        _ = layer.weight
    return layer.eval()


@pytest.mark.equation("eq-power-iteration")
@pytest.mark.parametrize("values", [(3.0, 2.9, 1.0), (3.0, 1.0, 0.5), (2.0, 0.0, 0.0)])
@pytest.mark.parametrize("tangent", [0.5, 10.0])
def test_the_estimate_lies_below_the_truth_and_as_near_as_the_ratio_of_singular_values_says(values, tangent):
    weight, right = matrix(values)
    start = right[:, 0] + tangent * right[:, 1]  # at an angle with this tangent to the first vector
    at_bound = []
    for k in range(1, 12):
        # ‖W v‖ after k rounds of v ← WᵀW v, from that start; u = W v starts our iteration half a round on.
        _, v = power_iteration(weight, weight @ start, k)
        lost = 1 - float((weight @ v).norm() ** 2) / values[0] ** 2
        bound = tangent**2 * (values[1] / values[0]) ** (4 * k)
        assert -1e-12 <= lost <= bound + 1e-12
        at_bound.append(lost / bound if bound > 1e-9 else None)
    ratios = [r for r in at_bound if r is not None]
    if values[1] == 1.0:  # where the bound is small it is met up to the factor 1 − (σ₂/σ₁)²
        assert ratios[-1] == pytest.approx(1 - (values[1] / values[0]) ** 2, rel=0.01)


def test_power_iteration_takes_a_step_at_least():
    with pytest.raises(ValueError, match="at least 1 step, not 0"):
        power_iteration(torch.eye(2), torch.ones(2), 0)


@pytest.mark.parametrize(
    "make", [lambda: nn.Linear(5, 7), lambda: nn.Conv2d(2, 4, 3, padding=1), lambda: nn.Linear(5, 1)]
)
def test_the_largest_singular_value_of_the_divided_weight_is_one(make):
    with seeded(0):
        layer = make()
    before = layer.weight.detach().clone()
    settled(spectral_norm(layer))
    singular = torch.linalg.svdvals(layer.weight.flatten(1))
    assert singular[0].item() == pytest.approx(1, abs=1e-5)
    close(layer.weight * torch.linalg.matrix_norm(before.flatten(1), 2), before, atol=1e-5, rtol=1e-5)


def test_nothing_iterates_in_evaluation_and_every_use_in_training_does():
    with seeded(1):
        layer, x = spectral_norm(nn.Linear(5, 7)), torch.randn(3, 5)
    layer.parametrizations.weight[0].u.copy_(torch.eye(7)[0])
    assert not torch.equal(layer(x), layer(x))
    layer.eval()
    state = copy.deepcopy(layer.state_dict())
    assert torch.equal(layer(x), layer(x))
    assert all(torch.equal(state[name], value) for name, value in layer.state_dict().items())


@pytest.mark.equation("eq-spectral-gradient")
def test_the_gradient_is_that_through_the_largest_singular_value():
    """Against finite differences of W / σ₁(W) by svd, against svd's own gradient, and against the formula."""
    with seeded(2):
        layer = settled(spectral_norm(nn.Linear(5, 7, bias=False).double()))
    weight = layer.parametrizations.weight.original
    target = torch.randn(7, 5, generator=torch.Generator().manual_seed(3), dtype=torch.float64)

    def loss(w):
        return ((w / torch.linalg.svdvals(w)[0] - target) ** 3).sum()

    ((layer.weight - target) ** 3).sum().backward()
    ours, h = weight.grad, 1e-6
    for i, j in ((0, 0), (3, 2), (6, 4)):
        step = torch.zeros(7, 5, dtype=torch.float64)
        step[i, j] = h
        with torch.no_grad():
            numerical = (loss(weight + step) - loss(weight - step)) / (2 * h)
        assert ours[i, j].item() == pytest.approx(numerical.item(), rel=1e-5, abs=1e-7)
    by_svd = weight.detach().clone().requires_grad_()
    close(torch.autograd.grad(loss(by_svd), by_svd)[0], ours, atol=1e-7, rtol=1e-5)
    u, s, vh = torch.linalg.svd(weight.detach())
    gamma = 3 * (weight.detach() / s[0] - target) ** 2
    inner = (gamma * weight.detach() / s[0]).sum()
    close((gamma - inner * torch.outer(u[:, 0], vh[0])) / s[0], ours, atol=1e-7, rtol=1e-5)
    assert (ours * weight).sum().abs() < 1e-6 * ours.norm() * weight.norm()


def test_two_uses_before_one_backward_pass_are_allowed():
    """As a critic's are, that sees a real batch and then a generated one."""
    with seeded(0):
        layer = spectral_norm(nn.Linear(5, 1))
    (layer(torch.ones(2, 5)).sum() - layer(torch.zeros(2, 5)).sum()).backward()
    assert layer.parametrizations.weight.original.grad.isfinite().all()


@pytest.mark.parametrize("make", [lambda: nn.Linear(5, 7), lambda: nn.Conv2d(2, 4, 3, padding=1)])
def test_torch_s_own_gives_the_same_weight_and_gradient(make):
    with seeded(4):
        ours, theirs = spectral_norm(make()), parametrizations.spectral_norm(make())
    kept = {key: value for key, value in ours.state_dict().items() if "0." not in key}
    assert set(theirs.load_state_dict(kept, strict=False).unexpected_keys) == set()
    for layer in (settled(ours), settled(theirs)):
        (layer.weight**3).sum().backward()
    close(ours.weight, theirs.weight, atol=1e-5, rtol=1e-4)
    close(
        ours.parametrizations.weight.original.grad,
        theirs.parametrizations.weight.original.grad,
        atol=1e-5,
        rtol=1e-4,
    )


@pytest.mark.equation("eq-lipschitz-product")
@pytest.mark.parametrize("leak", [0.0, 0.2, 1.0])
def test_a_network_stretches_no_more_than_its_layers_do_together(leak):
    with seeded(5):
        layers = [nn.Linear(4, 8), nn.LeakyReLU(leak), nn.Linear(8, 8), nn.LeakyReLU(leak), nn.Linear(8, 1)]
    network = nn.Sequential(*layers).double()
    product = 1.0
    for layer in layers[::2]:
        product *= torch.linalg.svdvals(layer.weight)[0].item()
    x, y = torch.randn(2, 5000, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    stretched = ((network(x) - network(y)).abs()[:, 0] / (x - y).norm(dim=1)).max().item()
    assert stretched <= product


@pytest.mark.equation("eq-lipschitz-product")
def test_the_product_is_reached_by_layers_that_fit_together():
    """One direction through all layers, on the side where the leaky ReLUs have slope 1."""
    u = torch.nn.functional.normalize(torch.rand(6, dtype=torch.float64), dim=0)
    weights = [3.0 * torch.outer(u, u), 0.5 * torch.outer(u, u), 2.0 * u[None]]

    def network(x):
        for weight in weights[:-1]:
            x = nn.functional.leaky_relu(x @ weight.T, 0.2)
        return x @ weights[-1].T

    assert (network(2 * u) - network(u)).item() == pytest.approx(3 * 0.5 * 2, rel=1e-12)


@pytest.mark.equation("eq-conv-norm")
@pytest.mark.parametrize(
    ("kernel", "stride", "padding"), [(3, 1, 1), (4, 2, 1), (3, 2, 1), (5, 2, 0), (2, 3, 1)]
)
def test_a_convolution_stretches_at_most_by_the_windows_that_see_a_pixel(kernel, stride, padding):
    """The convolution's own norm by its matrix, written out column by column."""
    factor = -(-kernel // stride)
    reached = 0.0
    for seed in range(3):
        with seeded(seed):
            layer = nn.Conv2d(2, 3, kernel, stride, padding, bias=False).double()
            if seed == 2:  # all weights one: every window agrees, and the bound is nearly met
                layer.weight.data.fill_(1.0)
        basis = torch.eye(2 * 64, dtype=torch.float64).view(-1, 2, 8, 8)
        whole = torch.linalg.svdvals(layer(basis).flatten(1))[0].item()
        small = torch.linalg.svdvals(layer.weight.flatten(1))[0].item()
        assert whole <= factor * small + 1e-9
        assert convolution_bound(layer) == pytest.approx(factor * small)
        reached = max(reached, whole / (factor * small))
    assert reached > 0.7 or kernel % stride  # not to be had much smaller


def test_a_critic_with_spectral_norm_keeps_the_bound_of_its_layers():
    with seeded(0):
        critic = ImageCritic((1, 8, 8), width=4, norm="spectral")
    x = torch.randn(16, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    for _ in range(80):
        critic(x)
    critic.eval()
    bounds = [convolution_bound(layer) for layer in critic.convolutions if isinstance(layer, nn.Conv2d)]
    assert bounds == pytest.approx([3, 2, 2], abs=1e-3)
    x = (3 * x).requires_grad_()
    steepest = torch.autograd.grad(critic(x).sum(), x)[0].flatten(1).norm(dim=1).max().item()
    assert 0 < steepest <= 12.01


def test_other_layers_are_refused():
    with pytest.raises(ValueError, match="not for ConvTranspose2d"):
        spectral_norm(nn.ConvTranspose2d(2, 3, 4))


def test_a_weight_of_zeros_is_refused():
    layer = nn.Linear(3, 2)
    nn.init.zeros_(layer.weight)
    with pytest.raises(ValueError, match="a weight of zeros"):
        spectral_norm(layer)


@pytest.mark.parametrize("how", [{"dilation": 2}, {"padding": 1, "padding_mode": "circular"}])
def test_no_bound_is_said_where_a_pixel_may_be_seen_more_often(how):
    with pytest.raises(ValueError, match="without dilation, padded by zeros"):
        convolution_bound(nn.Conv2d(1, 1, 4, 2, **how))
