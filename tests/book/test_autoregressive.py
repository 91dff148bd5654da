"""Claims of the chapter on autoregressive models that stand on the page, and what it says of its run."""

import itertools
import math

import numpy as np
import pytest
import torch

from tests.book.executed import kept
from tests.oracles import gen


@pytest.mark.equation("eq-ar-any-order")
@pytest.mark.parametrize("seed", range(3))
def test_the_masked_loss_is_the_mean_over_orders_and_a_bound(seed):
    """Four symbols of a fixed x, guesses that fit no law: over all sets and times, and over all orders."""
    n = 4
    cost = -torch.rand(2**n, n, generator=gen(seed), dtype=torch.float64).log()  # by visible set, and place
    times, weights = (torch.from_numpy(part) for part in np.polynomial.legendre.leggauss(12))
    times, weights = (times + 1) / 2, weights / 2
    masked = torch.zeros((), dtype=torch.float64)
    for t, w in zip(times, weights, strict=True):
        for hidden in itertools.product([False, True], repeat=n):
            probability = math.prod(t if h else 1 - t for h in hidden)
            visible = sum(2**i for i in range(n) if not hidden[i])
            masked += w * probability / t * sum(cost[visible, i] for i in range(n) if hidden[i])
    by_order = torch.stack(
        [
            sum(cost[sum(2**j for j in order[:s]), i] for s, i in enumerate(order))
            for order in itertools.permutations(range(n))
        ]
    )
    torch.testing.assert_close(masked, by_order.mean())
    assert masked > -(-by_order).exp().mean().log() + 1e-3


@pytest.mark.equation("eq-ar-any-order")
def test_with_the_conditionals_of_one_law_every_order_costs_the_same():
    law = torch.rand(2, 2, 2, generator=gen(), dtype=torch.float64)
    law = law / law.sum()
    x = (1, 0, 1)

    def seen(places):  # the marginal of x at these places
        return law[tuple(x[i] if i in places else slice(None) for i in range(3))].sum()

    for order in itertools.permutations(range(3)):
        cost = sum(-(seen(order[: s + 1]) / seen(order[:s])).log() for s in range(3))
        torch.testing.assert_close(cost, -law[x].log())


@pytest.fixture(scope="module")
def said():
    return kept("book/likelihood/autoregressive")


def test_neighbours_help_and_ignorance_costs_its_bits(said):
    assert said["ar-uniform"] == pytest.approx(math.log2(17), abs=1e-6)
    assert said["ar-pixelcnn"] + 0.4 < said["ar-independent"] < said["ar-uniform"] - 1


def test_paper_and_full_black_cost_less_than_the_grey_of_edges(said):
    assert said["ar-cost-paper"] < said["ar-cost-black"] < said["ar-cost-grey"]


def test_one_stack_is_blind_and_two_are_not(said):
    assert said["ar-blind-one"] > 0.05
    assert said["ar-blind-two"] == 0


def test_only_who_sees_a_period_back_comes_near_the_law(said):
    assert said["ar-wave-law"] < said["ar-wave-long"] < said["ar-wave-law"] + 0.15
    assert said["ar-wave-short"] > said["ar-wave-long"] + 0.8
    assert said["ar-wave-sees-long"] > 21 > said["ar-wave-sees-short"]


def test_the_transformer_beats_counting(said):
    counted = [said[f"ar-text-counted-{order}"] for order in range(1, 7)]
    assert said["ar-text-bits"] + 0.05 < min(counted)
    assert counted[3] < counted[2] < counted[1] < counted[0] < said["ar-text-uniform"]
    assert counted[3] < counted[4] < counted[5]


def test_made_is_last_and_the_plane_helps(said):
    bits = {name: said[f"ar-digits-{name}-bits"] for name in ("made", "pixelcnn", "rowlstm", "transformer")}
    assert max(bits, key=bits.get) == "made"
    assert max(bits.values()) + 0.3 < said["ar-independent"]
    for name in ("pixelcnn", "plane"):
        assert said[f"ar-gap-{name}-mean"] > said[f"ar-gap-{name}-error"]
    sizes = {name: int(said[f"ar-digits-{name}-size"].replace(",", "")) for name in bits}
    assert sizes["made"] > 5 * sorted(sizes.values())[-2]


def test_the_count_of_multiplications_grows_as_the_quiz_says(said):
    assert 3.5 < said["ar-count-growth-plain"] < 5
    assert 1.8 < said["ar-count-growth-cached"] < 2.5
    assert said["ar-count-last"] > said["ar-count-first"] > 1


def test_the_mixture_over_orders_costs_less_than_the_bound(said):
    assert said["ar-any-mixture"] < said["ar-any-bound"]


def test_what_goes_wrong_shows(said):
    assert said["ar-quick-B-bits"] < 1 < said["ar-quick-A-bits"]
    assert (
        said["ar-quick-B-bits"] < min(said[f"ar-digits-{name}-bits"] for name in ("made", "pixelcnn")) - 0.5
    )
    assert (said["ar-quick-A-leak"], said["ar-quick-B-leak"]) == ("False", "True")
    assert said["ar-chunk-right"] == pytest.approx(said["ar-text-bits"], abs=1e-4)
    assert said["ar-chunk-left"] > said["ar-chunk-right"] + 0.1
    assert abs(said["ar-chunk-none"] - said["ar-chunk-right"]) > 0.1


def test_torchs_encoder_agrees(said):
    assert said["ar-eco-difference"] < 1e-9
