"""EM against scikit-learn: same points, same start, same number of steps, two threads each."""

import statistics
import time
import warnings

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture as SklearnMixture
from threadpoolctl import threadpool_limits

from benchmarks.row import row
from gdmcourse.likelihood import GMMFit, fit_gmm
from gdmcourse.probability import GaussianMixture

N, D, K, STEPS, REPEATS, THREADS = 20_000, 16, 10, 20, 7, 2


def problem() -> tuple[torch.Tensor, GaussianMixture]:
    """Points of an overlapping mixture, and a start that leaves EM work to do for all its steps."""
    generator = torch.Generator().manual_seed(0)
    factors = torch.randn(K, D, D, generator=generator, dtype=torch.float64) / 4
    covariances = factors @ factors.mT + 0.1 * torch.eye(D, dtype=torch.float64)
    means = 1.5 * torch.randn(K, D, generator=generator, dtype=torch.float64)
    truth = GaussianMixture(torch.full((K,), 1 / K, dtype=torch.float64), means, covariances)
    x = truth.sample(N, generator)
    return x, GaussianMixture.isotropic(x[:K], 1.5)


def fit_ours(x: torch.Tensor, start: GaussianMixture) -> GMMFit:
    return fit_gmm(x, K, init=start, iterations=STEPS, tol=0.0, floor=1e-6)


def fit_peer(x: np.ndarray, start: GaussianMixture) -> SklearnMixture:
    peer = SklearnMixture(
        K,
        tol=0.0,
        max_iter=STEPS,
        reg_covar=1e-6,
        weights_init=start.weights.numpy(),
        means_init=start.means.numpy(),
        precisions_init=np.linalg.inv(start.covariances.numpy()),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a fixed number of steps is what we compare
        return peer.fit(x)


def rows() -> list[dict[str, str | float]]:
    """Median times of interleaved runs, and how far the two log-likelihoods are apart."""
    torch.set_num_threads(THREADS)
    x, start = problem()
    seconds: dict[str, list[float]] = {"ours": [], "peer": []}
    with threadpool_limits(THREADS):
        for repeat in range(REPEATS + 1):
            begin = time.perf_counter()
            ours = fit_ours(x, start)
            middle = time.perf_counter()
            peer = fit_peer(x.numpy(), start)
            end = time.perf_counter()
            if repeat:  # the first run of each warms its thread pool up
                seconds["ours"].append(middle - begin)
                seconds["peer"].append(end - middle)
    assert len(ours.log_likelihood) == STEPS + 1
    assert peer.n_iter_ == STEPS
    reached = peer.score(x.numpy())
    apart = abs(ours.log_likelihood[-1] - reached) / abs(reached)
    return [
        row(
            f"EM, N {N}, D {D}, K {K}, full covariance, {STEPS} steps (peer: scikit-learn)",
            statistics.median(seconds["ours"]),
            statistics.median(seconds["peer"]),
            "s",
        ),
        row("EM, relative difference in log-likelihood (peer: what is allowed)", apart, 1e-6, ""),
    ]
