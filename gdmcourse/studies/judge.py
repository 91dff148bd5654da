"""All scores of a set of samples against held-out images, and the reference rows that stand beside them."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from gdmcourse.data.catalog import load
from gdmcourse.likelihood.gmm import fit_gmm
from gdmcourse.metrics.classifier import FeatureNetwork, extract_features
from gdmcourse.metrics.copies import copy_share
from gdmcourse.metrics.density_coverage import density_coverage
from gdmcourse.metrics.frechet import frechet_distance
from gdmcourse.metrics.kernel_distance import kernel_distance
from gdmcourse.metrics.precision_recall import precision_recall
from gdmcourse.metrics.spectrum import high_frequency_energy
from gdmcourse.metrics.two_sample import two_sample_test
from gdmcourse.recipes.feature_networks import find_features

DISTANCES = ("frechet", "frechet_unlabelled", "frechet_pixels")  # of those below, a Fréchet distance each
DIGITS = 4  # that a score is written down with


@dataclass(frozen=True)
class Judge:
    """Scores samples of digits against `held_out`; copies are of `train`."""

    train: Tensor
    held_out: Tensor

    @cached_property
    def looks(self) -> list[tuple[FeatureNetwork, Tensor]]:
        """The two feature networks, the one taught labels first, each with the features of `held_out`."""
        networks = (find_features("classifier"), find_features("vicreg"))
        return [(network, extract_features(network, self.held_out)) for network in networks]

    def __call__(self, images: Tensor, seed: int = 0) -> dict[str, float]:
        """Every score by its name; `seed` decides how the two-sample test splits.

        They are of the features of the course's classifier, but for `frechet_unlabelled`, of a network that
        never saw a label, `frechet_pixels` and `copies`, of bare pixels, and `detail`, the energy of high
        frequencies relative to that of the held-out images.
        """
        pixels, (taught, untaught) = images.flatten(1), self.looks
        features, held_out = extract_features(taught[0], images), taught[1]
        density, rng = density_coverage(features, held_out), torch.Generator().manual_seed(seed)
        scores = {
            "frechet": frechet_distance(features, held_out),
            "frechet_unlabelled": frechet_distance(extract_features(untaught[0], images), untaught[1]),
            "frechet_pixels": frechet_distance(pixels, self.held_out.flatten(1)),
            "kid": kernel_distance(features, held_out),
            **precision_recall(features, held_out)._asdict(),
            **density._asdict(),
            "told_apart": two_sample_test(features, held_out, rng).accuracy,
            "copies": copy_share(pixels, self.train.flatten(1)),
            "detail": high_frequency_energy(images) / high_frequency_energy(self.held_out),
        }
        return {name: rounded(value) for name, value in scores.items()}


def rounded(value: float) -> float:
    """To the digits that a record holds."""
    return float(f"{value:.{DIGITS}g}")


def reference_images(name: str, n: int, seed: int) -> Tensor:
    """`n` images of a rule that nobody trains by gradients, from the training split.

    "real" are different training images; "memoriser" knows a hundred of them and repeats these; "mixture" are
    sixty Gaussians of diagonal covariance; "one by one" takes each pixel from a training image of its own.
    """
    rng, train = torch.Generator().manual_seed(seed), load("digits").images
    return RULES[name](train, n, rng)


def _real(train: Tensor, n: int, rng: torch.Generator) -> Tensor:
    return train[torch.randperm(len(train), generator=rng)[:n]]


def _memoriser(train: Tensor, n: int, rng: torch.Generator) -> Tensor:
    known = _real(train, 100, rng)
    return known[torch.randint(100, (n,), generator=rng)]


def _mixture(train: Tensor, n: int, rng: torch.Generator) -> Tensor:
    fit = fit_gmm(train.flatten(1), 60, covariance="diag", floor=1e-3, generator=rng)
    return fit.mixture.sample(n, rng).reshape(n, *train.shape[1:]).clamp(-1, 1)


def _one_by_one(train: Tensor, n: int, rng: torch.Generator) -> Tensor:
    pixels = train.flatten(1)
    rows = torch.randint(len(pixels), (n, pixels.shape[1]), generator=rng)
    return pixels.gather(0, rows).view(n, *train.shape[1:])


RULES: dict[str, Any] = {
    "real": _real,
    "memoriser": _memoriser,
    "mixture": _mixture,
    "one by one": _one_by_one,
}
