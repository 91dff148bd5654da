"""Classifier two-sample test: can a classifier tell samples from real images that it has not seen?"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from gdmcourse.metrics.samples import check_features


class TwoSampleTest(NamedTuple):
    """Accuracy on held-out rows, ½ where nothing can be told, and how likely one as high is by chance."""

    accuracy: float
    p_value: float


def two_sample_test(
    features: Float[Tensor, "n d"], reference: Float[Tensor, "m e"], rng: torch.Generator
) -> TwoSampleTest:
    """Train a classifier by √n nearest neighbours on half of both sets, and test it on the other half.

    The same number of rows is drawn from each set. If both have one law, then of the rows that the classifier
    calls samples the number that are samples is hypergeometric, whatever the classifier, so the p-value is
    exact (`eq-two-sample-null`). Raises ValueError for fewer than four rows in a set.
    Source: Lopez-Paz and Oquab 2017, with Fisher's test in place of theirs.
    """
    from scipy.stats import hypergeom
    from sklearn.neighbors import KNeighborsClassifier

    check_features(features, reference, least=4)
    n = min(len(features), len(reference)) // 2 * 2
    rows = torch.cat(
        [part.detach().cpu()[torch.randperm(len(part), generator=rng)[:n]] for part in (features, reference)]
    ).double()
    label = torch.arange(2).repeat_interleave(n)
    train = (torch.arange(n) < n // 2).repeat(2)
    neighbours = max(1, int(n**0.5) // 2 * 2 + 1)  # odd, so that no vote is a draw
    judge = KNeighborsClassifier(min(neighbours, n)).fit(rows[train].numpy(), label[train].numpy())
    called = judge.predict(rows[~train].numpy()) == 0
    hits, calls = int(called[: n // 2].sum()), int(called.sum())
    right = hits + n // 2 - (calls - hits)
    return TwoSampleTest(right / n, float(hypergeom.sf(hits - 1, n, n // 2, calls)))
