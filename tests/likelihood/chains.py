"""Chains for the tests of hidden Markov models, and every path that there is as their judge."""

import itertools

import torch
from torch import Tensor

from gdmcourse.data.dice import casino
from gdmcourse.likelihood import HMM, GaussianEmission, SymbolEmission
from tests.oracles import gen


def chain(states: int, length: int, sequences: int = 3, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Log tables of a random chain and random log-likelihoods of a few sequences, in float64."""
    shapes = (states,), (states, states), (sequences, length, states)
    initial, transition, told = (
        torch.randn(s, generator=gen(seed + i), dtype=torch.float64) for i, s in enumerate(shapes)
    )
    return initial.log_softmax(-1), transition.log_softmax(-1), 3 * told


def all_paths(initial: Tensor, transition: Tensor, told: Tensor) -> tuple[Tensor, Tensor]:
    """Every path, (paths, L), and log p(x, path) of each sequence, (N, paths)."""
    length, states = told.shape[1:]
    every = torch.tensor(list(itertools.product(range(states), repeat=length)))
    moves = transition[every[:, :-1], every[:, 1:]].sum(1)
    return every, initial[every[:, 0]] + moves + told[:, torch.arange(length), every].sum(2)


def casino_model() -> HMM:
    """The casino's own law, in float64."""
    initial, transition, emission = (table.double() for table in casino())
    return HMM(initial, transition, SymbolEmission(emission))


def random_model(states: int, symbols: int, seed: int) -> HMM:
    """Random tables, in float64."""
    shapes = (states,), (states, states), (states, symbols)
    initial, transition, emission = (
        torch.randn(s, generator=gen(seed + i), dtype=torch.float64).softmax(-1) for i, s in enumerate(shapes)
    )
    return HMM(initial, transition, SymbolEmission(emission))


def gaussian_model(states: int, d: int, seed: int, floor: float = 1e-6) -> HMM:
    """Random tables and Gaussians, in float64."""
    chain_part = random_model(states, 2, seed)
    means = 2 * torch.randn(states, d, generator=gen(seed + 7), dtype=torch.float64)
    variances = 0.5 + torch.rand(states, d, generator=gen(seed + 8), dtype=torch.float64)
    initial, transition = chain_part.initial.detach().exp(), chain_part.transition.detach().exp()
    return HMM(initial, transition, GaussianEmission(means, variances, floor))
