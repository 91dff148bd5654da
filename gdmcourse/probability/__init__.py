"""Exact distributions and the divergences between them: the oracle for everything else in the course."""

from gdmcourse.probability.discrete import discrete_js, discrete_kl, discrete_total_variation
from gdmcourse.probability.divergence import (
    chi_squared,
    f_divergence,
    hellinger,
    js,
    js_generator,
    kl,
    total_variation,
    w1,
)
from gdmcourse.probability.estimate import kl_by_sampling
from gdmcourse.probability.gaussian import (
    condition,
    gaussian_kl,
    gaussian_log_prob,
    gaussian_w2,
    linear_image,
    product,
)
from gdmcourse.probability.mixture import GaussianMixture
from gdmcourse.probability.pixel import expected_pixel, pixel_log_prob
from gdmcourse.probability.transport import wasserstein_1d

__all__ = [
    "GaussianMixture",
    "chi_squared",
    "condition",
    "discrete_js",
    "discrete_kl",
    "discrete_total_variation",
    "expected_pixel",
    "f_divergence",
    "gaussian_kl",
    "gaussian_log_prob",
    "gaussian_w2",
    "hellinger",
    "js",
    "js_generator",
    "kl",
    "kl_by_sampling",
    "linear_image",
    "pixel_log_prob",
    "product",
    "total_variation",
    "w1",
    "wasserstein_1d",
]
