"""The chapter on hidden Markov models: claims whose formulas stand on the page, and what its numbers show."""

import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gdmcourse.data.dice import casino, roll_dice
from gdmcourse.likelihood import HMM, SymbolEmission
from tests.book.executed import kept
from tests.likelihood.chains import all_paths, chain, random_model
from tests.oracles import gen


@pytest.mark.equation("eq-hmm-dwell")
@pytest.mark.parametrize("d", [1, 2, 4])
def test_a_stay_of_d_steps_is_the_sum_over_the_paths_that_make_it(d):
    _, transition, told = chain(3, d + 1, sequences=1)
    for k in range(3):
        start = torch.full((3,), -torch.inf).double().index_fill(0, torch.tensor([k]), 0.0)
        paths, joint = all_paths(start, transition, torch.zeros_like(told))
        makes = (paths[:, :d] == k).all(1) & (paths[:, d] != k)
        stay = transition[k, k].exp().item()
        assert joint[0, makes].exp().sum().item() == pytest.approx(stay ** (d - 1) * (1 - stay))


@pytest.mark.equation("eq-hmm-dwell")
def test_the_mean_stay_of_a_long_evening_is_that_of_the_formula():
    """By the rolls of each die and the times that it is left, so that the ends of evenings don't matter."""
    _, dice = roll_dice(300, 500, gen())
    before, after = dice[:, :-1], dice[:, 1:]
    for state, stay in enumerate(casino().transition.diagonal().tolist()):
        left = ((before == state) & (after != state)).sum()
        assert ((before == state).sum() / left).item() == pytest.approx(1 / (1 - stay), rel=0.05)


def entropy(p: torch.Tensor) -> float:
    return float(-torch.special.xlogy(p, p).sum())


def mutual(p: torch.Tensor) -> float:
    """The mutual information of a table's row and column."""
    return entropy(p.sum(0)) + entropy(p.sum(1)) - entropy(p)


def across(model: HMM, cut: int) -> tuple[float, float, float]:
    """I(u; v), I(u; z_cut) and H(z_cut) for u = x_1 … x_cut and the rest v of four steps, by all sums."""
    every = torch.tensor(list(itertools.product(range(3), repeat=4)))
    paths, joint = all_paths(*[table.detach() for table in model.log_tables(every)])
    p = joint.exp().sum(1).view(3**cut, 3 ** (4 - cut))
    assert p.sum().item() == pytest.approx(1)
    mass = joint.exp().view(3**cut, -1, len(paths)).sum(1)  # of u and a path
    with_state = torch.stack([mass[:, paths[:, cut - 1] == k].sum(1) for k in range(len(model.initial))])
    return mutual(p), mutual(with_state), entropy(with_state.sum(1))


@pytest.mark.equation("eq-hmm-bottleneck")
@given(seed=st.integers(0, 10_000), states=st.integers(1, 3), cut=st.integers(1, 3), sharp=st.integers(1, 8))
def test_past_and_future_share_no_more_than_the_state_holds(seed, states, cut, sharp):
    model = random_model(states, 3, seed)
    with torch.no_grad():
        for table in model.parameters():
            table.copy_((sharp * table).log_softmax(-1))
    information, told, held = across(model, cut)
    assert information <= told + 1e-9
    assert told <= held + 1e-9
    assert held <= math.log(states) + 1e-9


@pytest.mark.equation("eq-hmm-bottleneck")
def test_a_chain_that_nearly_shows_its_state_and_nearly_keeps_it_comes_near_the_bound():
    uneven = torch.tensor([0.5, 0.3, 0.2]).double()
    sharp = 0.97 * torch.eye(3).double() + 0.01
    information, told, held = across(HMM(uneven, sharp, SymbolEmission(sharp)), cut=2)
    assert 0.8 * held < information < told < held < math.log(3)


@pytest.mark.equation("eq-hmm-bottleneck")
@pytest.mark.parametrize("cut", [1, 2, 3])
def test_a_chain_that_shows_its_state_and_keeps_it_reaches_both_bounds(cut):
    eye, even = torch.eye(3).double(), torch.full((3,), 1 / 3).double()
    information, told, held = across(HMM(even, eye, SymbolEmission(eye)), cut)
    assert information == pytest.approx(math.log(3))
    assert told == pytest.approx(math.log(3))
    assert held == pytest.approx(math.log(3))


# What the page says of its own run.


@pytest.fixture(scope="module")
def said():
    return kept("book/likelihood/hidden_markov")


def test_the_posterior_tells_dice_better_than_the_usual_die_does(said):
    assert said["hmm-right"] > said["hmm-fair"] + 0.05
    assert said["hmm-per_roll"] < said["hmm-uniform"] == pytest.approx(math.log(6))
    assert said["hmm-per_roll"] == pytest.approx(-said["hmm-nats"] / 300)
    assert round(said["hmm-paths"]) == 90


def test_the_best_path_tells_a_smoother_story(said):
    assert said["hmm-swaps-told"] < said["hmm-swaps-favourites"]
    assert said["hmm-swaps-told"] < said["hmm-swaps-true"]


def test_em_climbs_and_finds_the_dice(said):
    assert said["hmm-climb-last"] > said["hmm-climb-first"] + 0.5
    assert said["hmm-dice-six"] == pytest.approx(0.5, abs=0.05)
    assert said["hmm-dice-six_fair"] == pytest.approx(1 / 6, abs=0.03)
    assert said["hmm-dice-stay"] == pytest.approx(0.9, abs=0.04)
    assert said["hmm-dice-stay_fair"] == pytest.approx(0.95, abs=0.04)
    assert said["hmm-eco-apart"] < 1e-8


def test_states_help_by_less_each_time_and_the_gap_opens(said):
    sizes = (1, 4, 16, 64, 128)
    test, train = ([said[f"hmm-sizes-{split}-{k}"] for k in sizes] for split in ("test", "train"))
    gains = [a - b for a, b in itertools.pairwise(test)]
    assert all(gain > 0 for gain in gains)
    per_doubling = [
        gain / math.log2(b / a) for gain, (a, b) in zip(gains, itertools.pairwise(sizes), strict=True)
    ]
    assert per_doubling == sorted(per_doubling, reverse=True)
    gaps = [a - b for a, b in zip(test, train, strict=True)]
    assert gaps == sorted(gaps)
    assert test[3] == pytest.approx(said["hmm-digits-bits"], abs=1e-6)
    assert said["hmm-digits-bits"] + 5 * said["hmm-digits-error"] < said["hmm-digits-places"] < math.log2(17)
    assert said["hmm-sizes-gaussian"] > said["hmm-sizes-test-16"] + 0.2


def test_exchanged_halves_cost_the_chain_nothing_and_are_no_digits(said):
    bits, gap = (
        {k: said[f"hmm-half-{k}-{what}"] for k in ("whole", "same", "any", "drawn")}
        for what in ("bits", "gap")
    )
    assert round(bits["same"], 2) <= round(bits["whole"], 2)
    assert bits["any"] > bits["same"] + 0.02
    assert gap["whole"] + 0.5 < gap["same"] < gap["any"] < gap["drawn"]
    assert said["hmm-entropy"] < 6
    assert said["hmm-half-pairs"] > 100


def test_samples_forget_with_distance_what_digits_remember(said):
    data, many, few = (
        {d: said[f"hmm-far-{name}-{d}"] for d in (0, 1, 5)} for name in ("data", "many", "few")
    )
    assert 0.6 * data[1] < many[1] < data[1]
    assert many[5] < 0.5 * data[5]
    assert said["hmm-far-none"] < many[5]
    assert few[1] < many[1]
    assert round(many[0], 2) > round(data[0], 2)
