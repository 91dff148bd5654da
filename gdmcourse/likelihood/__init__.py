"""Models fitted by likelihood: Gaussian mixtures now; their neighbours join them chapter by chapter."""

from gdmcourse.likelihood.gmm import (
    DegenerateComponent,
    GMMFit,
    bic,
    e_step,
    fit_gmm,
    kmeans_plus_plus,
    m_step,
    parameter_count,
)

__all__ = [
    "DegenerateComponent",
    "GMMFit",
    "bic",
    "e_step",
    "fit_gmm",
    "kmeans_plus_plus",
    "m_step",
    "parameter_count",
]
