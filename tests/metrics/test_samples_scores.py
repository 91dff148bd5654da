"""Inception score, copies, the two-sample test, extrapolation and spatial features."""

import math

import pytest
import torch
from torchmetrics.image.inception import InceptionScore

from gdmcourse.metrics.classifier import Classifier
from gdmcourse.metrics.copies import copies, copy_share
from gdmcourse.metrics.extrapolate import extrapolate
from gdmcourse.metrics.frechet import frechet_distance
from gdmcourse.metrics.inception_score import inception_score
from gdmcourse.metrics.spatial import spatial_features
from gdmcourse.metrics.two_sample import two_sample_test


def normal(*shape, seed, scale=1.0, shift=0.0):
    noise = torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return scale * noise + shift


class Identity(torch.nn.Module):
    """Stands in for Inception: hands logits through, as torchmetrics wants them."""

    num_features = 10

    def forward(self, x):
        return x


@pytest.mark.filterwarnings("ignore:Metric `InceptionScore` will save all extracted features")
@pytest.mark.filterwarnings("ignore:std():UserWarning")  # it wants the spread of several splits as well
def test_inception_score_equals_torchmetrics():
    logits = normal(300, 10, seed=1, scale=3.0)
    metric = InceptionScore(feature=Identity(), splits=1)
    metric.update(logits)
    assert inception_score(logits) == pytest.approx(metric.compute()[0].item(), rel=1e-5)


def test_inception_score_reaches_both_bounds():
    sure = 1000.0 * torch.eye(4).repeat(5, 1)
    assert inception_score(sure) == pytest.approx(4.0)
    assert inception_score(sure[:1].repeat(9, 1)) == pytest.approx(1.0)
    assert inception_score(torch.zeros(7, 4)) == pytest.approx(1.0)
    with pytest.raises(ValueError, match="at least one sample"):
        inception_score(torch.zeros(0, 4))


def test_copies_are_found_among_new_points():
    training, new = normal(100, 8, seed=2), normal(100, 8, seed=3)
    near = training[:50] + 1e-3 * normal(50, 8, seed=4)
    assert copies(near, training).all()
    assert copy_share(new, training) < 0.05
    assert copy_share(torch.cat([near, new]), training) == pytest.approx(1 / 3, abs=0.03)


def test_copies_by_hand_on_a_line():
    """0.2 is at 0.2 and 0.8 from its two nearest, a ratio of a quarter; 0.3 at 0.3 and 0.7."""
    training = torch.tensor([[0.0], [1.0], [5.0]])
    assert copies(torch.tensor([[0.2], [0.3]]), training).tolist() == [True, False]
    with pytest.raises(ValueError, match="at least 2"):
        copies(torch.tensor([[0.2]]), training[:1])
    with pytest.raises(ValueError, match="ratio must lie strictly between 0 and 1"):
        copies(torch.tensor([[0.2]]), training, ratio=1.0)


def test_the_two_sample_test_tells_laws_apart_and_is_fair_where_there_is_one():
    def test_of(i, shift):
        rng = torch.Generator().manual_seed(i)
        return two_sample_test(normal(80, 3, seed=2 * i, shift=shift), normal(90, 3, seed=2 * i + 1), rng)

    assert test_of(0, 3.0).accuracy > 0.9
    assert test_of(0, 3.0).p_value < 1e-6
    p_values = torch.tensor([test_of(i, 0.0).p_value for i in range(60)])
    assert (p_values < 0.05).double().mean() < 0.15  # at most 0.05 on average
    assert p_values.mean() > 0.4


def test_extrapolation_takes_the_bias_of_the_frechet_distance_away():
    """Equal laws: the distance at N = 400 is above 0.03 for its bias alone; at 1/N → 0 little is left."""
    real, drawn = normal(20_000, 8, seed=5), normal(4000, 8, seed=6)
    rng = torch.Generator().manual_seed(0)
    limit = extrapolate(lambda rows: frechet_distance(rows, real), drawn, [100, 200, 400, 800], rng)
    biased = frechet_distance(drawn[:400], real)
    assert biased > 0.03
    assert abs(limit) < 0.4 * biased
    exact = extrapolate(lambda rows: 2.0 + 3.0 / len(rows), drawn, [10, 50], rng)
    assert exact == pytest.approx(2.0)
    with pytest.raises(ValueError, match="two different numbers in 1 … 4000"):
        extrapolate(lambda rows: 0.0, drawn, [10, 10], rng)


def test_spatial_features_know_where_and_pooled_ones_less():
    """An image moved by two pixels: the same numbers at other places."""
    torch.manual_seed(0)
    network = Classifier((1, 8, 8), 10, 8, 64).eval()
    image = torch.zeros(2, 1, 8, 8)
    image[0, :, 2:4, 2:4] = image[1, :, 4:6, 4:6] = 1.0
    maps = spatial_features(network, image)
    assert maps.shape == (2, 4 * 4 * 4)
    assert not torch.allclose(maps[0], maps[1])
    inner = maps.unflatten(1, (4, 4, 4))
    torch.testing.assert_close(inner[0, :, 1, 1], inner[1, :, 2, 2], atol=1e-5, rtol=1e-4)
    assert math.isfinite(maps.sum().item())


def test_few_samples_make_the_inception_score_too_low():
    """Its logarithm, on average over sets of eight: their own mean is nearer to each of them."""
    logits = normal(4000, 5, seed=20, scale=2.0)
    few = [math.log(inception_score(rows)) for rows in logits.split(8)]
    assert sum(few) / len(few) < math.log(inception_score(logits)) - 0.05
