"""The feature network: its shape, its accuracy, and the cache that holds it."""

from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from gdmcourse.data import load
from gdmcourse.metrics.classifier import Classifier, class_accuracy, classifier_loss, extract_features
from gdmcourse.metrics.features import FEATURE_RECIPES, FeatureRecipe, feature_network


@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 28, 28), (3, 32, 32), (1, 12, 20)])
def test_features_lead_to_logits(shape: tuple[int, int, int]) -> None:
    network = Classifier(shape, classes=7, width=4, features=16).eval()
    images = torch.rand(5, *shape) * 2 - 1
    assert network.features(images).shape == (5, 16)
    assert network.logits(images).shape == (5, 7)
    assert torch.equal(network(images), network.logits(images))
    torch.testing.assert_close(network.last(network.features(images)), network.logits(images))


def test_an_image_is_judged_alone() -> None:
    """Batch statistics would let an image's features depend on its neighbours."""
    network = Classifier((1, 8, 8), 10, 4, 16).eval()
    images = torch.rand(6, 1, 8, 8)
    torch.testing.assert_close(
        network.features(images)[2:3], network.features(images[2:3]), rtol=1e-4, atol=1e-6
    )
    torch.testing.assert_close(
        extract_features(network, images, 4), network.features(images), rtol=1e-4, atol=1e-6
    )


def test_refuses_images_of_another_shape() -> None:
    with pytest.raises(ValueError, match=r"\(1, 8, 8\), not \(1, 28, 28\)"):
        Classifier((1, 8, 8), 10, 4, 16).features(torch.zeros(2, 1, 28, 28))


def test_the_loss_is_the_mean_negative_log_probability_of_the_label() -> None:
    network = Classifier((1, 8, 8), 10, 4, 16).eval()
    images, labels = torch.rand(6, 1, 8, 8), torch.arange(6)
    expected = -F.softmax(network(images).double(), 1).log()[range(6), labels].mean()
    loss = classifier_loss(network, (images, labels), torch.Generator())
    torch.testing.assert_close(loss.double(), expected, rtol=1e-5, atol=1e-6)


def test_class_accuracy_counts() -> None:
    class Brightest(torch.nn.Linear):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return images.flatten(1)

    images = torch.eye(4).reshape(4, 1, 2, 2)
    network = Brightest(1, 1)
    assert class_accuracy(network, images, torch.tensor([0, 1, 2, 3]), batch_size=3) == 1
    assert class_accuracy(network, images, torch.tensor([0, 1, 0, 0])) == 0.5
    with pytest.raises(ValueError, match="as many labels"):
        class_accuracy(network, images, torch.tensor([0]))
    with pytest.raises(ValueError, match="at least one"):
        class_accuracy(network, images[:0], torch.zeros(0, dtype=torch.int64))


def test_the_network_of_digits_is_right_on_97_of_100(monkeypatch: pytest.MonkeyPatch) -> None:
    test = load("digits", "test")
    network = feature_network("digits")
    assert class_accuracy(network, test.images, test.labels) >= 0.97
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())

    monkeypatch.setattr(FeatureRecipe, "train", lambda recipe, folder: pytest.fail("trained twice"))
    again = feature_network("digits")
    assert torch.equal(again.features(test.images), network.features(test.images))


def test_the_hash_names_what_decides_the_network() -> None:
    from dataclasses import replace

    recipe = FEATURE_RECIPES["digits"]
    assert recipe.hash() == replace(recipe).hash()
    others = [replace(recipe, seed=1), replace(recipe, width=31), replace(recipe, lr=1e-3)]
    assert len({recipe.hash(), FEATURE_RECIPES["mnist"].hash(), *(other.hash() for other in others)}) == 5


def test_a_damaged_cache_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    monkeypatch.setenv("GDMCOURSE_CACHE", str(tmp_path))
    short = replace(FEATURE_RECIPES["digits"], steps=5, warmup=1, width=4)
    monkeypatch.setitem(FEATURE_RECIPES, "digits", short)
    network = feature_network("digits")
    (weights,) = tmp_path.glob("features/*/step-*/model.safetensors")
    weights.write_bytes(b"\x00not safetensors")
    again = feature_network("digits")
    for a, b in zip(network.parameters(), again.parameters(), strict=True):
        assert torch.equal(a, b)


def test_an_unknown_data_set_lists_the_known() -> None:
    with pytest.raises(ValueError, match="digits, mnist"):
        feature_network("imagenet")


def test_the_network_of_mnist_is_right_on_90_of_100_after_its_first_steps(
    data_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    monkeypatch.setenv("GDMCOURSE_CACHE", str(tmp_path))
    monkeypatch.setitem(FEATURE_RECIPES, "mnist", replace(FEATURE_RECIPES["mnist"], steps=120, warmup=20))
    test = load("mnist", "test", root=data_root)
    assert class_accuracy(feature_network("mnist"), test.images[:2000], test.labels[:2000]) >= 0.9


@pytest.mark.slow
@pytest.mark.nightly
def test_the_network_of_mnist_is_right_on_99_of_100(data_root: Path) -> None:
    """From this machine's cache, or trained into it: about a minute on an idle core."""
    test = load("mnist", "test", root=data_root)
    assert class_accuracy(feature_network("mnist"), test.images, test.labels) >= 0.99
