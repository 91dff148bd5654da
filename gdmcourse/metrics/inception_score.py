"""Inception score: are samples told apart by a classifier, and are all of its classes among them?"""

import math

import torch
from jaxtyping import Float
from torch import Tensor


def inception_score(logits: Float[Tensor, "n k"]) -> float:
    """exp E KL(p(y | x) ‖ p(y)), with p(y) the mean of p(y | x) over the samples, of a classifier's logits.

    From 1 (every sample looks alike to the classifier) to the number of classes (it is sure of each, and
    all occur equally often); real images are never looked at. Raises ValueError where there are no samples,
    or logits that are not finite.
    Source: Salimans et al. 2016.
    """
    if len(logits) == 0 or not torch.isfinite(logits).all():
        raise ValueError("the Inception score needs at least one sample, and finite logits")
    log_given = logits.detach().cpu().double().log_softmax(1)
    log_mean = log_given.logsumexp(0) - math.log(len(logits))
    # A class that never occurs has p log p = 0 on both sides.
    divergence = (log_given.exp() * (log_given - log_mean).nan_to_num(0.0)).sum(1)
    return divergence.mean().exp().item()
