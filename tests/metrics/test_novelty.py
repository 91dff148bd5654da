"""Valid, unique, new: against every sequence of draws of a small law."""

import itertools

import pytest
import torch

from gdmcourse.metrics.novelty import expected_distinct, expected_new, novelty, single_share

LAW = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)


def over_all(draws, count):
    """The mean of `count` over all sequences of draws."""
    total = 0.0
    for sequence in itertools.product(range(3), repeat=draws):
        total += LAW[list(sequence)].prod().item() * count(sequence)
    return total


@pytest.mark.equation("eq-app-new")
@pytest.mark.parametrize("draws", [1, 2, 5])
def test_different_and_new_ones_are_as_many_as_all_sequences_have_on_average(draws):
    assert expected_distinct(LAW, draws) == pytest.approx(over_all(draws, lambda s: len(set(s))))
    new = over_all(draws + 1, lambda s: s[0] not in s[1:])
    assert expected_new(LAW, draws) == pytest.approx(new)


@pytest.mark.equation("eq-app-single")
@pytest.mark.parametrize("draws", [1, 2, 5])
def test_those_that_occur_once_estimate_what_is_new(draws):
    share = over_all(draws, lambda s: single_share([str(i) for i in s]))
    assert share == pytest.approx(expected_new(LAW, draws - 1))


def test_scores_are_shares_of_what_the_one_before_leaves():
    scores = novelty(["ab", "ba", "a", "!", "c"], ["ba"], lambda t: None if t == "!" else "".join(sorted(t)))
    assert (scores.valid, scores.unique, scores.new) == (0.8, 0.75, 0.5)


def test_nothing_to_score_is_refused():
    with pytest.raises(ValueError, match="draw at least one"):
        novelty([], [], str)
    with pytest.raises(ValueError, match="none of the 2 draws is valid"):
        novelty(["a", "b"], [], lambda t: None)
    with pytest.raises(ValueError, match="no names"):
        single_share([])
