"""Generative adversarial networks: losses and penalties as functions of logits, and networks."""

from gdmcourse.gan.auxiliary import TwoHeadedCritic, label_loss
from gdmcourse.gan.conditional import ConditionalGenerator
from gdmcourse.gan.dcgan import ImageCritic, ImageGenerator
from gdmcourse.gan.dirac import DiracGAN
from gdmcourse.gan.label_critics import PlaneCritic, ProjectionCritic
from gdmcourse.gan.losses import (
    discriminator_loss,
    hinge_critic_loss,
    non_saturating_loss,
    relativistic_loss,
    saturating_loss,
    wasserstein_critic_loss,
    wasserstein_generator_loss,
)
from gdmcourse.gan.minibatch import MinibatchDiscrimination
from gdmcourse.gan.networks import PointCritic, PointGenerator
from gdmcourse.gan.objective import OBJECTIVES, Objective, find_objective
from gdmcourse.gan.optimal import game_value, optimal_logit
from gdmcourse.gan.penalties import PENALTIES, find_penalty, unit_norm_penalty, zero_norm_penalty
from gdmcourse.gan.spectral import spectral_norm
from gdmcourse.gan.truncation import truncated_normal, truncated_variance

__all__ = [
    "OBJECTIVES",
    "PENALTIES",
    "ConditionalGenerator",
    "DiracGAN",
    "ImageCritic",
    "ImageGenerator",
    "MinibatchDiscrimination",
    "Objective",
    "PlaneCritic",
    "PointCritic",
    "PointGenerator",
    "ProjectionCritic",
    "TwoHeadedCritic",
    "discriminator_loss",
    "find_objective",
    "find_penalty",
    "game_value",
    "hinge_critic_loss",
    "label_loss",
    "non_saturating_loss",
    "optimal_logit",
    "relativistic_loss",
    "saturating_loss",
    "spectral_norm",
    "truncated_normal",
    "truncated_variance",
    "unit_norm_penalty",
    "wasserstein_critic_loss",
    "wasserstein_generator_loss",
    "zero_norm_penalty",
]
