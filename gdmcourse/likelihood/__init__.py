"""Models fitted by likelihood: Gaussian mixtures, hidden Markov chains, variational autoencoders."""

from gdmcourse.likelihood.bounds import (
    importance_weighted_bound,
    kl_to_prior,
    normal_log_prob,
    reparameterise,
)
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
from gdmcourse.likelihood.linear_vae import LinearVAE, fit_linear_vae
from gdmcourse.likelihood.vae import VAE, log_weights, vae_loss

__all__ = [
    "VAE",
    "DegenerateComponent",
    "DiscreteHMM",
    "ExpectationMaximisation",
    "GMMFit",
    "LinearVAE",
    "bic",
    "e_step",
    "fit_gmm",
    "fit_linear_vae",
    "forward_messages",
    "importance_weighted_bound",
    "kl_to_prior",
    "kmeans_plus_plus",
    "log_weights",
    "m_step",
    "normal_log_prob",
    "parameter_count",
    "reparameterise",
    "vae_loss",
    "viterbi",
]
