"""The report of all scores, on digits: what real images get, and what bad samples get."""

import pytest
import torch

from gdmcourse.data import load
from gdmcourse.metrics import report
from gdmcourse.metrics.report import score_samples

TRAIN, TEST = load("digits", "train"), load("digits", "test")


def test_real_images_score_like_real_images():
    scores = score_samples(TRAIN.images, TRAIN.labels)
    assert scores.relative < 1  # the split is stratified, random halves are not
    assert min(scores.precision, scores.recall) > 0.85
    assert scores.accuracy is not None
    assert scores.accuracy > 0.99


def test_the_reference_is_what_random_halves_get():
    """Each half of the real images as samples, the other half in place of the held-out images."""
    network, _, reference = report._real("digits")
    features = network.features(torch.cat([TRAIN.images, TEST.images]))
    fresh = torch.randperm(len(features), generator=torch.Generator().manual_seed(99))
    half, other = features[fresh].chunk(2)
    assert report.frechet_distance(half, other) == pytest.approx(reference, rel=0.6)


def test_real_images_are_above_the_unit_where_they_are_few_and_below_where_they_are_many():
    few, many = (score_samples(TRAIN.images[:n]).relative for n in (150, 1200))
    assert many < 1 < 2 < few


def test_worse_samples_score_worse():
    generator = torch.Generator().manual_seed(0)
    noisy = TRAIN.images + 0.5 * torch.randn(TRAIN.images.shape, generator=generator)
    scores, real = score_samples(noisy.clamp(-1, 1), TRAIN.labels), score_samples(TRAIN.images, TRAIN.labels)
    assert scores.frechet > 3 * real.frechet
    assert scores.precision < real.precision
    assert scores.accuracy < real.accuracy


def test_a_missing_class_costs_recall_and_distance():
    kept = TRAIN.images[TRAIN.labels != 4]
    scores, real = score_samples(kept), score_samples(TRAIN.images)
    assert scores.accuracy is None
    assert scores.recall < real.recall - 0.03
    assert scores.relative > 2 * real.relative


def test_labels_are_what_was_asked_for_not_what_was_drawn():
    shifted = (TRAIN.labels + 1) % 10
    assert score_samples(TRAIN.images, shifted).accuracy < 0.02


@pytest.mark.parametrize(
    ("images", "options", "message"),
    [
        (TRAIN.images, {"dataset": "cifar10"}, "no feature network for 'cifar10'"),
        (TRAIN.images[:40], {}, "at least 65 samples"),
        (torch.zeros(100, 1, 28, 28), {}, r"shape \(1, 8, 8\)"),
        (torch.full((100, 1, 8, 8), float("nan")), {}, "not all finite"),
    ],
)
def test_what_cannot_be_scored_is_refused(images, options, message):
    with pytest.raises(ValueError, match=message):
        score_samples(images, **options)


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (((TRAIN.images + 1) * 127.5).byte(), r"not torch.uint8: for 0 … 255, images / 127.5 - 1"),
        ((TRAIN.images + 1) * 127.5, r"go from 0 to 255: .*images / 127.5 - 1"),
        ((TRAIN.images + 1) / 2, r"none of these is below 0: 2 \* images - 1"),
        (1.5 * TRAIN.images, r"go from -1.5 to 1.5: images.clamp\(-1, 1\)"),
        (TRAIN.images.numpy(), r"not ndarray: torch.from_numpy"),
        (torch.where(TRAIN.images > 0.9, torch.inf, TRAIN.images), "not all finite"),
    ],
    ids=["bytes", "0 to 255", "0 to 1", "too wide", "array", "infinite"],
)
def test_images_of_another_range_or_type_are_refused_and_a_way_named(images, said, unchecked):
    with pytest.raises(ValueError, match=said):
        score_samples(images)


@pytest.mark.parametrize("kind", [torch.float64, torch.float16])
def test_another_float_type_scores_alike(kind):
    there, here = (score_samples(images, TRAIN.labels) for images in (TRAIN.images.to(kind), TRAIN.images))
    assert there.frechet == pytest.approx(here.frechet, rel=1e-2)
    assert there.accuracy == pytest.approx(here.accuracy, abs=1e-3)
