"""Scores of answers against the true ones."""

import math

import pytest
import torch
from torchmetrics.image import PeakSignalNoiseRatio

from gdmcourse.metrics.classifier import Classifier
from gdmcourse.metrics.paired import paired_scores, psnr

NETWORK = Classifier((1, 8, 8), classes=3, width=4, features=5).eval()
RNG = torch.Generator().manual_seed(0)
REAL = torch.rand(12, 1, 8, 8, generator=RNG) * 2 - 1


def test_the_ratio_is_torchmetrics():
    made = (REAL + 0.1 * torch.randn(REAL.shape, generator=torch.Generator().manual_seed(1))).clamp(-1, 1)
    peer = PeakSignalNoiseRatio(data_range=(-1.0, 1.0))(made, REAL)
    assert psnr(made, REAL) == pytest.approx(peer.item(), abs=1e-4)
    assert psnr(REAL, REAL) == math.inf
    assert psnr(-torch.ones(1, 1, 2, 2), torch.ones(1, 1, 2, 2)) == 0


def test_two_unrelated_images_are_at_the_distance_one():
    """The mean over all pairs of different images, each an answer to the other's question."""
    pairs = [(i, j) for i in range(len(REAL)) for j in range(len(REAL)) if i != j]
    with torch.no_grad():
        seen = NETWORK.features(REAL).double()
    mean = sum((seen[i] - seen[j]).square().sum() for i, j in pairs) / len(pairs)
    moved = paired_scores(NETWORK, REAL.roll(1, 0), REAL)
    around = (seen.roll(1, 0) - seen).square().sum(1).mean()
    assert moved.features == pytest.approx((around / mean).item(), rel=1e-5)
    assert moved.l1 == pytest.approx((REAL.roll(1, 0) - REAL).abs().mean().item(), rel=1e-5)
    perfect = paired_scores(NETWORK, REAL, REAL)
    assert (perfect.l1, perfect.psnr, perfect.features) == (0, math.inf, 0)


def test_answers_that_fit_no_question_are_refused():
    with pytest.raises(ValueError, match="a made image for each real one"):
        paired_scores(NETWORK, REAL[:5], REAL)
    with pytest.raises(ValueError, match="at least two"):
        paired_scores(NETWORK, REAL[:1], REAL[:1])
    with pytest.raises(ValueError, match="a made image for each real one"):
        psnr(REAL, REAL[:1])


@pytest.mark.parametrize(
    "made",
    [100 * REAL, REAL.log(), (100 * REAL).to(torch.uint8), REAL[:0]],
    ids=["0–255", "NaN", "bytes", "none"],
)
def test_no_ratio_is_told_of_images_that_have_none(made, unchecked):
    """NaN would come out as infinite, which is the best there is."""
    with pytest.raises(ValueError, match=r"mean squared error of 4 at most, not of .*scale the images"):
        psnr(made, -made)
