"""Models fitted by likelihood: Gaussian mixtures, hidden Markov chains and normalizing flows."""

from gdmcourse.likelihood.flow import ActNorm, AffineCoupling, Flow, Permutation, real_nvp
from gdmcourse.likelihood.gaussianise import Gaussianise
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
    "ActNorm",
    "AffineCoupling",
    "DegenerateComponent",
    "DiscreteHMM",
    "ExpectationMaximisation",
    "Flow",
    "GMMFit",
    "Gaussianise",
    "Permutation",
    "bic",
    "e_step",
    "fit_gmm",
    "forward_messages",
    "kmeans_plus_plus",
    "m_step",
    "parameter_count",
    "real_nvp",
    "viterbi",
]
