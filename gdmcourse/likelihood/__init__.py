"""Models fitted by likelihood: Gaussian mixtures and hidden Markov chains."""

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
from gdmcourse.likelihood.hmm import DiscreteHMM, ExpectationMaximisation, forward_messages, viterbi

__all__ = [
    "DegenerateComponent",
    "DiscreteHMM",
    "ExpectationMaximisation",
    "GMMFit",
    "bic",
    "e_step",
    "fit_gmm",
    "forward_messages",
    "kmeans_plus_plus",
    "m_step",
    "parameter_count",
    "viterbi",
]
