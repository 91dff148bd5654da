"""Baum and Welch's EM: against hmmlearn, against a search, and that it never lowers the likelihood."""

import itertools

import pytest
import torch
from hmmlearn.hmm import CategoricalHMM, GaussianHMM
from hypothesis import example, given
from hypothesis import strategies as st

from gdmcourse.data.dice import roll_dice
from gdmcourse.likelihood import (
    HMM,
    ExpectationMaximisation,
    GaussianEmission,
    SymbolEmission,
    baum_welch_step,
    log_likelihood,
    posteriors,
)
from tests.likelihood.chains import all_paths, chain, gaussian_model, random_model
from tests.oracles import gen

close = torch.testing.assert_close
LENGTHS = torch.tensor([30, 1, 12, 2, 29])


def flat(x: torch.Tensor, lengths: torch.Tensor):
    """Sequences one below the other, as hmmlearn has them."""
    rows = torch.cat([row[:length] for row, length in zip(x, lengths, strict=True)])
    return rows.reshape(len(rows), -1).numpy()


def tables_of(model) -> list[torch.Tensor]:
    return [table.detach().exp() for table in model.parameters()]


@pytest.mark.equation("eq-hmm-m-step")
def test_a_step_on_symbols_is_hmmlearns():
    rolls, _ = roll_dice(5, 30, gen(1))
    model = random_model(2, 6, seed=0)
    peer = CategoricalHMM(2, n_iter=1, tol=0, init_params="", n_features=6)
    peer.startprob_, peer.transmat_, peer.emissionprob_ = (table.numpy() for table in tables_of(model))
    peer.fit(flat(rolls, LENGTHS), LENGTHS.tolist())
    baum_welch_step(model, rolls, LENGTHS)
    for table, theirs in zip(
        tables_of(model), (peer.startprob_, peer.transmat_, peer.emissionprob_), strict=True
    ):
        close(table, torch.from_numpy(theirs), atol=1e-8, rtol=0)


@pytest.mark.equation("eq-hmm-m-step", "eq-hmm-floor")
def test_a_step_on_gaussians_is_hmmlearns():
    """Its prior on the variances is switched off; what padding holds doesn't matter, not even `nan`."""
    model = gaussian_model(3, 2, seed=4)
    x, _ = gaussian_model(3, 2, seed=5).sample(5, 30, gen(0))
    peer = GaussianHMM(3, n_iter=1, tol=0, init_params="", covars_prior=0, covars_weight=1, min_covar=0)
    peer.startprob_, peer.transmat_ = (t.numpy() for t in tables_of(model)[:2])
    peer.means_, peer.covars_ = model.emission.means.numpy().copy(), model.emission.variances.numpy().copy()
    peer.fit(flat(x, LENGTHS), LENGTHS.tolist())
    padded = x.masked_fill((torch.arange(30) >= LENGTHS[:, None])[:, :, None], torch.nan)
    baum_welch_step(model, padded, LENGTHS)
    close(model.emission.means, torch.from_numpy(peer.means_), atol=1e-8, rtol=0)
    variances = torch.from_numpy(peer.covars_).diagonal(dim1=1, dim2=2)
    close(model.emission.variances, variances, atol=1e-8, rtol=0)
    for table, theirs in zip(tables_of(model), (peer.startprob_, peer.transmat_), strict=True):
        close(table, torch.from_numpy(theirs), atol=1e-8, rtol=0)


@pytest.mark.equation("eq-hmm-fisher")
@pytest.mark.parametrize("states", [1, 2, 3])
def test_the_gradient_holds_the_counts_of_the_paths(states):
    """With respect to the chain and to every single log-likelihood; counts by hand over all paths."""
    tables = [table.requires_grad_() for table in chain(states, 4)]
    paths, joint = all_paths(*(table.detach() for table in tables))
    share = joint.softmax(1)
    hot = torch.nn.functional.one_hot(paths, states).double()  # (paths, L, K)
    initial, moves, steps = torch.autograd.grad(log_likelihood(*tables).sum(), tables)
    close(initial, torch.einsum("np,pk->k", share, hot[:, 0]))
    close(moves, torch.einsum("np,pti,ptj->ij", share, hot[:, :-1], hot[:, 1:]))
    close(steps, torch.einsum("np,ptk->ntk", share, hot))


@pytest.mark.equation("eq-hmm-fisher")
@pytest.mark.parametrize("lengths", [None, LENGTHS])
def test_the_step_by_the_gradient_is_the_step_by_counts(lengths):
    rolls, _ = roll_dice(5, 30, gen(2))
    by_counts, by_gradient = random_model(3, 6, seed=8), random_model(3, 6, seed=8)
    em = ExpectationMaximisation(by_gradient.parameters())
    for _ in range(3):
        em.zero_grad()
        loss = -by_gradient(rolls, lengths).mean()
        loss.backward()
        em.step()
        assert baum_welch_step(by_counts, rolls, lengths) == pytest.approx(-loss.item())
    for one, other in zip(by_counts.parameters(), by_gradient.parameters(), strict=True):
        close(one, other)


@pytest.mark.equation("eq-hmm-monotone")
@given(
    seed=st.integers(0, 10_000),
    states=st.integers(1, 4),
    lengths=st.lists(st.integers(1, 12), min_size=1, max_size=5),
    kind=st.sampled_from(["symbols", "gaussian", "floored"]),
)
@example(seed=4986, states=3, lengths=[2], kind="symbols")
def test_em_never_lowers_the_likelihood(seed, states, lengths, kind):
    n, longest, lengths = len(lengths), max(lengths), torch.tensor(lengths)
    if kind == "symbols":
        model, x = random_model(states, 4, seed), torch.randint(4, (n, longest), generator=gen(seed))
    else:
        model = gaussian_model(states, 2, seed, floor=0.3 if kind == "floored" else 1e-6)
        x = torch.randn(n, longest, 2, generator=gen(seed), dtype=torch.float64)
        x[x > 1] = 1.0  # some numbers often, on which a state may sit
    values = [baum_welch_step(model, x, lengths) for _ in range(6)]
    rounding = 1e-14  # of a sequence that has become certain, whose log-likelihood is 0
    assert all(
        later >= earlier - 1e-9 * abs(earlier) - rounding for earlier, later in itertools.pairwise(values)
    )


@pytest.mark.equation("eq-hmm-monotone")
def test_the_gain_is_that_of_the_bound_and_a_divergence_over_all_paths():
    """The bracket from the counts, as `def-hmm-q` has them; the divergence path by path."""
    rolls = torch.randint(4, (3, 5), generator=gen(1))
    model = random_model(2, 4, seed=3)
    old = [table.detach().clone() for table in model.log_tables(rolls)]  # the step writes in place
    told = posteriors(*old)
    baum_welch_step(model, rolls)
    new = [table.detach() for table in model.log_tables(rolls)]
    assert all((b - a).abs().max() > 0.1 for a, b in zip(old, new, strict=True))
    counts = told.states[:, 0].sum(0), told.moves, told.states
    bracket = sum((count * (b - a)).sum() for count, a, b in zip(counts, old, new, strict=True))
    before, after = all_paths(*old)[1], all_paths(*new)[1]
    q = before.softmax(1)
    divergence = (q * (before.log_softmax(1) - after.log_softmax(1))).sum()
    assert bracket > 0
    close((after.logsumexp(1) - before.logsumexp(1)).sum(), bracket + divergence)


@pytest.mark.equation("eq-hmm-monotone")
def test_from_the_top_a_step_stays_there_for_states_in_sight():
    """Each symbol shows its state, so the best tables are counts by hand, of moves within a sequence only."""
    states = torch.randint(3, (40, 6), generator=gen(3))
    lengths = torch.arange(40) % 6 + 1
    inside = torch.arange(6) < lengths[:, None]
    starts, moves = torch.zeros(3).double(), torch.zeros(3, 3).double()
    for row, length in zip(states.tolist(), lengths.tolist(), strict=True):
        starts[row[0]] += 1
        for before, after in itertools.pairwise(row[:length]):
            moves[before, after] += 1
    tables = starts / starts.sum(), moves / moves.sum(1, keepdim=True)
    model = HMM(*tables, SymbolEmission(torch.eye(3).double()))
    top = baum_welch_step(model, states.masked_fill(~inside, 0), lengths)
    assert baum_welch_step(model, states, lengths) == pytest.approx(top, abs=1e-12)
    for table, best in zip(tables_of(model), tables, strict=False):
        close(table, best)


@pytest.mark.equation("eq-hmm-monotone")
@pytest.mark.parametrize("floor", [0.1, 2.0])
def test_from_the_top_a_step_stays_there_for_one_gaussian(floor):
    """Its mean is that of the data, and its variance theirs or the floor; a floor that is added goes down."""
    x = torch.randn(4, 9, 1, generator=gen(5), dtype=torch.float64)
    mean, variance = x.mean().view(1, 1), x.var(correction=0).clamp(min=floor).view(1, 1)
    one = torch.ones(1).double()
    model = HMM(one, one[None], GaussianEmission(mean, variance, floor))
    top = baum_welch_step(model, x)
    assert baum_welch_step(model, x) == pytest.approx(top, abs=1e-12)


@pytest.mark.equation("eq-hmm-floor")
@pytest.mark.parametrize("floor", [1e-3, 0.5, 40.0])
def test_no_variance_above_the_floor_is_better_than_the_one_chosen(floor):
    """Against a grid of variances, with the mean that the step chose and with others."""
    x = torch.randn(1, 30, 1, generator=gen(1), dtype=torch.float64)
    weights = torch.rand(1, 30, 1, generator=gen(2), dtype=torch.float64)
    emission = GaussianEmission(
        torch.zeros(1, 1).double(), torch.full((1, 1), max(1.0, floor)).double(), floor
    )
    emission.m_step(x, weights)
    best = (weights * emission.log_prob(x)).sum()
    for variance in torch.logspace(-4, 2, 200, dtype=torch.float64):
        for mean in emission.means.item() + torch.linspace(-1, 1, 5, dtype=torch.float64):
            other = GaussianEmission(mean.view(1, 1), variance.clamp(min=floor).view(1, 1), floor)
            assert (weights * other.log_prob(x)).sum() <= best + 1e-12


def test_a_constant_output_and_an_unused_state_stay_finite():
    model = gaussian_model(3, 2, seed=0, floor=1e-4)
    model.emission.means[2] = 1e6  # nobody is there
    before = model.emission.means[2].clone()
    for _ in range(20):
        value = baum_welch_step(model, torch.full((2, 10, 2), 3.25).double())
    assert all(table.exp().isfinite().all() for table in model.parameters())
    close(model.emission.means[2], before)
    assert model.emission.variances.min() >= 1e-4
    # All in one place: the density of a Gaussian at its mean, for 10 steps of two numbers.
    assert value == pytest.approx(-10 * torch.tensor(2 * torch.pi * 1e-4).log().item(), rel=1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_constant_symbol_and_an_unused_state_stay_finite(dtype):
    model = random_model(3, 6, seed=0).to(dtype)
    with torch.no_grad():
        model.initial.copy_(torch.tensor([1.0, 0.0, 0.0]).clamp(min=1e-38).log())
    em = ExpectationMaximisation(model.parameters())
    for _ in range(20):
        em.zero_grad()
        (-model(torch.full((2, 10), 3)).mean()).backward()
        em.step()
    assert all(table.isfinite().all() for table in model.parameters())
    assert model(torch.full((1, 10), 3)).item() == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("offset", [0.0, 1e4, -1e5])
@pytest.mark.parametrize("n", [1_000, 100_000])
def test_means_and_variances_far_from_the_origin_are_those_of_float64(offset, n):
    x = offset + torch.randn(1, n, 2, generator=gen()) * torch.tensor([1.0, 30.0])
    weights = torch.rand(1, n, 1, generator=gen(1)).double()
    emission = GaussianEmission(torch.zeros(1, 2), torch.ones(1, 2))
    emission.m_step(x, weights)
    share = (weights / weights.sum())[0]
    mean = (share * x[0].double()).sum(0)
    close(emission.means[0].double(), mean, atol=0.01, rtol=0)
    close(emission.variances[0].double(), (share * (x[0].double() - mean) ** 2).sum(0), atol=0, rtol=1e-5)


def test_a_zero_in_a_table_stays_one():
    """A chain from left to right, as speech recognisers have them."""
    model = random_model(3, 4, seed=2)
    with torch.no_grad():
        model.initial.copy_(torch.tensor([1.0, 0.0, 0.0]).log())
        model.transition.copy_(torch.tensor([[0.5, 0.5, 0.0], [0.0, 0.5, 0.5], [0.0, 0.0, 1.0]]).log())
    for _ in range(5):
        value = baum_welch_step(model, torch.randint(4, (6, 9), generator=gen()))
    assert value < 0
    assert (model.transition.exp().tril(-1) == 0).all()
    told = posteriors(*model.log_tables(torch.randint(4, (2, 9), generator=gen())))
    close(told.states.sum(2), torch.ones(2, 9).double())
