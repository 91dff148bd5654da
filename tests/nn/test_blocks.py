"""The blocks of the U-Net against what they are said to compute."""

import math

import pytest
import torch
from torch import nn

from gdmcourse.nn import Attention, ResidualBlock, TimeEmbedding, attend, causal_mask, sinusoidal


def test_the_sinusoidal_embedding_is_the_sources_formula():
    """emb_i(t) = sin(t exp(−ln(10000) i/63)) for i < 64, then the cosines: one number at a time."""
    times = [0, 1, 7, 999, 1000]
    embedding = sinusoidal(torch.tensor(times), 128)
    for row, t in zip(embedding.tolist(), times, strict=True):
        for i, value in enumerate(row):
            angle = t * math.exp(-math.log(10_000) * (i % 64) / 63)
            wanted = math.sin(angle) if i < 64 else math.cos(angle)
            assert value == pytest.approx(wanted, abs=2e-4)  # float32 angles up to 1000


def test_neighbouring_and_real_times_are_told_apart():
    embedding = sinusoidal(torch.tensor([499.0, 499.5, 500.0]), 32)
    assert (embedding[0] - embedding[1]).norm() > 0.3
    assert (embedding[0] - embedding[2]).norm() > (embedding[0] - embedding[1]).norm()


@pytest.mark.parametrize("dim", [2, 7])
def test_an_embedding_of_impossible_size_is_refused(dim):
    with pytest.raises(ValueError, match="even dimension of at least 4"):
        sinusoidal(torch.arange(3), dim)


def test_the_time_embedding_takes_steps_and_real_times_alike():
    embed = TimeEmbedding(16, 24)
    assert embed(torch.tensor([3, 4])).shape == (2, 24)
    torch.testing.assert_close(embed(torch.tensor([3, 4])), embed(torch.tensor([3.0, 4.0])))


def test_a_residual_block_starts_as_its_skip_and_hears_the_embedding_afterwards():
    block, x, embedding = ResidualBlock(8, 8, 5), torch.randn(2, 8, 6, 6), torch.randn(2, 5)
    torch.testing.assert_close(block(x, embedding), x)
    nn.init.normal_(block.after[-1].weight)
    assert not torch.allclose(block(x, embedding), block(x, embedding + 1))


def test_a_residual_block_and_its_embedding_come_together():
    x = torch.randn(1, 8, 4, 4)
    with pytest.raises(ValueError, match="exactly if"):
        ResidualBlock(8, 8, 5)(x)
    with pytest.raises(ValueError, match="exactly if"):
        ResidualBlock(8, 8)(x, torch.randn(1, 5))


# equation: eq-cross-attention
@pytest.mark.parametrize("context_dim", [None, 6])
def test_attention_is_the_softmax_average_of_values(context_dim):
    """Against the definition written out head by head and pixel by pixel."""
    torch.manual_seed(0)
    block = Attention(8, head_dim=4, context_dim=context_dim).double()
    nn.init.normal_(block.out.weight)
    x = torch.randn(2, 8, 3, 2, dtype=torch.float64)
    context = None if context_dim is None else torch.randn(2, 5, context_dim, dtype=torch.float64)
    normed = block.norm(x)
    query = block.query(normed).flatten(2).transpose(1, 2)
    source = normed.flatten(2).transpose(1, 2) if context is None else context
    key, value = block.key_value(source).split(8, dim=2)
    mixed = torch.zeros(2, 6, 8, dtype=torch.float64)
    for n in range(2):
        for head in (slice(0, 4), slice(4, 8)):
            for pixel in range(6):
                scores = torch.stack([query[n, pixel, head] @ k for k in key[n, :, head]]) / 2
                weights = scores.exp() / scores.exp().sum()
                mixed[n, pixel, head] = (weights[:, None] * value[n, :, head]).sum(0)
    wanted = x + block.out(mixed.transpose(1, 2).reshape(2, 8, 3, 2))
    torch.testing.assert_close(block(x, context), wanted)


def test_attention_takes_a_context_exactly_if_it_is_cross_attention():
    x = torch.randn(1, 8, 2, 2)
    with pytest.raises(ValueError, match="context"):
        Attention(8)(x, torch.randn(1, 3, 4))
    with pytest.raises(ValueError, match="context"):
        Attention(8, context_dim=4)(x)


@pytest.mark.parametrize("training", [True, False])
def test_behind_a_causal_mask_nothing_depends_on_what_comes_after(training):
    """The Jacobian of every output place by every input place is lower triangular, on and below full."""
    torch.manual_seed(0)
    projection = nn.Linear(6, 18).double().train(training)

    def blind(x: torch.Tensor) -> torch.Tensor:
        query, key, value = projection(x[None]).chunk(3, dim=2)
        return attend(query, key, value, heads=2, mask=causal_mask(5))[0]

    jacobian = torch.autograd.functional.jacobian(blind, torch.randn(5, 6, dtype=torch.float64))
    reach = jacobian.abs().amax(dim=(1, 3))
    assert (reach.triu(1) == 0).all()
    assert (reach[causal_mask(5)] > 1e-6).all()


def test_a_mask_leaves_the_average_over_what_it_shows():
    q, k, v = torch.randn(3, 2, 4, 6, dtype=torch.float64).unbind()
    mask = torch.tensor([[True, False, True, False]] * 4)
    torch.testing.assert_close(attend(q, k, v, 3, mask), attend(q, k[:, ::2], v[:, ::2], 3))
