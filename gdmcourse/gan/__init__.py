"""Generative adversarial networks: their losses as functions of logits, and their networks."""

from gdmcourse.gan.losses import discriminator_loss, non_saturating_loss, saturating_loss
from gdmcourse.gan.networks import PointCritic, PointGenerator

__all__ = [
    "PointCritic",
    "PointGenerator",
    "discriminator_loss",
    "non_saturating_loss",
    "saturating_loss",
]
