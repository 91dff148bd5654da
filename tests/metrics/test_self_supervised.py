"""The network without labels: its loss by hand, and what its views may change."""

import pytest
import torch

from gdmcourse.data import load
from gdmcourse.metrics import self_supervised
from gdmcourse.metrics.self_supervised import SelfSupervised, vicreg_loss, view


class Flat(torch.nn.Module):
    def forward(self, images):
        return images.flatten(1)


def test_the_loss_is_the_sum_of_its_three_parts(monkeypatch):
    """Views that change nothing but by a known number."""
    images = torch.randn(6, 1, 2, 2, generator=torch.Generator().manual_seed(0))
    shifts = iter((0.0, 0.5))
    monkeypatch.setattr(self_supervised, "view", lambda images, rng: images + next(shifts))
    rows = images.flatten(1)
    covariance = torch.cov(rows.mT)
    spread = sum(max(0.0, 1 - (covariance[i, i].item() + 1e-4) ** 0.5) for i in range(4)) / 4
    apart = sum(covariance[i, j].item() ** 2 for i in range(4) for j in range(4) if i != j) / 4
    loss = vicreg_loss(Flat(), images, torch.Generator())
    assert loss.item() == pytest.approx(0.25 + spread + 2 * apart / 25, rel=1e-5)


def test_embeddings_that_are_all_the_same_are_the_worst_of_both():
    """Agreement is perfect, and the shortfall of the spread nearly 1."""

    class Nothing(torch.nn.Module):
        def forward(self, images):
            return torch.zeros(len(images), 3)

    loss = vicreg_loss(Nothing(), torch.zeros(4, 1, 8, 8), torch.Generator().manual_seed(0))
    assert loss.item() == pytest.approx(0.99, abs=1e-4)


def test_a_view_moves_an_image_and_leaves_paper_at_its_edges(monkeypatch):
    images = load("digits").images[:50]
    monkeypatch.setattr(self_supervised, "NOISE", 0.0)
    moved = view(images, torch.Generator().manual_seed(0))
    assert moved.shape == images.shape
    assert moved.min() >= -1 - 1e-5
    assert moved.max() <= 1 + 1e-5
    assert (moved - images).abs().mean() > 0.05
    for name in ("TURN", "STRETCH", "MOVE"):
        monkeypatch.setattr(self_supervised, name, 0.0)
    torch.testing.assert_close(view(images, torch.Generator()), images, atol=1e-5, rtol=0)
    monkeypatch.setattr(self_supervised, "NOISE", 0.5)
    noised = view(images, torch.Generator().manual_seed(0)) - images
    assert noised.std() == pytest.approx(0.5, rel=0.05)


def test_its_layers_are_the_classifiers_and_labels_have_no_place():
    network = SelfSupervised((1, 8, 8), width=4, features=16, embedding=5).eval()
    images = torch.zeros(3, 1, 8, 8)
    assert network.features(images).shape == (3, 16)
    assert network(images).shape == (3, 5)
