"""Samplers, all called alike: `sampler(denoiser, schedule, x_T, times)` walks a decreasing list of times."""

from gdmcourse.diffusion.samplers.ancestral import ancestral, ancestral_mean, ancestral_variances
from gdmcourse.diffusion.samplers.ddim import ddim, ddim_sigma, ddim_step
from gdmcourse.diffusion.samplers.dpm_solver import dpm_solver, dpm_solver_step
from gdmcourse.diffusion.samplers.inpainting import inpaint
from gdmcourse.diffusion.samplers.langevin import annealed_langevin, geometric_sigmas, langevin_step
from gdmcourse.diffusion.samplers.times import Level, spaced_times, walk

__all__ = [
    "Level",
    "ancestral",
    "ancestral_mean",
    "ancestral_variances",
    "annealed_langevin",
    "ddim",
    "ddim_sigma",
    "ddim_step",
    "dpm_solver",
    "dpm_solver_step",
    "geometric_sigmas",
    "inpaint",
    "langevin_step",
    "spaced_times",
    "walk",
]
