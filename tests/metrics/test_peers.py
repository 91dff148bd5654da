"""Every score against other packages that compute it, on the same features, to one part in ten thousand."""

import warnings

import pytest
import torch
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_isc import isc_features_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric

from gdmcourse.data import load
from gdmcourse.metrics.classifier import extract_features
from gdmcourse.metrics.features import feature_network
from gdmcourse.metrics.frechet import frechet_distance
from gdmcourse.metrics.inception_score import inception_score
from gdmcourse.metrics.kernel_distance import kernel_distance
from gdmcourse.metrics.precision_recall import precision_recall

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from prdc import compute_prdc

CLOSE = 1e-4


@pytest.fixture(scope="module")
def network():
    return feature_network("digits")


@pytest.fixture(scope="module")
def real(network):
    return extract_features(network, load("digits", "test").images).double()


@pytest.fixture(scope="module")
def noisy(network):
    images = load("digits").images[:355]
    noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(0))
    return extract_features(network, images + 0.3 * noise).double()


def test_frechet_distance_is_torch_fidelitys(noisy, real):
    statistics = [fid_features_to_statistics(features) for features in (noisy, real)]
    theirs = fid_statistics_to_metric(*statistics, verbose=False)["frechet_inception_distance"]
    assert frechet_distance(noisy, real) == pytest.approx(theirs, rel=CLOSE)


def test_kernel_distance_is_torch_fidelitys(noisy, real):
    theirs = kid_features_to_metric(
        noisy, real, kid_subsets=1, kid_subset_size=len(real), rng_seed=0, verbose=False
    )
    expected = theirs["kernel_inception_distance_mean"]
    assert kernel_distance(noisy, real) == pytest.approx(expected, rel=CLOSE)


def test_inception_score_is_torch_fidelitys(network):
    logits = network(load("digits", "test").images)
    theirs = isc_features_to_metric(logits, splits=1)["inception_score_mean"]
    assert inception_score(logits) == pytest.approx(theirs, rel=CLOSE)


@pytest.mark.parametrize("neighbours", [3, 5])
def test_precision_and_recall_are_prdcs(noisy, real, neighbours):
    """prdc leaves the border of a ball out, where no point lies."""
    theirs = compute_prdc(real.numpy(), noisy.numpy(), neighbours)
    ours = precision_recall(noisy, real, neighbours)
    assert ours == pytest.approx((theirs["precision"], theirs["recall"]), abs=CLOSE)
