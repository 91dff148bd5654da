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
from gdmcourse.likelihood.hmm import HMM
from gdmcourse.likelihood.hmm_em import ExpectationMaximisation, baum_welch_step
from gdmcourse.likelihood.hmm_emissions import GaussianEmission, SymbolEmission
from gdmcourse.likelihood.hmm_messages import (
    ImpossibleSequence,
    backward_messages,
    forward_messages,
    log_likelihood,
    posteriors,
)
from gdmcourse.likelihood.hmm_viterbi import viterbi

__all__ = [
    "HMM",
    "ActNorm",
    "AffineCoupling",
    "DegenerateComponent",
    "ExpectationMaximisation",
    "Flow",
    "GMMFit",
    "GaussianEmission",
    "ImpossibleSequence",
    "SymbolEmission",
    "backward_messages",
    "baum_welch_step",
    "Gaussianise",
    "Permutation",
    "bic",
    "e_step",
    "fit_gmm",
    "forward_messages",
    "kmeans_plus_plus",
    "log_likelihood",
    "m_step",
    "parameter_count",
    "posteriors",
    "real_nvp",
    "viterbi",
]
