import pytest
import torch
from torchmetrics.image.fid import FrechetInceptionDistance

from gdmcourse.metrics.frechet import frechet_distance
from gdmcourse.probability import gaussian_w2


def features(n, d=6, seed=0, shift=0.0, scale=1.0):
    generator = torch.Generator().manual_seed(seed)
    mix = torch.randn(d, d, generator=torch.Generator().manual_seed(99), dtype=torch.float64)
    return scale * torch.randn(n, d, generator=generator, dtype=torch.float64) @ mix + shift


class Identity(torch.nn.Module):
    """Stands in for Inception: hands features through, as torchmetrics wants them."""

    num_features = 6

    def forward(self, x):
        return x


@pytest.mark.filterwarnings("ignore:Metric `FrechetInceptionDistance` will save all extracted features")
def test_equals_torchmetrics_on_the_same_features():
    ours, real = features(300, seed=1, shift=0.3, scale=1.2), features(200, seed=2)
    metric = FrechetInceptionDistance(feature=Identity(), input_img_size=(6,)).set_dtype(torch.float64)
    metric.update(real, real=True)
    metric.update(ours, real=False)
    assert frechet_distance(ours, real) == pytest.approx(metric.compute().item(), rel=1e-6)


def test_is_the_squared_w2_distance_of_the_fitted_gaussians():
    a, b = features(100, seed=3), features(150, seed=4, shift=1.0)
    w2 = gaussian_w2(a.mean(0), a.mT.cov(), b.mean(0), b.mT.cov())
    assert frechet_distance(a, b) == pytest.approx(float(w2) ** 2, rel=1e-8)


def test_approaches_the_exact_distance_of_two_known_gaussians():
    generator = torch.Generator().manual_seed(5)
    a = torch.randn(200_000, 2, generator=generator, dtype=torch.float64)
    b = 2 * torch.randn(200_000, 2, generator=generator, dtype=torch.float64) + torch.tensor([3.0, 0.0])
    assert frechet_distance(a, b) == pytest.approx(9 + 2 * (2 - 1) ** 2, rel=0.01)


def test_is_symmetric_and_zero_for_equal_sets():
    a, b = features(100, seed=6), features(80, seed=7, scale=2.0)
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a), rel=1e-9)
    assert frechet_distance(a, a) == pytest.approx(0.0, abs=1e-9)


def test_stays_real_when_a_feature_is_dead():
    a, b = features(50, seed=8), features(50, seed=9)
    a[:, 2] = b[:, 2] = 0.0
    assert 0 < frechet_distance(a, b) < 10


@pytest.mark.parametrize(
    ("ours", "real", "message"),
    [
        (features(6), features(50), "at least 7 samples"),
        (features(50), features(6), "at least 7 reference images"),
        (features(50), features(50, d=5), "same features"),
        (features(50) * float("nan"), features(50), "not all finite"),
    ],
)
def test_refuses_what_it_cannot_judge(ours, real, message):
    with pytest.raises(ValueError, match=message):
        frechet_distance(ours, real)


def test_few_samples_make_the_distance_of_two_laws_too_large():
    """The mean over many small sets, against that of all of them together."""
    sets = [features(9, seed=seed, scale=2.0, shift=1.0) for seed in range(300)]
    real = features(4000, seed=1000)
    few = [frechet_distance(rows, real) for rows in sets]
    assert sum(few) / len(few) > 1.1 * frechet_distance(torch.cat(sets), real)
