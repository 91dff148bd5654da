"""Hidden Markov chains: against every path there is, and against hmmlearn."""

import itertools
import math

import pytest
import torch
from hmmlearn.hmm import CategoricalHMM
from torch import Tensor

from gdmcourse.data.dice import casino, roll_dice
from gdmcourse.likelihood.hmm import DiscreteHMM, ExpectationMaximisation, forward_messages, viterbi

RNG = torch.Generator().manual_seed(0)


def chain(states: int, length: int, sequences: int = 3) -> tuple[Tensor, Tensor, Tensor]:
    """A random chain and random log-likelihoods of a few sequences, in float64."""
    rng = torch.Generator().manual_seed(states + 10 * length)
    shapes = (states,), (states, states), (sequences, length, states)
    initial, transition, emission = (torch.randn(s, generator=rng, dtype=torch.float64) for s in shapes)
    return initial.log_softmax(-1), transition.log_softmax(-1), emission


def paths(initial: Tensor, transition: Tensor, emission: Tensor) -> tuple[list[tuple[int, ...]], Tensor]:
    """Every path and log p(x, path) of each sequence, (N, paths)."""
    length, states = emission.shape[1:]
    every = list(itertools.product(range(states), repeat=length))
    joint = torch.stack(
        [
            initial[path[0]]
            + sum(transition[a, b] for a, b in itertools.pairwise(path))
            + emission[:, range(length), path].sum(1)
            for path in every
        ],
        dim=1,
    )
    return every, joint


@pytest.mark.parametrize(("states", "length"), [(1, 1), (2, 1), (2, 5), (3, 4)])
def test_forward_and_viterbi_are_the_sum_and_the_best_of_all_paths(states, length):
    tables = chain(states, length)
    every, joint = paths(*tables)
    messages = forward_messages(*tables)
    torch.testing.assert_close(messages[:, -1].logsumexp(1), joint.logsumexp(1), atol=1e-10, rtol=0)
    best = torch.tensor(every)[joint.argmax(1)]
    assert torch.equal(viterbi(*tables), best)


def test_among_equal_paths_the_lowest_states_are_taken():
    zeros = torch.zeros(2), torch.zeros(2, 2), torch.zeros(1, 4, 2)
    assert viterbi(*zeros).tolist() == [[0, 0, 0, 0]]


def test_ten_thousand_steps_stay_finite():
    model = casino_model()
    rolls, _ = roll_dice(1, 10_000, torch.Generator().manual_seed(0))
    assert model(rolls).isfinite().all()
    assert model(rolls).item() == pytest.approx(-10_000 * 1.7, rel=0.05)


def casino_model() -> DiscreteHMM:
    model = DiscreteHMM(2, 6)
    with torch.no_grad():
        for table, probabilities in zip(model.parameters(), casino(), strict=True):
            table.copy_(probabilities.log())
    return model


def test_an_em_step_is_that_of_hmmlearn():
    rolls, _ = roll_dice(5, 30, torch.Generator().manual_seed(1))
    torch.manual_seed(0)
    model = DiscreteHMM(2, 6).double()
    peer = CategoricalHMM(2, n_iter=1, tol=0, init_params="", n_features=6)
    peer.startprob_, peer.transmat_, peer.emissionprob_ = (
        table.detach().exp().numpy() for table in model.parameters()
    )
    log_likelihood = model(rolls).sum().item()
    assert log_likelihood == pytest.approx(peer.score(rolls.reshape(-1, 1).numpy(), [30] * 5), abs=1e-8)
    em = ExpectationMaximisation(model.parameters())
    (-model(rolls).sum()).backward()
    em.step()
    peer.fit(rolls.reshape(-1, 1).numpy(), [30] * 5)
    for table, theirs in zip(
        model.parameters(), (peer.startprob_, peer.transmat_, peer.emissionprob_), strict=True
    ):
        torch.testing.assert_close(table.detach().exp(), torch.from_numpy(theirs), atol=1e-8, rtol=0)


@pytest.mark.parametrize("seed", range(5))
def test_em_never_lowers_the_likelihood(seed):
    rolls, _ = roll_dice(4, 25, torch.Generator().manual_seed(seed))
    torch.manual_seed(seed)
    model, values = DiscreteHMM(3, 6).double(), []
    em = ExpectationMaximisation(model.parameters())
    for _ in range(30):
        em.zero_grad()
        loss = -model(rolls).sum()
        loss.backward()
        em.step()
        values.append(loss.item())
    assert all(after <= before + 1e-9 for before, after in itertools.pairwise(values))
    for table in model.parameters():
        torch.testing.assert_close(table.exp().sum(-1), torch.ones_like(table.sum(-1)), atol=1e-6, rtol=0)


def test_a_constant_output_and_an_unused_state_stay_finite():
    model = DiscreteHMM(3, 6)
    with torch.no_grad():
        model.initial.copy_(torch.tensor([1.0, 0.0, 0.0]).clamp(min=1e-38).log())
    em = ExpectationMaximisation(model.parameters())
    for _ in range(20):
        em.zero_grad()
        (-model(torch.full((2, 10), 3)).mean()).backward()
        em.step()
    assert all(table.isfinite().all() for table in model.parameters())
    assert model(torch.full((1, 10), 3)).item() == pytest.approx(0, abs=1e-4)


def test_samples_have_the_law_of_the_tables():
    symbols, states = casino_model().sample(2000, 20, torch.Generator().manual_seed(0))
    initial, transition, emission = casino()
    stay = (states[:, :-1] == 0) & (states[:, 1:] == 0)
    assert stay.sum() / (states[:, :-1] == 0).sum() == pytest.approx(transition[0, 0].item(), abs=0.01)
    assert (states[:, 0] == 0).double().mean() == pytest.approx(initial[0].item(), abs=0.05)
    assert (symbols[states == 1] == 5).double().mean() == pytest.approx(emission[1, 5].item(), abs=0.01)


def test_an_unknown_symbol_is_refused():
    with pytest.raises(ValueError, match="symbols are 0 … 5, not 0 … 6"):
        DiscreteHMM(2, 6)(torch.tensor([[0, 6]]))
    with pytest.raises(ValueError, match="at least one sequence"):
        roll_dice(0, 5, RNG)


def test_a_chain_of_one_state_is_a_law_without_memory():
    model = DiscreteHMM(1, 6)
    rolls, _ = roll_dice(2, 7, torch.Generator().manual_seed(0))
    expected = model.emission.log_softmax(-1)[0][rolls].sum(1)
    torch.testing.assert_close(model(rolls), expected)
    assert math.isclose(model.transition.exp().item(), 1)
