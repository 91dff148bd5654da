"""Random Gaussians, mixtures and probability vectors for property tests, in float64 and well conditioned."""

import torch
from hypothesis import strategies as st

from gdmcourse.probability import GaussianMixture


def _covariance(generator: torch.Generator, d: int) -> torch.Tensor:
    root = torch.randn(d, d, generator=generator, dtype=torch.float64)
    return root @ root.T + 0.1 * torch.eye(d, dtype=torch.float64)


@st.composite
def gaussians(draw, count: int, d: int | None = None):
    """`count` pairs (mean, covariance) in one dimension D between 1 and 4."""
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    d = draw(st.integers(1, 4)) if d is None else d
    scale = draw(st.sampled_from([0.1, 1.0, 10.0]))
    return [
        (
            scale * torch.randn(d, generator=generator, dtype=torch.float64),
            scale**2 * _covariance(generator, d),
        )
        for _ in range(count)
    ]


@st.composite
def mixtures(draw, d: int | None = None):
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    k = draw(st.integers(1, 4))
    d = draw(st.integers(1, 3)) if d is None else d
    weights = torch.rand(k, generator=generator, dtype=torch.float64) + 0.1
    means = 2 * torch.randn(k, d, generator=generator, dtype=torch.float64)
    covariances = torch.stack([_covariance(generator, d) for _ in range(k)])
    return GaussianMixture(weights / weights.sum(), means, covariances)


@st.composite
def probabilities(draw, count: int):
    k = draw(st.integers(2, 6))
    rows = []
    for _ in range(count):
        raw = torch.tensor(draw(st.lists(st.integers(0, 9), min_size=k, max_size=k)), dtype=torch.float64)
        raw[draw(st.integers(0, k - 1))] += 1  # at least one outcome is possible
        rows.append(raw / raw.sum())
    return rows
