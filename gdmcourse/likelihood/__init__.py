"""Models fitted by likelihood: mixtures, hidden Markov chains, autoregressive networks, VAEs and flows."""

from gdmcourse.likelihood.autoregressive import Autoregressive, dependence, log_prob, sample
from gdmcourse.likelihood.bounds import (
    importance_weighted_bound,
    kl_to_prior,
    normal_log_prob,
    reparameterise,
)
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
from gdmcourse.likelihood.linear_vae import LinearVAE, fit_linear_vae
from gdmcourse.likelihood.made import MADE
from gdmcourse.likelihood.pixelcnn import GatedPixelCNN, PixelCNN
from gdmcourse.likelihood.row_lstm import RowLSTM
from gdmcourse.likelihood.transformer import Transformer, sample_cached
from gdmcourse.likelihood.vae import VAE, log_weights, vae_loss
from gdmcourse.likelihood.wavenet import WaveNet

__all__ = [
    "HMM",
    "MADE",
    "VAE",
    "ActNorm",
    "AffineCoupling",
    "Autoregressive",
    "DegenerateComponent",
    "ExpectationMaximisation",
    "Flow",
    "GMMFit",
    "GatedPixelCNN",
    "GaussianEmission",
    "Gaussianise",
    "ImpossibleSequence",
    "LinearVAE",
    "Permutation",
    "PixelCNN",
    "RowLSTM",
    "SymbolEmission",
    "Transformer",
    "WaveNet",
    "backward_messages",
    "baum_welch_step",
    "bic",
    "dependence",
    "e_step",
    "fit_gmm",
    "fit_linear_vae",
    "forward_messages",
    "importance_weighted_bound",
    "kl_to_prior",
    "kmeans_plus_plus",
    "log_likelihood",
    "log_prob",
    "log_weights",
    "m_step",
    "normal_log_prob",
    "parameter_count",
    "posteriors",
    "real_nvp",
    "reparameterise",
    "sample",
    "sample_cached",
    "vae_loss",
    "viterbi",
]
