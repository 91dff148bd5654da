"""Diffusion models: schedules and the forward process, then what learns to reverse it."""

from gdmcourse.diffusion.bound import hybrid_loss, variational_bound
from gdmcourse.diffusion.denoiser import Denoiser, as_denoiser, exact_denoiser
from gdmcourse.diffusion.forward import (
    marginal,
    noise_from_velocity,
    noise_from_x0,
    posterior,
    posterior_mean_from_noise,
    q_sample,
    transition,
    velocity,
    x0_from_noise,
    x0_from_velocity,
)
from gdmcourse.diffusion.guidance import (
    autoguidance,
    classifier_free_guidance,
    classifier_guidance,
    exact_classifier,
    guided_between,
)
from gdmcourse.diffusion.objective import denoising_loss, draw_times, drop_labels, simple_loss
from gdmcourse.diffusion.schedule import Schedule, ScheduleError, cosine_schedule, linear_schedule

__all__ = [
    "Denoiser",
    "Schedule",
    "ScheduleError",
    "as_denoiser",
    "autoguidance",
    "classifier_free_guidance",
    "classifier_guidance",
    "cosine_schedule",
    "denoising_loss",
    "draw_times",
    "drop_labels",
    "exact_classifier",
    "exact_denoiser",
    "guided_between",
    "hybrid_loss",
    "linear_schedule",
    "marginal",
    "noise_from_velocity",
    "noise_from_x0",
    "posterior",
    "posterior_mean_from_noise",
    "q_sample",
    "simple_loss",
    "transition",
    "variational_bound",
    "velocity",
    "x0_from_noise",
    "x0_from_velocity",
]
