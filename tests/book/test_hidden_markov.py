"""The chapter on hidden Markov models: claims whose formulas stand on the page, and what its numbers show."""

import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gdmcourse.data.dice import casino, roll_dice
from tests.book.executed import kept
from tests.likelihood.chains import all_paths, random_model
from tests.oracles import gen


@pytest.mark.equation("eq-hmm-dwell")
def test_stays_of_a_long_evening_are_geometric():
    """Counted in 200,000 rolls of the casino's own dice."""
    _, dice = roll_dice(1, 200_000, gen())
    values, lengths = torch.unique_consecutive(dice[0], return_counts=True)
    for state, stay in enumerate(casino().transition.diagonal().tolist()):
        stays = lengths[values == state][1:-1].double()
        assert stays.mean().item() == pytest.approx(1 / (1 - stay), rel=0.05)
        for d in (1, 2, 5, 10):
            share = (stays == d).double().mean().item()
            assert share == pytest.approx(stay ** (d - 1) * (1 - stay), abs=4 * (share / len(stays)) ** 0.5)


def entropy(p: torch.Tensor) -> float:
    return float(-torch.special.xlogy(p, p).sum())


@pytest.mark.equation("eq-hmm-bottleneck")
@given(seed=st.integers(0, 10_000), states=st.integers(1, 3), cut=st.integers(1, 3))
def test_past_and_future_share_no_more_than_the_state_holds(seed, states, cut):
    """Every sequence of four symbols out of three, its probability by a sum over all paths."""
    model = random_model(states, 3, seed)
    if seed % 2:  # nearly without noise, so that the bound is nearly reached
        with torch.no_grad():
            for table in model.parameters():
                table.copy_((6 * table).log_softmax(-1))
    every = torch.tensor(list(itertools.product(range(3), repeat=4)))
    tables = [table.detach() for table in model.log_tables(every)]
    paths, joint = all_paths(*tables)
    p = joint.logsumexp(1).exp().view(3**cut, 3 ** (4 - cut))
    assert p.sum().item() == pytest.approx(1)
    information = entropy(p.sum(0)) + entropy(p.sum(1)) - entropy(p)
    # The law of z_t, from the same table of paths and sequences.
    mass = joint.exp().sum(0)
    state = torch.stack([mass[paths[:, cut - 1] == k].sum() for k in range(states)])
    assert information <= entropy(state) + 1e-9
    assert entropy(state) <= math.log(states) + 1e-9


@pytest.mark.equation("eq-hmm-bottleneck")
def test_a_chain_that_shows_its_state_reaches_the_bound():
    """Three states that never change and are seen: past and future tell of each other all that there is."""
    eye, even = torch.eye(3).double(), torch.full((3,), 1 / 3).double()
    p = even.diag()  # of x_1 and x_2
    information = 2 * entropy(p.sum(0)) - entropy(p)
    assert information == pytest.approx(math.log(3))
    model = random_model(3, 3, 0)
    with torch.no_grad():
        for table, value in zip(model.parameters(), (even, eye, eye), strict=True):
            table.copy_(value.log())
    close = torch.testing.assert_close
    pairs = torch.tensor(list(itertools.product(range(3), repeat=2)))
    close(model(pairs).exp().view(3, 3), p)


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
    assert bits["same"] <= bits["whole"] + 0.01
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
    assert many[0] >= data[0]
