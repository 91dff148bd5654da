"""Feature networks by name, and what the one without labels has learned."""

import pytest
import torch

from gdmcourse.data import load
from gdmcourse.metrics.classifier import extract_features
from gdmcourse.metrics.features import feature_network
from gdmcourse.recipes.feature_networks import find_features
from gdmcourse.recipes.trained import trained


def test_each_name_gives_its_network(monkeypatch):
    images = load("digits", "test").images[:20]
    asked = extract_features(find_features("classifier"), images)
    torch.testing.assert_close(asked, extract_features(feature_network("digits"), images))
    assert extract_features(find_features("vicreg"), images).shape == (20, 64)
    found = feature_network("digits")  # stands in for Inception, whose weights aren't here
    monkeypatch.setattr("gdmcourse.recipes.feature_networks.load_inception", lambda: found)
    assert find_features("inception") is found


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("resnet",), "there are: classifier, vicreg, inception"),
        (("vicreg", "mnist"), "doesn't know 'mnist'; take the classifier"),
        (("classifier", "cifar10"), "no feature network for 'cifar10'"),
    ],
)
def test_what_is_not_there_is_said(arguments, said):
    with pytest.raises(ValueError, match=said):
        find_features(*arguments)


def test_without_a_label_it_puts_like_digits_together():
    """Nine in ten of the nearest neighbours are of one class; by chance it is one."""
    network = trained("vicreg-digits")
    scores = network.recipe.metrics(network.model, torch.Generator())
    assert scores["nearest_accuracy"] > 0.9
