"""The spread within a class, on Gaussians whose spread is known."""

import pytest
import torch

from gdmcourse.metrics.spread import within_class_spread


def classes(spread: float, n: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """n points in 5 dimensions in three far classes, each with this standard deviation."""
    labels = torch.arange(n) % 3
    noise = torch.randn(n, 5, generator=torch.Generator().manual_seed(seed))
    return 100.0 * labels[:, None] + spread * noise, labels


@pytest.mark.parametrize("spread", [0.5, 2.0])
def test_spread_is_the_distance_within_and_not_between(spread):
    found = within_class_spread(*classes(spread, 3000))
    assert found == pytest.approx(spread * 5**0.5, rel=0.03)


def test_few_samples_have_the_same_expected_square():
    squares = [within_class_spread(*classes(1.0, 9, seed)) ** 2 for seed in range(400)]
    assert sum(squares) / len(squares) == pytest.approx(5, rel=0.05)


def test_equal_samples_have_none():
    features, labels = classes(0.0, 12)
    assert within_class_spread(features, labels) == 0


def test_what_can_not_be_scored_is_refused():
    features, labels = classes(1.0, 12)
    with pytest.raises(ValueError, match="as many labels as rows"):
        within_class_spread(features, labels[:-1])
    with pytest.raises(ValueError, match="at least 4 samples"):
        within_class_spread(features[:3], labels[:3])
    features[0] = float("nan")
    with pytest.raises(ValueError, match="not all finite"):
        within_class_spread(features, labels)
