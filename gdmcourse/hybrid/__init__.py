"""What takes from two families: a game whose discriminator sees noisy examples (Diffusion-GAN)."""

from gdmcourse.hybrid.diffusion import Diffusion
from gdmcourse.hybrid.diffusion_gan import draw_times, noised, rebuilt_schedule, time_weights
from gdmcourse.hybrid.noised_js import expected_js, points_js, points_js_slope
from gdmcourse.hybrid.timed_critics import TimedImageCritic, TimedPointCritic

__all__ = [
    "Diffusion",
    "TimedImageCritic",
    "TimedPointCritic",
    "draw_times",
    "expected_js",
    "noised",
    "points_js",
    "points_js_slope",
    "rebuilt_schedule",
    "time_weights",
]
