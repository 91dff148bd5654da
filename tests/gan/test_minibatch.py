"""Minibatch discrimination: against a double loop, and what its statistic says of repeated examples."""

import math

import pytest
import torch

from gdmcourse.gan import MinibatchDiscrimination
from gdmcourse.training import seeded

close = torch.testing.assert_close


def layer(features=3, kernels=2, dim=4):
    with seeded(0):
        return MinibatchDiscrimination(features, kernels, dim).double().requires_grad_(False)


def normal(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_it_is_a_sum_over_the_others_of_each_example():
    told, x = layer(), normal(5, 3)
    rows = (x @ told.map.weight.T).view(5, 2, 4)
    expected = torch.zeros(5, 2, dtype=torch.float64)
    for i in range(5):
        for b in range(2):
            for j in range(5):
                if j != i:
                    distance = sum(abs(float(rows[i, b, c] - rows[j, b, c])) for c in range(4))
                    expected[i, b] += math.exp(-distance)
    found = told(x)
    close(found[:, 3:], expected)
    assert torch.equal(found[:, :3], x)


def test_it_moves_with_the_examples():
    told, x = layer(), normal(6, 3)
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    close(told(x[order]), told(x)[order])


def test_each_example_is_told_of_its_own_neighbours():
    """Two that are close to each other and far from the third."""
    told, x = layer(), torch.tensor([[0.0, 0, 0], [0.01, 0, 0], [100, 100, -100]], dtype=torch.float64)
    closeness = told(x)[:, 3:]
    assert (closeness[:2] > 0.9).all()
    assert (closeness[2] < 1e-6).all()


def test_one_alone_is_refused():
    with pytest.raises(ValueError, match="give the critic at least two"):
        layer()(normal(1, 3))


@pytest.mark.equation("eq-minibatch-copies")
def test_copies_are_counted_from_below_and_equal_rows_are_the_top():
    told, x = layer(), normal(7, 3)
    repeated = x[torch.tensor([0, 0, 0, 1, 1, 2, 3])]
    closeness = told(repeated)[:, 3:]
    copies = torch.tensor([2, 2, 2, 1, 1, 0, 0])
    assert (closeness >= copies[:, None] - 1e-12).all()
    assert (closeness > 0).all()
    assert (closeness < 6).all()
    close(told(x[:1].expand(7, 3))[:, 3:], torch.full((7, 2), 6.0, dtype=torch.float64))
    # Far apart, nothing but copies is left.
    close(told(1e6 * repeated)[:, 3:], copies[:, None].expand(7, 2).double())


@pytest.mark.equation("eq-minibatch-copies")
def test_the_mean_of_draws_with_repetitions_is_at_least_that_of_the_copies():
    """Over all 3⁴ batches of four draws, with their probabilities; nothing is sampled."""
    told, share = layer(), torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    for spread, nearly in ((1.0, False), (1e6, True)):
        values, mean = spread * normal(3, 3), torch.zeros(2, dtype=torch.float64)
        for batch in torch.cartesian_prod(*[torch.arange(3)] * 4):
            mean += share[batch].prod() * told(values[batch])[0, 3:]
        least = 3 * float((share**2).sum())
        assert (mean >= least - 1e-12).all()
        assert torch.allclose(mean, torch.tensor(least).double(), atol=1e-9) == nearly
