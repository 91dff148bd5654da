"""What a hidden Markov model refuses, with a sentence that says what to do."""

import math

import pytest
import torch

from gdmcourse.data.dice import casino, roll_dice
from gdmcourse.likelihood import (
    HMM,
    ExpectationMaximisation,
    GaussianEmission,
    ImpossibleSequence,
    SymbolEmission,
    backward_messages,
    baum_welch_step,
    forward_messages,
    log_likelihood,
    posteriors,
    viterbi,
)
from tests.likelihood.chains import casino_model, chain, gaussian_model
from tests.oracles import gen

close = torch.testing.assert_close


def test_what_cannot_be_is_refused_by_name():
    initial, transition, emission = casino()
    with pytest.raises(ValueError, match=r"transition: each row .* sum to one, but sums run from 1 to 1\.1"):
        HMM(initial, transition + torch.tensor([[0.0, 0.0], [0.1, 0.0]]), SymbolEmission(emission))
    with pytest.raises(ValueError, match="initial: each row"):
        HMM(torch.tensor([1.5, -0.5]), transition, SymbolEmission(emission))
    with pytest.raises(ValueError, match="emission: each row"):
        SymbolEmission(2 * emission)
    model = casino_model()
    with pytest.raises(ValueError, match="symbols are 0 … 5, not 0 … 6"):
        model(torch.tensor([[0, 6]]))
    for empty in (torch.zeros(0, 5).long(), torch.zeros(3, 0).long()):
        with pytest.raises(ValueError, match="at least one sequence of at least one step"):
            model(empty)
    for lengths in ([0, 2], [1, 3]):
        with pytest.raises(ValueError, match="lengths must be 1 … 2, not"):
            model(torch.zeros(2, 2).long(), torch.tensor(lengths))
    with pytest.raises(ValueError, match="at least one sequence"):
        roll_dice(0, 5, gen())
    with pytest.raises(ValueError, match="at least one sequence"):
        model.sample(1, 0, gen())
    with pytest.raises(ValueError, match=r"\(N, L, 3\)"):
        SymbolEmission(torch.full((2, 3, 4), 0.25)).log_prob(torch.zeros(1, 2, 5).long())


def test_a_variance_below_the_floor_is_refused_since_lifting_it_may_cost():
    means = torch.zeros(1, 2)
    with pytest.raises(ValueError, match="floor must be above 0, not 0"):
        GaussianEmission(means, torch.ones(1, 2), floor=0.0)
    with pytest.raises(ValueError, match=r"no variance may start below the floor, 0\.1"):
        GaussianEmission(means, torch.tensor([[1.0, 0.09]]), floor=0.1)
    GaussianEmission(means, torch.full((1, 2), 0.1), floor=0.1)  # a tenth in float32 is a tenth


@pytest.mark.usefixtures("unchecked")
def test_shapes_that_do_not_fit_are_refused():
    two, even = torch.full((2,), 0.5), torch.full((2, 2), 0.5)
    for initial in (torch.ones(1), torch.tensor(1.0), even):
        with pytest.raises(ValueError, match=r"initial must be \(K,\) and transition \(K, K\)"):
            HMM(initial, even, SymbolEmission(even))
    with pytest.raises(ValueError, match="the chain has 2 states and its emission 3"):
        HMM(two, even, SymbolEmission(torch.full((3, 2), 0.5)))(torch.zeros(1, 4).long())
    with pytest.raises(ValueError, match=r"means and variances must both be \(K, D\)"):
        GaussianEmission(torch.zeros(2, 3), torch.ones(2, 1))
    for means, variances in ((torch.nan, 1.0), (torch.inf, 1.0), (0.0, torch.inf)):
        with pytest.raises(ValueError, match="means and variances must be finite"):
            GaussianEmission(torch.full((2, 3), means), torch.full((2, 3), variances))
    bells = GaussianEmission(torch.zeros(2, 3), torch.ones(2, 3))
    for shape in ((4, 5, 1), (4, 3)):
        with pytest.raises(ValueError, match=r"must be \(N, L, 3\), not"):
            bells.log_prob(torch.zeros(shape))
    tables = chain(2, 4)
    for lengths, said in (([0, 2, 4], "lengths must be 1 … 4, not 0 … 4"), ([3], r"lengths must be \(3,\)")):
        for ask in (log_likelihood, posteriors, viterbi):
            with pytest.raises(ValueError, match=said):
                ask(*tables, torch.tensor(lengths))


def test_probabilities_in_the_place_of_their_logarithms_are_refused():
    initial, transition, told = chain(2, 4)
    for ask in (
        lambda: forward_messages(initial.exp(), transition, told),
        lambda: backward_messages(transition.exp(), told),
        lambda: log_likelihood(initial, transition.exp(), told),
        lambda: posteriors(initial, transition.exp(), told),
        lambda: viterbi(initial.exp(), transition, told),
    ):
        with pytest.raises(
            ValueError, match=r"hold logarithms of probabilities, and 0\.\d+ is none; write table"
        ):
            ask()


def test_a_sequence_that_cannot_occur_is_named():
    model = HMM(torch.tensor([1.0]), torch.tensor([[1.0]]), SymbolEmission(torch.tensor([[1.0, 0.0]])))
    tables = model.log_tables(torch.tensor([[0, 0], [0, 1]]))
    assert log_likelihood(*tables).tolist() == [0, -math.inf]
    for ask in (posteriors, viterbi):
        with pytest.raises(ImpossibleSequence, match="sequence 1 has probability 0") as caught:
            ask(*tables)
        assert caught.value.sequence == 1


def test_nan_in_the_data_is_named_and_leaves_no_trace():
    model, x = gaussian_model(2, 1, seed=0), torch.zeros(3, 4, 1).double()
    x[2, 1] = torch.nan
    before = [table.clone() for table in model.state_dict().values()]
    for ask in (model.decode, lambda x: baum_welch_step(model, x)):
        with pytest.raises(ValueError, match="sequence 2 has the log-likelihood nan"):
            ask(x)
    em = ExpectationMaximisation(model.parameters())
    (-model(x).mean()).backward()
    with pytest.raises(ValueError, match="an expected count is nan"):
        em.step()
    for table, was in zip(model.state_dict().values(), before, strict=True):
        close(table, was, atol=0, rtol=0)
