"""The benchmark of GANs compares what it says it does."""

import pytest
import torch

from benchmarks import gan


def test_every_row_is_there_and_both_sides_are_of_one_kind(monkeypatch):
    """`rows` itself refuses networks of different sizes."""
    for name, value in {"STEPS": 2, "BATCH": 8, "IMAGES": 10, "REPEATS": 1, "LAZY": 2}.items():
        monkeypatch.setattr(gan, name, value)
    monkeypatch.setattr(gan.torch, "set_num_threads", lambda threads: None)
    rows = gan.rows()
    assert [row["unit"] for row in rows] == ["ms"] * 3
    assert [row["target"] for row in rows] == [1.05, 1.05, 1.0]
    assert all(row["ours"] > 0 and row["peer"] > 0 for row in rows)


def test_the_plain_loop_plays_the_same_game(monkeypatch):
    """From the same weights, one step with no noise in it moves both sides' networks alike."""
    monkeypatch.setattr(gan, "STEPS", 1)
    recipe = gan.game(batch_size=1442, width=4)
    monkeypatch.setattr(gan, "BATCH", 1442)
    zeros = lambda *shape, generator: torch.zeros(shape)  # noqa: E731
    every = lambda high, shape, generator: torch.arange(high)  # noqa: E731
    monkeypatch.setattr(gan.torch, "randn", zeros)
    monkeypatch.setattr(gan.torch, "randint", every)
    plain = gan.train_plainly(recipe)
    monkeypatch.setattr(type(recipe), "noise", lambda self, n, rng: torch.zeros(n, self.noise_dim))
    ours = recipe.train(progress=False).modules["generator"]
    # Of the last layer: a bias before a batch norm has no gradient, and Adam then follows its rounding.
    for one, other in zip(*[list(network.parameters())[-2:] for network in (ours, plain)], strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)
    start = recipe.build(recipe.data("train"))["generator"]
    moved = [(a - b).abs().max().item() for a, b in zip(ours.parameters(), start.parameters(), strict=True)]
    assert max(moved) == pytest.approx(recipe.lr, rel=0.1)
