"""Samplers, all called alike: `sampler(denoiser, schedule, x_T, times)` walks a decreasing list of times.

`on_step(t, x)` is called after each step, for those who want the path and not its end alone. `generator` is
one for the batch, or a list with one an image (see `generators`).
"""

from gdmcourse.diffusion.noise_level import NoiseLevel
from gdmcourse.diffusion.samplers.ancestral import ancestral, ancestral_mean, ancestral_variances
from gdmcourse.diffusion.samplers.ddim import ddim, ddim_sigma, ddim_step
from gdmcourse.diffusion.samplers.dpm_solver import dpm_solver, dpm_solver_step
from gdmcourse.diffusion.samplers.inpainting import inpaint
from gdmcourse.diffusion.samplers.langevin import annealed_langevin, geometric_sigmas, langevin_step
from gdmcourse.diffusion.samplers.times import generators, normal_like, spaced_times, walk

__all__ = [
    "NoiseLevel",
    "ancestral",
    "ancestral_mean",
    "ancestral_variances",
    "annealed_langevin",
    "ddim",
    "ddim_sigma",
    "ddim_step",
    "dpm_solver",
    "dpm_solver_step",
    "generators",
    "geometric_sigmas",
    "inpaint",
    "langevin_step",
    "normal_like",
    "spaced_times",
    "walk",
]
