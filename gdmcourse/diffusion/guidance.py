"""Guidance: takes a denoiser and gives one that leans towards a label."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from gdmcourse.diffusion.denoiser import Denoiser, alpha_bar_at, schedule_on
from gdmcourse.diffusion.per_image import per_image
from gdmcourse.diffusion.schedule import Schedule
from gdmcourse.nn.labels import NoNullClass, check_labels, check_one_each
from gdmcourse.probability import GaussianMixture

# A classifier of noisy images: maps (x_t, t) to logits (n, classes).
Classifier = Callable[[Tensor, Tensor], Tensor]


def classifier_gradient(
    classifier: Classifier, x_t: Float[Tensor, " n *shape"], t: Int[Tensor, " n"], y: Int[Tensor, " m"]
) -> Float[Tensor, " n *shape"]:
    """∇ log p(y | x_t) with respect to x_t, one gradient an image; works where gradients are switched off.

    The sampler's gradient of `eq-conditional-mean-shift`. Raises ValueError for a label out of range, or not
    one for each image.
    """
    check_one_each(y, x_t)
    with torch.enable_grad():
        x = x_t.detach().requires_grad_()
        logits = classifier(x, t)
        if not y.is_cuda:  # on a GPU the look would make the processor wait; `gather` checks there itself
            check_labels(y, logits.shape[1])
        log_probability = logits.log_softmax(1).gather(1, y[:, None])
        return torch.autograd.grad(log_probability.sum(), x)[0]


def guided_mean(mean: Tensor, variance: Tensor | float, gradient: Tensor, scale: float) -> Tensor:
    """μ + s Σ g: the mean of N(μ, Σ) times p(y | x)^s, to first order. Source: `eq-guided-mean`."""
    return mean + scale * variance * gradient


def classifier_guidance(
    denoiser: Denoiser, classifier: Classifier, schedule: Schedule, scale: float
) -> Denoiser:
    """The denoiser ε̂ − s √(1 − ᾱ_t) ∇ log p(y | x_t), whose score is that of p(x_t) p(y | x_t)^s.

    The inner denoiser is asked without a label. At s = 0 it is returned as it is but for y; at s = 1
    exact parts give the exact conditional. The guided one raises ValueError without y, for a label that
    is none of the classifier's, and for a time outside 1 … T. Source:
    `eq-classifier-guidance` (Dhariwal and Nichol 2021).
    """

    def guided(x_t: Tensor, t: Tensor, y: Tensor | None = None) -> Tensor:
        if y is None:
            raise ValueError("classifier guidance needs labels y to guide towards")
        schedule.check_time(t)
        noise = denoiser(x_t, t, None)
        if scale == 0:
            return noise
        sigma = per_image(schedule_on(schedule, x_t.device).one_minus_alpha_bar[t].sqrt(), x_t)
        return noise - scale * sigma * classifier_gradient(classifier, x_t, t, y)

    return guided


def classifier_free_guidance(denoiser: Denoiser, scale: float) -> Denoiser:
    """The denoiser ε̂(∅) + s (ε̂(y) − ε̂(∅)): s = 0 is unconditional, s = 1 conditional, both to the bit.

    Beyond 1 it extrapolates. Ho and Salimans write s = 1 + w. Two calls of the inner denoiser, one where
    the scale is 0 or 1; ε̂(∅) is what it says for y = None. Raises `NoNullClass` for a network that has
    no answer to that. Source: `eq-classifier-free-guidance`.
    """
    if getattr(denoiser, "num_classes", None) is not None and getattr(denoiser, "null_class", None) is None:
        raise NoNullClass()

    def guided(x_t: Tensor, t: Tensor, y: Tensor | None = None) -> Tensor:
        if scale == 0 or y is None:
            return denoiser(x_t, t, None)
        conditional = denoiser(x_t, t, y)
        if scale == 1:
            return conditional
        return torch.lerp(denoiser(x_t, t, None), conditional, scale)

    return guided


def autoguidance(denoiser: Denoiser, worse: Denoiser, scale: float) -> Denoiser:
    """The denoiser ε̂_worse + s (ε̂ − ε̂_worse), both told the label: away from what a worse network gets wrong.

    At s = 0 it is the worse one, at s = 1 the better one, both to the bit; two calls beyond. Source:
    `eq-autoguidance` (Karras et al. 2024).
    """

    def guided(x_t: Tensor, t: Tensor, y: Tensor | None = None) -> Tensor:
        if scale == 0:
            return worse(x_t, t, y)
        better = denoiser(x_t, t, y)
        return better if scale == 1 else torch.lerp(worse(x_t, t, y), better, scale)

    return guided


def guided_between(guided: Denoiser, denoiser: Denoiser, low: int, high: int) -> Denoiser:
    """`guided` at the times low < t ≤ high, and at the others `denoiser`, with the label.

    Where all images are at one time, as in a sampler, only one of the two is called. Raises ValueError
    unless 0 ≤ low < high. Source: `eq-guided-interval` (Kynkäänniemi et al. 2024).
    """
    if not 0 <= low < high:
        raise ValueError(
            f"guidance between two times needs 0 ≤ low < high, not low = {low} and high = {high}"
        )

    def between(x_t: Tensor, t: Tensor, y: Tensor | None = None) -> Tensor:
        inside = (t > low) & (t <= high)
        if inside.all():
            return guided(x_t, t, y)
        told = denoiser(x_t, t, y)
        return torch.where(per_image(inside, x_t), guided(x_t, t, y), told) if inside.any() else told

    return between


def exact_classifier(mixture: GaussianMixture, schedule: Schedule) -> Classifier:
    """log p(component | x_t) for data from `mixture`: what a classifier of noisy data approximates."""

    def classifier(x_t: Float[Tensor, "n d"], t: Int[Tensor, " n"]) -> Float[Tensor, "n k"]:
        logits = x_t.new_empty(len(x_t), len(mixture.weights))
        for time in t.unique().tolist():
            law = mixture.diffused(alpha_bar_at(schedule, time))
            logits = torch.where((t == time)[:, None], law.log_responsibilities(x_t), logits)
        return logits

    return classifier
