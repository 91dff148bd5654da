"""What the chapter on flow matching says of its own run, in numbers."""

import pytest

from tests.book.executed import kept


@pytest.fixture(scope="module")
def said():
    return kept("book/diffusion/flow_matching")


def test_eulers_method_is_ahead_of_ddim_and_not_by_its_times(said):
    for n in (4, 8):
        euler, ddim, moved = (said[f"fm-digits-{name}-{n}"] for name in ("of-euler", "of-ddim", "flowddim"))
        assert euler < ddim
        assert abs(moved - euler) < 0.15
    assert said["fm-digits-gap"] > said["fm-digits-apart"]


def test_steps_are_still_needed_and_second_orders_help(said):
    assert said["fm-digits-of-euler-1"] > 5 > 2.5 > said["fm-digits-of-euler-4"]
    assert said["fm-digits-of-heun-3"] > 1.2 * said["fm-digits-of-heun-7"]
    assert said["fm-digits-of-heun-7"] < 1.6
    assert said["fm-digits-of-dpm-8"] < 1.6


def test_with_fifty_evaluations_the_samplers_no_longer_matter(said):
    few, many = ([said[f"fm-digits-of-{name}-{n}"] for name in ("euler", "ddim", "dpm")] for n in (4, 50))
    assert max(many) - min(many) < 0.5 * (max(few) - min(few))
    assert max(many) < 1.5


def test_reflow_makes_paths_straight_and_short(said):
    assert said["fm-straight-s-reflow"] < 0.2 * said["fm-straight-s-flow"]
    assert said["fm-straight-cost-pairs"] < 0.5 * said["fm-straight-cost-chance"]


def test_even_times_are_best_on_small_images(said):
    for n in (5, 9, 18):
        even, shifted, karras = (said[f"fm-times-off-{name}-{n}"] for name in ("even", "shifted", "karras"))
        assert even < shifted < karras


def test_two_and_four_jumps_are_better_than_steps_and_one_is_not(said):
    jumps = {n: said[f"fm-jump-by-meanflow-{n}"] for n in (1, 2, 4)}
    steps = {n: said[f"fm-jump-by-euler-{n}"] for n in (1, 2, 4)}
    assert jumps[2] < 0.7 * steps[2]
    assert jumps[4] < 0.8 * steps[4]
    assert 0.9 < jumps[1] / steps[1] < 1.1
    assert 0.8 < jumps[2] / steps[4] < 1.2
    assert jumps[4] < 1.3 * said["fm-digits-of-euler-16"]


def test_wrong_signs_and_units_are_seen(said):
    assert said["fm-wrong-size"] > 2
    assert said["fm-unit-relative-wrong"] > 2 * said["fm-unit-relative-right"]


def test_straightening_costs_exactness_whatever_the_steps(said):
    assert said["fm-quality-share-flow"] > 0.95
    assert said["fm-quality-share-one"] < 0.5
    assert 3 * said["fm-quality-share-one"] < said["fm-quality-share-fifty"] < 0.75
    assert said["fm-straight-s-reflow"] ** 0.5 > 5 * 0.01


def test_the_peers_steps_are_ours(said):
    assert said["fm-peer-gap"] < 1e-4
