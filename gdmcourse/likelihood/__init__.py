"""Models fitted by likelihood: Gaussian mixtures, hidden Markov chains, autoregressive networks."""

from gdmcourse.likelihood.autoregressive import Autoregressive, dependence, log_prob, sample
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
from gdmcourse.likelihood.made import MADE
from gdmcourse.likelihood.pixelcnn import GatedPixelCNN, PixelCNN
from gdmcourse.likelihood.row_lstm import RowLSTM
from gdmcourse.likelihood.transformer import Transformer, sample_cached
from gdmcourse.likelihood.wavenet import WaveNet

__all__ = [
    "MADE",
    "Autoregressive",
    "DegenerateComponent",
    "DiscreteHMM",
    "ExpectationMaximisation",
    "GMMFit",
    "GatedPixelCNN",
    "PixelCNN",
    "RowLSTM",
    "Transformer",
    "WaveNet",
    "bic",
    "dependence",
    "e_step",
    "fit_gmm",
    "forward_messages",
    "kmeans_plus_plus",
    "log_prob",
    "m_step",
    "parameter_count",
    "sample",
    "sample_cached",
    "viterbi",
]
