"""Networks and losses of games with labels: shapes, what they may not depend on, and refusals."""

import math

import pytest
import torch
from torch.nn.functional import log_softmax

from gdmcourse.gan import ConditionalGenerator, PlaneCritic, ProjectionCritic, TwoHeadedCritic, label_loss

SHAPE = (1, 8, 8)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def images(n=6):
    return torch.rand(n, *SHAPE, generator=seeded(1)) * 2 - 1


@pytest.mark.parametrize("join", ["concat", "product"])
def test_the_label_changes_the_image_and_nothing_but_label_and_noise_does(join):
    generator = ConditionalGenerator(SHAPE, 10, noise_dim=8, width=4, join=join).eval()
    z = torch.randn(2, 8, generator=seeded()).repeat(3, 1)
    y = torch.tensor([0, 1, 0, 1, 5, 5])
    drawn = generator(z, y)
    assert drawn.shape == (6, *SHAPE)
    assert drawn.abs().max() <= 1
    torch.testing.assert_close(drawn[:2], drawn[2:4])
    assert (drawn[4] - drawn[0]).abs().max() > 1e-4


@pytest.mark.equation("eq-cgan-product")
def test_a_product_has_independent_numbers_whose_variances_are_the_squares_of_the_embedding():
    generator = ConditionalGenerator(SHAPE, 3, noise_dim=5, width=4, join="product")
    row = torch.tensor([2.0, -0.5, 0.0, 1.0, -3.0])
    with torch.no_grad():
        generator.embedding.weight[1] = row
        z = torch.randn(200_000, 5, generator=seeded())
        seen = generator.joined(z, torch.ones(len(z), dtype=torch.long))
        generator.embedding.weight[1] = -row
        turned = generator.joined(-z, torch.ones(len(z), dtype=torch.long))
    torch.testing.assert_close(seen, turned)  # a sign of the embedding is one of the noise
    torch.testing.assert_close(torch.cov(seen.T), row.square().diag(), atol=0.08, rtol=0.02)
    torch.testing.assert_close(seen.mean(0), torch.zeros(5), atol=0.03, rtol=0)
    scaled = seen[:, [0, 1, 3, 4]] / row[[0, 1, 3, 4]]
    torch.testing.assert_close(scaled.pow(4).mean(0), torch.full((4,), 3.0), atol=0.1, rtol=0)  # normal


def test_behind_the_noise_the_label_can_be_read_whatever_the_noise():
    generator = ConditionalGenerator(SHAPE, 10, noise_dim=4, width=4)
    y = torch.arange(10)
    joined = generator.joined(torch.randn(10, 4, generator=seeded()), y)
    distances = torch.cdist(joined[:, 4:], generator.embedding.weight)
    assert torch.equal(distances.argmin(1), y)


@pytest.mark.parametrize("critic", [PlaneCritic, ProjectionCritic])
def test_a_critic_of_pairs_gives_a_logit_that_depends_on_the_label(critic):
    network = critic(SHAPE, 10, width=4)
    logits = network(images(), torch.tensor([0, 1, 2, 3, 4, 5]))
    others = network(images(), torch.tensor([1, 1, 2, 3, 4, 9]))
    assert logits.shape == (6,)
    same = (logits - others).abs() < 1e-6
    assert same.tolist() == [False, True, True, True, True, False]


@pytest.mark.equation("eq-projection")
def test_a_projection_is_linear_in_the_label_s_row():
    """The difference of two labels' logits is an inner product with the features; a row of 0 leaves ψ."""
    network = ProjectionCritic(SHAPE, 10, width=4)
    one, two = (network(images(), torch.full((6,), y)) for y in (3, 8))
    difference = network.embedding.weight[3] - network.embedding.weight[8]
    torch.testing.assert_close(one - two, network.body.features(images()) @ difference)
    with torch.no_grad():
        network.embedding.weight[3] = 0
    torch.testing.assert_close(network(images(), torch.full((6,), 3)), network.body(images()))


@pytest.mark.parametrize("network", [PlaneCritic, ProjectionCritic])
@pytest.mark.parametrize("label", [-1, 10])
def test_labels_out_of_range_are_named(network, label):
    y = torch.full((6,), label)
    with pytest.raises(ValueError, match=r"labels must be in 0 … 9; got"):
        network(SHAPE, 10, width=4)(images(), y)
    with pytest.raises(ValueError, match=r"labels must be in 0 … 9; got"):
        ConditionalGenerator(SHAPE, 10, width=4).eval()(torch.zeros(6, 32), y)
    with pytest.raises(ValueError, match=r"labels must be in 0 … 9; got"):
        label_loss(torch.zeros(6, 10), y)


@pytest.mark.parametrize("network", [PlaneCritic, ProjectionCritic])
@pytest.mark.parametrize("shape", [(1,), (5,), (6, 1), ()])
def test_a_critic_of_pairs_wants_one_label_for_each_image(network, shape, unchecked):
    """One label would broadcast over all images, and the game would train on pairs that nobody drew."""
    with pytest.raises(ValueError, match=r"give one label for each image, not .* for 6 images"):
        network(SHAPE, 10, width=4)(images(), torch.ones(shape, dtype=torch.long))


def test_bad_input_is_named():
    generator = ConditionalGenerator(SHAPE, 10, noise_dim=8, width=4)
    with pytest.raises(ValueError, match="at least two examples"):
        generator(torch.zeros(1, 8), torch.zeros(1, dtype=torch.long))
    with pytest.raises(ValueError, match="one label for each noise, not 3 labels for 2"):
        generator(torch.zeros(2, 8), torch.zeros(3, dtype=torch.long))
    times = ConditionalGenerator(SHAPE, 10, noise_dim=8, width=4, join="product")
    with pytest.raises(ValueError, match=r"8 numbers here, not a shape of \(2, 1\)"):  # it would broadcast
        times(torch.zeros(2, 1), torch.zeros(2, dtype=torch.long))
    with pytest.raises(ValueError, match="no join 'sum'; there are: concat, product"):
        ConditionalGenerator(SHAPE, 10, join="sum")
    logits = torch.randn(5, 10, generator=seeded())
    with pytest.raises(ValueError, match="list of probabilities"):
        label_loss(logits.softmax(1), torch.arange(5))


def test_the_label_s_loss_is_a_mean_logarithm_and_log_probabilities_give_the_same():
    logits, y = 3 * torch.randn(7, 4, generator=seeded()).double(), torch.tensor([0, 1, 2, 3, 0, 1, 2])
    by_hand = -sum(math.log(row.exp()[k] / row.exp().sum()) for row, k in zip(logits, y, strict=True)) / 7
    assert label_loss(logits, y).item() == pytest.approx(by_hand, rel=1e-12)
    torch.testing.assert_close(label_loss(log_softmax(logits, 1), y), label_loss(logits, y))


def test_two_heads_share_their_features():
    network = TwoHeadedCritic(SHAPE, 7, width=4)
    logit, labels = network(images())
    assert logit.shape == (6,)
    assert labels.shape == (6, 7)
    features = network.body.features(images())
    torch.testing.assert_close(labels, network.label(features))
    torch.testing.assert_close(logit, network.body(images()))


@pytest.mark.slip(5)
def test_an_eleventh_label_that_no_example_has_is_unlearned_and_changes_nothing_else():
    """Cross-entropy over 11 labels, minimised by gradient: the eleventh's probability goes to 0."""
    shares = torch.tensor([0.1] * 10).double()
    logits = torch.zeros(11, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([logits], max_iter=200, line_search_fn="strong_wolfe")

    def loss():
        optimiser.zero_grad()
        value = -(shares * logits.log_softmax(0)[:10]).sum()
        value.backward()
        return value

    first = loss().item()
    assert first == pytest.approx(math.log(11))
    optimiser.step(loss)
    probabilities = logits.detach().softmax(0)
    assert probabilities[10] < 1e-4
    torch.testing.assert_close(probabilities[:10], shares, atol=1e-4, rtol=0)
    assert loss().item() == pytest.approx(math.log(10), abs=1e-4)
