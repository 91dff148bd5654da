"""Scores of images that answer a question with one known answer each, such as a translation."""

import math
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from gdmcourse.metrics.classifier import Classifier, extract_features


@dataclass(frozen=True)
class PairedScores:
    """How far made images are from the true ones, pixel by pixel and in features."""

    l1: float  # mean absolute difference of a pixel
    psnr: float  # decibels, more is better
    features: float  # squared distance of features, in units of that between two unrelated real images


def paired_scores(
    network: Classifier, made: Float[Tensor, "n c h w"], real: Float[Tensor, "m c h w"]
) -> PairedScores:
    """Scores of `made` against `real`, image by image, with the features of `network`.

    The unit of the distance of features is its mean over all pairs of two different images of `real`. Raises
    ValueError unless there is a made image for each real one, at least two.
    """
    if made.shape != real.shape or len(real) < 2:
        raise ValueError(
            "give a made image for each real one, of the same shape, and at least two; got "
            f"{tuple(made.shape)} and {tuple(real.shape)}"
        )
    answers, truth = extract_features(network, made).double(), extract_features(network, real).double()
    unrelated = 2 * truth.var(0).sum()  # the mean square of a difference of two is twice the variance
    return PairedScores(
        l1=(made - real).abs().double().mean().item(),
        psnr=psnr(made, real),
        features=((answers - truth).square().sum(1).mean() / unrelated).item(),
    )


def psnr(made: Float[Tensor, "n c h w"], real: Float[Tensor, "m c h w"]) -> float:
    """Peak signal-to-noise ratio 10 log₁₀(4 / MSE) in decibels, for pixels in [−1, 1], of the mean error.

    Infinite for equal images. Raises ValueError unless there is a made image for each real one, at least one,
    and for pixels outside that range.
    """
    if made.shape != real.shape:
        raise ValueError(
            f"give a made image for each real one, of the same shape; got {tuple(made.shape)} and "
            f"{tuple(real.shape)}"
        )
    error = (made.double() - real.double()).square().mean().item()
    if not error <= 4:
        raise ValueError(
            f"pixels in [−1, 1] have a mean squared error of 4 at most, not of {error:g}; scale the images "
            "to that range, and give at least one"
        )
    return 10 * math.log10(4 / error) if error > 0 else math.inf
