"""Forward and backward messages of a hidden Markov model against hmmlearn's, in one run."""

import statistics
import time

import numpy as np
import torch
from hmmlearn.hmm import CategoricalHMM

from benchmarks.row import row
from gdmcourse.likelihood import HMM, SymbolEmission, posteriors

SEQUENCES, STEPS, STATES, SYMBOLS, REPEATS, THREADS = 256, 200, 8, 6, 7, 2


def problem() -> tuple[HMM, torch.Tensor]:
    """Random tables and sequences that such a model drew."""
    generator = torch.Generator().manual_seed(0)
    shapes = (STATES,), (STATES, STATES), (STATES, SYMBOLS)
    initial, transition, emission = (
        torch.randn(shape, generator=generator, dtype=torch.float64).softmax(-1) for shape in shapes
    )
    model = HMM(initial, transition, SymbolEmission(emission))
    return model, model.sample(SEQUENCES, STEPS, generator)[0]


def peer_of(model: HMM, implementation: str) -> CategoricalHMM:
    """hmmlearn with the same tables."""
    peer = CategoricalHMM(STATES, n_features=SYMBOLS, implementation=implementation)
    peer.startprob_, peer.transmat_, peer.emissionprob_ = (
        table.detach().exp().numpy() for table in model.parameters()
    )
    return peer


def rows() -> list[dict[str, str | float]]:
    """Median times of interleaved runs for log-likelihood and posterior states, and how far these are apart.

    hmmlearn computes in log space unless told to scale probabilities, which is its faster way.
    """
    torch.set_num_threads(THREADS)
    model, x = problem()
    flat, lengths = x.reshape(-1, 1).numpy(), [STEPS] * SEQUENCES
    peers = {name: peer_of(model, name) for name in ("log", "scaling")}
    seconds: dict[str, list[float]] = {"ours": [], **{name: [] for name in peers}}
    apart = 0.0
    for repeat in range(REPEATS + 1):
        begin = time.perf_counter()
        with torch.no_grad():
            ours = posteriors(*model.log_tables(x))
        took = {"ours": time.perf_counter() - begin}
        for name, peer in peers.items():
            begin = time.perf_counter()
            score, states = peer.score_samples(flat, lengths)
            took[name] = time.perf_counter() - begin
            apart = max(apart, float(np.abs(ours.states.flatten(0, 1).numpy() - states).max()))
            assert abs(ours.log_likelihood.sum().item() - score) < 1e-6
        if repeat:  # the first run of each warms up
            for name, value in took.items():
                seconds[name].append(value)
    median = {name: statistics.median(values) for name, values in seconds.items()}
    what = f"HMM, forward–backward, {SEQUENCES} sequences, {STEPS} steps, {STATES} states"
    return [
        row(f"{what} (peer: hmmlearn, log space)", median["ours"], median["log"], "s", 0.5),
        row(f"{what} (peer: hmmlearn, scaled)", median["ours"], median["scaling"], "s", 3.0),
        row("HMM, largest difference of a posterior (peer: what is allowed)", apart, 1e-8, ""),
    ]
