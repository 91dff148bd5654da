"""Every estimate of a mean or a spread, in float32, far from the origin, of many points and of mixed scales.

The same float32 points in float64, or another library, say what is right; sums that cancel are far off.
"""

import numpy as np
import pytest
import torch
from sklearn.mixture import GaussianMixture as SklearnMixture

from gdmcourse.diffusion.latent import Autoencoder, LatentSpace
from gdmcourse.likelihood import bic, fit_gmm, m_step
from gdmcourse.metrics.frechet import frechet_distance
from gdmcourse.metrics.precision_recall import precision_recall
from gdmcourse.metrics.spread import within_class_spread
from gdmcourse.probability import GaussianMixture, wasserstein_1d
from tests.oracles import gen

SCALES = {"one scale": (1.0, 1.0, 1.0), "mixed scales": (0.3, 3.0, 300.0)}
everywhere = pytest.mark.parametrize("offset", [0.0, 1e4, -1e5])
every_scale = pytest.mark.parametrize("scales", SCALES.values(), ids=SCALES)
many = pytest.mark.parametrize("n", [1_000, 100_000])


def cloud(n: int, offset: float, scales=SCALES["one scale"], seed: int = 0) -> torch.Tensor:
    """Correlated points in float32, whose own grid at 1e5 has a width of 0.008."""
    mix = torch.tensor([[1.0, 0.0, 0.0], [0.5, 1.0, 0.0], [-0.3, 0.2, 1.0]])
    return offset + (torch.randn(n, 3, generator=gen(seed)) @ mix.T) * torch.tensor(scales)


def grid(offset: float) -> float:
    """Half the distance of neighbouring float32 numbers, by which a stored mean is off at worst."""
    return float(np.spacing(np.float32(abs(offset) + 1000)))


@everywhere
@every_scale
@many
@pytest.mark.parametrize("kind", ["full", "diag", "spherical"])
def test_one_gaussian_is_the_mean_and_the_covariance(offset, scales, n, kind):
    x = cloud(n, offset, scales)
    exact = x.double().numpy()
    wanted = np.cov(exact.T, bias=True)
    if kind == "diag":
        wanted = np.diag(np.diag(wanted))
    elif kind == "spherical":
        wanted = np.eye(3) * np.diag(wanted).mean()
    ones = torch.ones(n, 1)
    for fitted in (fit_gmm(x, 1, covariance=kind).mixture, m_step(x, ones, covariance=kind)):
        assert fitted.means.dtype == torch.float32
        np.testing.assert_allclose(fitted.means[0], exact.mean(0), rtol=0, atol=grid(offset))
        size = np.sqrt(np.outer(np.diag(wanted), np.diag(wanted)))
        assert (np.abs(fitted.covariances[0].numpy() - wanted) < 1e-4 * size + 2e-6).all()


@everywhere
@many
def test_three_clusters_are_scikit_learns_in_float64(offset, n):
    """From the same start. In float32 scikit-learn itself is off by 0.15 at 1e5."""
    centres = torch.tensor([[-6.0, 0.0, 1.0], [6.0, 2.0, -1.0], [0.0, 9.0, 0.0]])
    x = torch.cat([offset + c + torch.randn(n // 3, 3, generator=gen(i)) for i, c in enumerate(centres)])
    ours = fit_gmm(x, 3, init=GaussianMixture.isotropic(centres + offset, 2.0), iterations=20, tol=0.0)
    rise = np.diff(ours.log_likelihood)
    assert (rise > -1e-9).all()
    peer = SklearnMixture(
        3, tol=1e-7, max_iter=50, means_init=(centres + offset).numpy(), weights_init=np.full(3, 1 / 3),
        precisions_init=np.stack([np.eye(3) / 4] * 3),
    ).fit(x.double().numpy())  # fmt: skip
    np.testing.assert_allclose(ours.mixture.means, peer.means_, rtol=0, atol=grid(offset) + 1e-3)
    np.testing.assert_allclose(ours.mixture.covariances, peer.covariances_, rtol=1e-2, atol=2e-3)
    assert ours.log_likelihood[-1] == pytest.approx(peer.score(x.double().numpy()), abs=1e-5)
    assert bic(x, ours.mixture) == pytest.approx(peer.bic(x.double().numpy()), rel=1e-4)


@everywhere
@many
def test_a_start_by_kmeans_finds_clusters_far_from_the_origin(offset, n):
    truth = torch.tensor([[-40.0, 0.0], [40.0, 0.0], [0.0, 60.0]])
    clusters = [offset + c + torch.randn(n // 3, 2, generator=gen(i)) for i, c in enumerate(truth)]
    fit = fit_gmm(torch.cat(clusters), 3, generator=gen(1), n_init=3)
    assert fit.converged
    means = fit.mixture.means.double()
    for cluster, k in zip(clusters, torch.cdist(truth.double() + offset, means).argmin(1), strict=True):
        exact = cluster.double()
        torch.testing.assert_close(means[k], exact.mean(0), rtol=0, atol=0.01)
        covariance = fit.mixture.covariances[k].double()
        torch.testing.assert_close(covariance, exact.T.cov(correction=0), rtol=0, atol=1e-4)
    assert (np.diff(fit.log_likelihood) > -1e-9).all()


def test_clusters_that_lie_much_farther_apart_than_they_are_wide():
    """The mean of all points helps none of these; sums in float64 do."""
    x = torch.cat([c + torch.randn(30_000, 2, generator=gen(i)) for i, c in enumerate((-1e5, 0.0, 1e5))])
    fit = fit_gmm(
        x, 3, init=GaussianMixture.isotropic(torch.tensor([[-1e5], [0.0], [1e5]]).repeat(1, 2), 3.0)
    )
    for rows, mean, covariance in zip(
        x.split(30_000), fit.mixture.means, fit.mixture.covariances, strict=True
    ):
        exact = rows.double()
        torch.testing.assert_close(mean.double(), exact.mean(0), rtol=0, atol=0.01)
        torch.testing.assert_close(covariance.double(), exact.T.cov(correction=0), rtol=0, atol=1e-4)


def frechet(x: np.ndarray, y: np.ndarray) -> float:
    """The formula with the square root of a product taken through its eigenvalues, in numpy."""
    values = np.linalg.eigvals(np.cov(x.T) @ np.cov(y.T)).real.clip(0)
    gap = x.mean(0) - y.mean(0)
    return float(gap @ gap + np.trace(np.cov(x.T) + np.cov(y.T)) - 2 * np.sqrt(values).sum())


@everywhere
@every_scale
@many
def test_the_frechet_distance_is_that_of_float64(offset, scales, n):
    x, y = cloud(n, offset, scales), 1.5 * cloud(n, 0.0, scales, seed=1) + offset + 1
    wanted = frechet(x.double().numpy(), y.double().numpy())
    assert frechet_distance(x, y) == pytest.approx(wanted, rel=1e-6)


@everywhere
@every_scale
@many
def test_the_spread_within_classes_is_that_of_float64(offset, scales, n):
    labels = torch.arange(n) % 4
    x = cloud(n, offset, scales) + 50 * labels[:, None]
    exact = x.double()
    inside = sum((exact[labels == k] - exact[labels == k].mean(0)).square().sum() for k in range(4))
    assert within_class_spread(x, labels) == pytest.approx(float(inside / (n - 4)) ** 0.5, rel=1e-9)


@everywhere
@every_scale
def test_precision_and_recall_are_counted_on_exact_distances(offset, scales):
    x, y = cloud(400, offset, scales), cloud(500, offset + 0.5, scales, seed=1)
    a, b = x.double(), y.double()

    def covered(points, centres):
        radii = (centres[:, None] - centres).norm(dim=2).sort(1).values[:, 3]
        return float(((points[:, None] - centres).norm(dim=2) <= radii).any(1).double().mean())

    assert precision_recall(x, y) == pytest.approx((covered(a, b), covered(b, a)))


@everywhere
@many
def test_the_scale_of_latents_is_that_of_float64(offset, n):
    class Passing(Autoencoder):
        def encode(self, images):
            return images, images

    latents = cloud(n, offset)[:, :, None, None]
    space = LatentSpace(Passing(3, width=8), latents)
    assert float(space.shift) == pytest.approx(float(latents.double().mean()), abs=grid(offset))
    assert float(space.scale) == pytest.approx(float(latents.double().std()), rel=1e-5)


@everywhere
@many
def test_a_distance_of_samples_on_the_line_is_that_of_float64(offset, n):
    x, y = cloud(n, offset)[:, 0], 2 * cloud(n // 2, 0.0, seed=1)[:, 0] + offset
    for p in (1, 2):
        assert float(wasserstein_1d(x, y, p)) == pytest.approx(
            float(wasserstein_1d(x.double(), y.double(), p)), rel=1e-4
        )


@everywhere
def test_the_moments_of_a_mixture_far_away_are_those_at_the_origin(offset):
    means = torch.tensor([[-1.0, 0.5], [2.0, 1.0], [0.0, -3.0]])
    near, far = (GaussianMixture.isotropic(means + shift, 0.5) for shift in (0.0, offset))
    torch.testing.assert_close(far.mean() - offset, near.mean(), rtol=0, atol=2 * grid(offset))
    torch.testing.assert_close(far.covariance(), near.covariance(), rtol=0, atol=4 * grid(offset))
