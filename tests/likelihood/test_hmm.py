"""Hidden Markov chains: sums and maxima against every path there is, and against hmmlearn."""

import math

import pytest
import torch
from hmmlearn.hmm import CategoricalHMM, GaussianHMM

from gdmcourse.data.dice import casino, roll_dice
from gdmcourse.likelihood import (
    SymbolEmission,
    backward_messages,
    forward_messages,
    log_likelihood,
    posteriors,
    viterbi,
)
from tests.likelihood.chains import all_paths, casino_model, chain, gaussian_model, random_model
from tests.oracles import gen

close = torch.testing.assert_close
SIZES = [(1, 1), (1, 3), (2, 1), (2, 5), (3, 4), (4, 3)]
LENGTHS = torch.tensor([1, 4, 3])


@pytest.mark.equation("eq-hmm-forward")
@pytest.mark.parametrize(("states", "length"), SIZES)
def test_forward_messages_are_sums_over_the_paths_so_far(states, length):
    tables = chain(states, length)
    messages = forward_messages(*tables)
    for t in range(length):
        paths, joint = all_paths(tables[0], tables[1], tables[2][:, : t + 1])
        for k in range(states):
            close(messages[:, t, k], joint[:, paths[:, -1] == k].logsumexp(1), atol=1e-10, rtol=0)
    close(log_likelihood(*tables), joint.logsumexp(1), atol=1e-10, rtol=0)


@pytest.mark.equation("eq-hmm-backward")
@pytest.mark.parametrize(("states", "length"), SIZES)
def test_backward_messages_are_sums_over_the_paths_to_come(states, length):
    initial, transition, told = chain(states, length)
    messages = backward_messages(transition, told)
    close(messages[:, -1], torch.zeros_like(messages[:, -1]), atol=0, rtol=0)
    for t in range(length - 1):
        for k in range(states):  # what is to come, from a chain that starts by leaving k
            _, joint = all_paths(transition[k], transition, told[:, t + 1 :])
            close(messages[:, t, k], joint.logsumexp(1), atol=1e-10, rtol=0)
    ends = (initial + told[:, 0] + messages[:, 0]).logsumexp(1)
    close(ends, log_likelihood(initial, transition, told), atol=1e-10, rtol=0)


@pytest.mark.equation("eq-hmm-smoothing", "eq-hmm-pairs")
@pytest.mark.parametrize(("states", "length"), SIZES)
def test_posteriors_are_shares_of_the_paths(states, length):
    tables = chain(states, length)
    paths, joint = all_paths(*tables)
    share = joint.softmax(1)
    told = posteriors(*tables)
    forward, backward = forward_messages(*tables), backward_messages(*tables[1:])
    moves = torch.zeros(states, states, dtype=torch.float64)
    for t in range(length):
        for k in range(states):
            close(told.states[:, t, k], share[:, paths[:, t] == k].sum(1), atol=1e-12, rtol=0)
            if not t:
                continue
            came = paths[:, t - 1] == k
            for j in range(states):
                xi = forward[:, t - 1, k] + tables[1][k, j] + tables[2][:, t, j] + backward[:, t, j]
                wanted = share[:, came & (paths[:, t] == j)].sum(1)
                close((xi - told.log_likelihood).exp(), wanted, atol=1e-12, rtol=0)
                moves[k, j] += wanted.sum()
    close(told.moves, moves, atol=1e-12, rtol=0)


@pytest.mark.equation("eq-hmm-viterbi")
@pytest.mark.parametrize(("states", "length"), SIZES)
def test_viterbi_is_the_best_of_all_paths(states, length):
    tables = chain(states, length)
    paths, joint = all_paths(*tables)
    assert torch.equal(viterbi(*tables), paths[joint.argmax(1)])


@pytest.mark.equation("eq-hmm-viterbi")
@pytest.mark.parametrize("seed", range(8))
def test_among_equal_paths_the_lowest_states_are_taken_from_the_end_on(seed):
    """Scores are small whole numbers, so that ties are many and exact."""
    scores = [torch.randint(-1, 1, s, generator=gen(seed)).double() for s in ((3,), (3, 3), (5, 4, 3))]
    paths, joint = all_paths(*scores)
    for best, value in zip(viterbi(*scores), joint, strict=True):
        tied = paths[value == value.max()].tolist()
        assert best.tolist() == min(tied, key=lambda path: path[::-1])
    zeros = torch.zeros(2), torch.zeros(2, 2), torch.zeros(1, 4, 2)
    assert viterbi(*zeros).tolist() == [[0, 0, 0, 0]]


@pytest.mark.equation("eq-hmm-quiet")
def test_sequences_of_different_length_are_as_if_alone():
    initial, transition, told = chain(3, 4)
    garbage = told.masked_fill(torch.arange(4)[None, :, None] >= LENGTHS[:, None, None], 77.0)
    together = posteriors(initial, transition, garbage, LENGTHS)
    backward = backward_messages(transition, garbage, LENGTHS)
    best, moves = viterbi(initial, transition, garbage, LENGTHS), torch.zeros(3, 3).double()
    for n, length in enumerate(LENGTHS.tolist()):
        part = initial, transition, told[n : n + 1, :length]
        alone = posteriors(*part)
        moves += alone.moves
        close(together.log_likelihood[n], all_paths(*part)[1].logsumexp(1)[0])
        close(log_likelihood(initial, transition, garbage, LENGTHS)[n], alone.log_likelihood[0])
        close(together.states[n, :length], alone.states[0])
        assert not together.states[n, length:].any()
        close(backward[n, :length], backward_messages(*part[1:])[0])
        assert best[n].tolist() == [*viterbi(*part)[0].tolist(), *[-1] * (4 - length)]
    close(together.moves, moves)


@pytest.mark.equation("eq-hmm-quiet")
def test_steps_that_say_nothing_at_the_end_change_nothing():
    initial, transition, told = chain(3, 4)
    longer = torch.cat([told, torch.zeros(3, 3, 3).double()], dim=1)
    close(all_paths(initial, transition, longer)[1].logsumexp(1), log_likelihood(initial, transition, told))
    close(
        forward_messages(initial, transition, longer)[:, -1].logsumexp(1),
        log_likelihood(initial, transition, told),
    )
    close(
        backward_messages(transition, longer)[:, :4], backward_messages(transition, told), atol=1e-12, rtol=0
    )


def test_a_rare_way_that_underflows_beside_the_usual_one_is_kept():
    """State 2 is reached from state 1 alone, 900 nats less likely, and only state 2 shows what follows."""
    never = -torch.inf
    initial = torch.tensor([0.0, -900.0, never]).double()
    transition = torch.tensor([[0.0, never, never], [never, -1.0, -1.0], [never, never, 0.0]]).double()
    told = torch.tensor([[[0.0, 0.0, 0.0], [never, never, -2.0], [never, never, -3.0]]]).double()
    tables = initial, transition, told
    assert log_likelihood(*tables).item() == pytest.approx(-900 - 1 - 2 - 3)
    assert posteriors(*tables).states[0].tolist() == [[0, 1, 0], [0, 0, 1], [0, 0, 1]]
    moves = posteriors(*tables).moves
    close(moves, torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 1.0]]).double())
    tables = [table.clone().requires_grad_() for table in tables]
    (gradient,) = torch.autograd.grad(log_likelihood(*tables).sum(), tables[1])
    close(gradient, moves)


def test_ten_thousand_steps_stay_finite():
    model = casino_model()
    rolls, dice = roll_dice(1, 10_000, gen())
    tables = model.log_tables(rolls)
    told = posteriors(*tables)
    assert told.log_likelihood.item() == pytest.approx(-10_000 * 1.7, rel=0.05)
    close(told.states.sum(2), torch.ones(1, 10_000).double())
    assert told.moves.sum().item() == pytest.approx(9_999)
    # In float32 the shares of states lose little, since sums are kept in float64.
    close(model.float()(rolls), told.log_likelihood, rtol=1e-6, atol=0)
    assert (model.decode(rolls) == dice).double().mean() > 0.8


@pytest.mark.parametrize("lengths", [[30] * 5, [30, 1, 12, 2, 29]])
def test_it_is_hmmlearns(lengths):
    model, (rolls, _) = random_model(3, 6, seed=1), roll_dice(5, 30, gen(1))
    peer = CategoricalHMM(3, n_features=6)
    peer.startprob_, peer.transmat_, peer.emissionprob_ = (
        t.detach().exp().numpy() for t in model.parameters()
    )
    flat = torch.cat([row[:length] for row, length in zip(rolls, lengths, strict=True)])[:, None].numpy()
    score, shares = peer.score_samples(flat, lengths)
    inside = torch.arange(30) < torch.tensor(lengths)[:, None]
    told = posteriors(*model.log_tables(rolls), torch.tensor(lengths))
    assert told.log_likelihood.sum().item() == pytest.approx(score, abs=1e-8)
    assert model(rolls, torch.tensor(lengths)).sum().item() == pytest.approx(score, abs=1e-8)
    close(told.states[inside], torch.from_numpy(shares), atol=1e-8, rtol=0)
    best = model.decode(rolls, torch.tensor(lengths))
    assert best[inside].tolist() == peer.predict(flat, lengths).tolist()


def test_gaussians_are_hmmlearns():
    model = gaussian_model(3, 2, seed=3)
    x, _ = model.sample(4, 20, gen(2))
    peer = GaussianHMM(3, covariance_type="diag")
    peer.startprob_, peer.transmat_ = (t.detach().exp().numpy() for t in (model.initial, model.transition))
    peer.means_, peer.covars_ = model.emission.means.numpy(), model.emission.variances.numpy()
    score, shares = peer.score_samples(x.flatten(0, 1).numpy(), [20] * 4)
    told = posteriors(*model.log_tables(x))
    assert told.log_likelihood.sum().item() == pytest.approx(score, abs=1e-8)
    close(told.states.flatten(0, 1), torch.from_numpy(shares), atol=1e-8, rtol=0)


def test_symbols_side_by_side_are_independent_given_the_state():
    table = torch.rand(2, 3, 4, generator=gen(), dtype=torch.float64)
    table = table / table.sum(-1, keepdim=True)
    x = torch.randint(4, (5, 6, 3), generator=gen(1))
    wanted = sum(table[:, d].log().T[x[:, :, d]] for d in range(3))
    close(SymbolEmission(table).log_prob(x), wanted)


def test_samples_have_the_law_of_the_tables():
    symbols, states = casino_model().sample(2000, 20, gen())
    initial, transition, emission = casino()
    stay = (states[:, :-1] == 0) & (states[:, 1:] == 0)
    assert stay.sum() / (states[:, :-1] == 0).sum() == pytest.approx(transition[0, 0].item(), abs=0.01)
    assert (states[:, 0] == 0).double().mean() == pytest.approx(initial[0].item(), abs=0.05)
    assert (symbols[states == 1] == 5).double().mean() == pytest.approx(emission[1, 5].item(), abs=0.01)
    model = gaussian_model(2, 1, seed=5)
    x, states = model.sample(2000, 5, gen())
    for k in (0, 1):
        drawn = x[states == k]
        assert drawn.mean().item() == pytest.approx(model.emission.means[k].item(), abs=0.05)
        assert drawn.var().item() == pytest.approx(model.emission.variances[k].item(), rel=0.1)


def test_a_chain_of_one_state_is_a_law_without_memory():
    model, (rolls, _) = random_model(1, 6, seed=0), roll_dice(2, 7, gen())
    close(model(rolls), model.emission.table[0][rolls].sum(1))
    assert math.isclose(model.transition.exp().item(), 1)
