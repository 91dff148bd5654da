"""Networks and losses of translation: what a patch is, what a cycle asks for, and what it can't see."""

import math
from itertools import product

import pytest
import torch
from torch import nn

from gdmcourse.gan.translation import (
    PatchCritic,
    Translator,
    cycle_loss,
    identity_loss,
    receptive_field,
)

close = torch.testing.assert_close


def seen_by_one_output(layers):
    """The side of the square of inputs that a gradient of the middle output reaches, of real convolutions."""
    rng = torch.Generator().manual_seed(0)
    x = torch.ones(1, 1, 200, dtype=torch.float64, requires_grad=True)
    h = x
    for kernel, stride in layers:
        weight = torch.rand(1, 1, kernel, generator=rng, dtype=torch.float64) + 0.5
        h = nn.functional.conv1d(h, weight, stride=stride)
    h[0, 0, h.shape[2] // 2].backward()
    reached = x.grad[0, 0].nonzero()[:, 0]
    return int(reached[-1] - reached[0]) + 1


@pytest.mark.equation("eq-tr-field")
@pytest.mark.parametrize(
    "layers",
    [
        [(4, 2), (4, 2), (4, 2), (4, 1), (4, 1)],
        [(3, 1), (4, 2), (1, 1)],
        [(5, 3), (3, 1), (2, 2), (3, 1)],
        [(1, 2), (3, 1)],  # with gaps
        [(1, 1)],
        [],
    ],
)
def test_the_receptive_field_is_what_gradients_reach(layers):
    assert receptive_field(layers) == (seen_by_one_output(layers) if layers else 1)


def test_the_critic_of_pix2pix_sees_seventy_pixels():
    assert receptive_field([(4, 2), (4, 2), (4, 2), (4, 1), (4, 1)]) == 70


@pytest.mark.parametrize("layer", [(0, 1), (3, 0), (3, -2)])
def test_a_layer_that_sees_nothing_or_does_not_move_on_is_refused(layer):
    with pytest.raises(ValueError, match=f"1 or more, not {layer[0]} and {layer[1]}"):
        receptive_field([(3, 1), layer])


@pytest.mark.equation("eq-tr-field")
@pytest.mark.parametrize("halvings", [0, 1, 2])
def test_a_logit_of_the_critic_sees_its_field_and_no_more(halvings):
    torch.manual_seed(0)
    critic = PatchCritic(2, 4, halvings).double()
    x = torch.randn(1, 2, 48, 48, dtype=torch.float64, requires_grad=True)
    logits = critic(x)
    logits[0, logits.shape[1] // 2, logits.shape[2] // 2].backward()
    reached = x.grad.abs().sum((0, 1)).nonzero()
    spans = reached.max(0).values - reached.min(0).values + 1
    assert spans.tolist() == [critic.field, critic.field]


def test_the_translator_gives_an_image_of_the_same_size_that_depends_on_all_that_it_is_given():
    torch.manual_seed(0)
    model = Translator(1, 3, width=4, halvings=2, noise_dim=2)
    x, z = torch.randn(2, 1, 12, 8, requires_grad=True), torch.randn(2, 2, requires_grad=True)
    out = model(x, z)
    assert out.shape == (2, 3, 12, 8)
    assert out.abs().max() <= 1
    out[0].sum().backward()
    assert x.grad[0].abs().min() > 0
    assert z.grad[0].abs().min() > 0
    assert x.grad[1].abs().max() == 0  # no image sees another
    assert z.grad[1].abs().max() == 0


def test_noise_that_is_missing_or_too_much_and_odd_sides_are_refused():
    with pytest.raises(ValueError, match="pass noise exactly if"):
        Translator(1, 1, 4, noise_dim=2)(torch.zeros(1, 1, 8, 8))
    with pytest.raises(ValueError, match="pass noise exactly if"):
        Translator(1, 1, 4)(torch.zeros(1, 1, 8, 8), torch.zeros(1, 2))
    with pytest.raises(ValueError, match="multiples of 4, not 6×8"):
        Translator(1, 1, 4, halvings=2)(torch.zeros(1, 1, 6, 8))


def as_map(table):
    """A map of images, one of three each, that are told apart by the value of their only pixel."""
    return lambda x: torch.tensor(table, dtype=torch.float64)[x.long()]


@pytest.mark.equation("eq-tr-cycle")
def test_of_all_pairs_of_maps_of_three_images_the_perfect_ones_are_the_shuffles():
    """Cycle losses of the library and the laws of what comes out, over all 27 × 27 pairs of maps."""
    images = torch.arange(3, dtype=torch.float64)
    perfect = []
    for there, back in product(product(range(3), repeat=3), repeat=2):
        forth, home = as_map(there), as_map(back)
        loss = cycle_loss(forth, home, images) + cycle_loss(home, forth, images)
        same_law = sorted(forth(images).tolist()) == sorted(home(images).tolist()) == [0.0, 1.0, 2.0]
        if loss == 0 and same_law:
            perfect.append((there, back))
    assert len(perfect) == math.factorial(3)
    first, first_back = perfect[1]
    shuffles = set()
    for there, back in perfect:  # each is T∘G and F∘T⁻¹ of one of them, for a T of its own
        shuffle = tuple(there[first_back[i]] for i in range(3))
        assert tuple(shuffle[first[i]] for i in range(3)) == there
        assert tuple(first_back[shuffle.index(i)] for i in range(3)) == back
        shuffles.add(shuffle)
    assert len(shuffles) == 6


@pytest.mark.equation("eq-tr-cycle")
def test_a_turn_of_a_gaussian_leaves_both_cycles_and_the_law():
    rng = torch.Generator().manual_seed(1)
    turn = torch.linalg.qr(torch.randn(4, 4, generator=rng, dtype=torch.float64)).Q
    root = torch.randn(4, 4, generator=rng, dtype=torch.float64) + 2 * torch.eye(4, dtype=torch.float64)
    mean = torch.randn(4, generator=rng, dtype=torch.float64)
    auto = root @ turn @ torch.linalg.inv(root)  # keeps the covariance of b, root·rootᵀ

    def forth(a):
        return a @ root.T + mean

    def home(b):
        return (b - mean) @ torch.linalg.inv(root).T

    def other(a):
        return (forth(a) - mean) @ auto.T + mean

    def other_home(b):
        return home((b - mean) @ torch.linalg.inv(auto).T + mean)

    a = torch.randn(50, 4, generator=rng, dtype=torch.float64)
    b = torch.randn(50, 4, generator=rng, dtype=torch.float64)
    assert cycle_loss(other, other_home, a) < 1e-12
    assert cycle_loss(other_home, other, b) < 1e-12
    matrix = auto @ root  # of the other map: the law of a is N(0, I)
    close(matrix @ matrix.T, root @ root.T)
    assert (other(a) - forth(a)).abs().mean() > 0.1


@pytest.mark.equation("eq-tr-identity")
@pytest.mark.parametrize("mirror", [False, True])
def test_the_identity_loss_of_a_turn_by_points_with_the_exact_moments(mirror):
    """2M points at ±√M on the axes have the moments of N(0, I) up to the third: a square's mean is exact."""
    rng = torch.Generator().manual_seed(2)
    size, scale = 3, 1.7
    turn = torch.linalg.qr(torch.randn(size, size, generator=rng, dtype=torch.float64)).Q
    if bool(torch.linalg.det(turn) < 0) != mirror:
        turn = -turn
    mean = torch.randn(size, generator=rng, dtype=torch.float64)
    axes = math.sqrt(size) * torch.eye(size, dtype=torch.float64)
    b = mean + scale * torch.cat([axes, -axes])

    def cost(matrix):
        return (mean + scale * b @ matrix.T - b).square().sum(1).mean().item()

    claimed = scale**2 * (mean.square().sum() + (1 + scale**2) * size - 2 * scale * turn.trace()).item()
    assert cost(turn) == pytest.approx(claimed)
    assert cost(torch.eye(size, dtype=torch.float64)) < cost(turn) - 0.1


def test_the_losses_of_two_maps_that_invert_an_image_tell_the_weights_apart():
    images = torch.rand(4, 1, 3, 3, generator=torch.Generator().manual_seed(0))
    assert cycle_loss(torch.neg, torch.neg, images) == 0
    close(identity_loss(torch.neg, images), 2 * images.mean())
    close(cycle_loss(lambda x: x + 1, lambda x: x / 2, images), ((images + 1) / 2 - images).abs().mean())


def test_images_that_come_back_in_another_shape_are_not_compared(unchecked):
    """Grey images would broadcast over the channels of colour."""
    images = torch.rand(2, 3, 4, 4)
    grey = lambda x: x.mean(1, keepdim=True)  # noqa: E731
    for loss in (lambda: cycle_loss(torch.neg, grey, images), lambda: identity_loss(grey, images)):
        with pytest.raises(ValueError, match=r"shape \(2, 3, 4, 4\) came back as \(2, 1, 4, 4\)"):
            loss()
