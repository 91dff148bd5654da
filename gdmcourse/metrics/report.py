"""All scores of a set of samples at once, beside what real images get."""

from dataclasses import dataclass
from functools import lru_cache
from statistics import fmean

import torch
from jaxtyping import Int64
from torch import Tensor

from gdmcourse.data import is_folder, load
from gdmcourse.metrics.classifier import Classifier, class_accuracy, extract_features
from gdmcourse.metrics.features import feature_network
from gdmcourse.metrics.frechet import frechet_distance
from gdmcourse.metrics.precision_recall import precision_recall
from gdmcourse.metrics.samples import check_images

MOST = 5000  # real images of a split that are compared; the time of precision and recall grows with both sets
SPLITS = 10


@dataclass(frozen=True)
class Scores:
    """Scores of samples against held-out images, on the course's feature network."""

    frechet: float  # to the held-out images; smaller is better
    reference: float  # Fréchet distance between two halves of the real images, the unit of `relative`
    precision: float  # share of samples that look real
    recall: float  # share of held-out images that the samples cover
    accuracy: float | None  # share of samples that are read as the label they were asked for

    @property
    def relative(self) -> float:
        """The Fréchet distance in units of the reference: 1 is as near as two halves of the real images.

        A perfect model is above 1 with few samples, and below with many.
        """
        return self.frechet / self.reference


def score_samples(
    images: Tensor, labels: Int64[Tensor, " n"] | None = None, *, dataset: str = "digits"
) -> Scores:
    """Score generated images in [−1, 1], with the labels that they were asked for if there were any.

    Fréchet distance, precision and recall compare with the held-out images of `dataset`, at most 5000 of
    them; all of them depend on the number of samples, so compare equal numbers. A folder's images are read
    at the size of the samples. Raises ValueError for a data set without a feature network, images of another
    shape, type or range, and fewer samples than features (64).
    """
    network, held_out, reference = _real(dataset, images.shape[-1] if is_folder(dataset) else None)
    images = check_images(images, network.shape)
    features = extract_features(network, images)
    precision, recall = precision_recall(features, held_out)
    return Scores(
        frechet_distance(features, held_out),
        reference,
        precision,
        recall,
        None if labels is None else class_accuracy(network, images, labels),
    )


@lru_cache(maxsize=4)
def _real(dataset: str, size: int | None = None) -> tuple[Classifier, Tensor, float]:
    """The feature network, the held-out images' features, mean distance of random halves of all."""
    network = feature_network(dataset, size)
    parts = [
        extract_features(network, load(dataset, split, size=size).images[:MOST])
        for split in ("train", "test")
    ]
    together, distances = torch.cat(parts), []
    for split in range(SPLITS):
        order = torch.randperm(len(together), generator=torch.Generator().manual_seed(split))
        half, other = together[order].chunk(2)
        distances.append(frechet_distance(half, other))
    return network, parts[1], fmean(distances)
