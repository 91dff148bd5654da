"""What the chapter on the minimax game says of its own run, in numbers."""

import math
from collections import Counter

import numpy as np
import pytest
from scipy.stats import t as student
from scipy.stats import ttest_rel

from gdmcourse.studies import record
from gdmcourse.studies.mode_coverage import VARIANCE, WAYS, recipe
from tests.book.executed import kept


@pytest.fixture(scope="module")
def said():
    return kept("book/adversarial/minimax")


def test_the_value_is_flat_far_away_and_lowest_on_the_larger_group(said):
    assert -0.01 < said["mm-duel-end"] <= 0
    assert said["mm-duel-at"] == pytest.approx(1.5, abs=0.5)
    assert said["mm-duel-floor"] < said["mm-duel-best"] < said["mm-duel-left"] < said["mm-duel-end"]


def test_what_the_network_misses_is_the_divergence_of_coins(said):
    assert said["mm-learnt-coins"] == pytest.approx(said["mm-learnt-gap"], abs=1e-6)
    assert 0 < said["mm-learnt-gap"] < 0.02
    assert said["mm-learnt-off"] < 0.05
    assert said["mm-learnt-js"] - 0.01 < said["mm-learnt-bound"] < said["mm-learnt-js"]
    assert said["mm-learnt-best"] == pytest.approx(2 * said["mm-learnt-js"] - math.log(4), abs=1e-6)


def test_a_sure_discriminator_leaves_the_saturating_loss_nothing(said):
    assert said["mm-pull-sat-m30"] < 1e-12
    assert said["mm-pull-non-m30"] == pytest.approx(1)
    assert said["mm-pull-sat-0"] == said["mm-pull-non-0"] == 0.5
    assert said["mm-pull-non-30"] == pytest.approx(said["mm-pull-sat-m30"], rel=1e-3)


def test_the_players_fly_apart_circle_or_settle(said):
    assert said["mm-dirac-end-0-simultaneous"] > 1.2
    assert 0.7 < said["mm-dirac-ring-in"] <= 1 <= said["mm-dirac-ring-out"] < 1.2
    assert said["mm-dirac-end-0.1-alternating"] < 0.5 < said["mm-dirac-end-0.1-simultaneous"]
    assert said["mm-dirac-end-0.5-simultaneous"] < 0.02
    assert said["mm-dirac-end-0.5-alternating"] < said["mm-dirac-end-0.5-simultaneous"]


def test_both_paths_end_on_the_cycle(said):
    for path in ("inner", "outer"):
        assert said[f"mm-cycle-{path}"] == pytest.approx(said["mm-cycle-formula"], rel=0.03)


def test_whole_answers_go_to_and_fro_and_small_ones_stay_near_one_half(said):
    assert {said["mm-answers-last"], said["mm-answers-before"]} == {0, 1}
    assert said["mm-answers-small"] == pytest.approx(0.5, abs=0.06)


def test_a_generator_that_learns_faster_than_its_opponent_wanders(said):
    """Chaotic from machine to machine; another seed is at one mode at a time with the slow discriminator."""
    assert said["mm-ring-even"] >= 7
    assert said["mm-ring-slow"] <= 6
    assert said["mm-ring-forgotten"] >= 1
    assert 0 < said["mm-ring-bound"] < 0.3


def test_most_modes_are_found_and_not_every_sample_is_at_one(said):
    assert said["mm-count-ring-modes"] >= 7
    assert said["mm-count-plain-modes"] >= 15
    assert said["mm-count-grid-modes"] >= 20
    assert all(said[f"mm-count-{game}-quality"] < 0.99 for game in ("ring", "plain", "grid"))


def test_probabilities_break_where_logits_do_not(said):
    assert said["mm-sure-probabilities"] == "inf"
    assert said["mm-sure-slope"] == "nan"
    assert said["mm-sure-right"] == pytest.approx(1, abs=1e-3)


def test_far_away_one_pull_dies_and_the_other_grows(said):
    saturating, other = ([said[f"mm-far-{way}-{mean}"] for mean in (4, 5, 6)] for way in ("sat", "non"))
    assert saturating[0] > 5 * saturating[1] > 25 * saturating[2]
    assert 1 < other[0] < other[1] < other[2]


def test_a_classifier_of_another_package_learns_the_ratio_too(said):
    assert 0 < said["mm-sklearn-gap"] < 0.03


def recorded(toy, number):
    """Of each way, this number of its runs in the record, by seed."""
    rows = sorted(record("mode_coverage")["rows"], key=lambda row: row["seed"])
    return {way: [row[number] for row in rows if (row["toy"], row["way"]) == (toy, way)] for way in WAYS}


def test_the_record_of_modes_has_every_way_on_both_sets_from_ten_seeds():
    rows = record("mode_coverage")["rows"]
    counted = Counter((row["toy"], row["way"], row["seed"]) for row in rows)
    assert counted == {(toy, way, seed): 1 for toy in VARIANCE for way in WAYS for seed in range(10)}


def test_every_way_is_trained_as_the_section_says():
    for toy in VARIANCE:
        for way in WAYS:
            game = recipe(toy, way, seed=0)
            assert game.batch_size == 256
            assert game.warmup is not None  # then the rate falls
            assert game.ema_decay is not None
            assert (game.slope > 0) == (way == "plain")
            assert game.falls_to == (0.05 if way in ("r1", "relativistic") else 1)
            assert (game.waves > 0) == (way == "relativistic")


def test_the_two_games_with_r1_differ_in_more_than_the_loss():
    one, other = recipe("25gaussians", "r1", seed=0), recipe("25gaussians", "relativistic", seed=0)
    assert (one.penalty, other.penalty) == ("r1", "r1+r2")
    assert one.waves != other.waves
    assert one.lr != other.lr


@pytest.mark.parametrize(("toy", "short", "every"), [("8gaussians", "ring", 8), ("25gaussians", "grid", 25)])
def test_the_table_of_the_record_is_the_record(said, toy, short, every):
    """Means and Student's intervals by numpy; Wilson's interval as the roots of (f − p)² = z² p (1 − p)/n."""
    modes, good = recorded(toy, "modes"), recorded(toy, "high_quality")
    for way in WAYS:

        def row(values):
            half = student.ppf(0.975, 9) * np.std(values, ddof=1) / math.sqrt(10)
            return f"{np.mean(values):.1f} ± {half:.1f}"

        assert said[f"mm-record-{short}-{way}-modes"] == row(modes[way])
        assert said[f"mm-record-{short}-{way}-quality"] == row(100 * np.array(good[way]))
        found, z2 = modes[way].count(every), 1.959964**2
        low, high = sorted(np.roots([1 + z2 / 10, -(2 * found / 10 + z2 / 10), (found / 10) ** 2]).real)
        wanted = f"{found} of 10 ({100 * low:.0f} to {100 * high:.0f}%)"
        assert said[f"mm-record-{short}-{way}-all"] == wanted


def test_an_average_of_runs_that_fail_hides_them():
    """Its interval reaches beyond all eight modes, where the runs that don't fail find each."""
    found = recorded("8gaussians", "modes")["plain"]
    half = student.ppf(0.975, 9) * np.std(found, ddof=1) / math.sqrt(10)
    assert np.mean(found) + half > 8
    assert set(found) == {0, 8}


def test_the_games_with_r1_find_the_whole_grid_in_every_run_and_the_relativistic_one_has_more_good_points():
    modes, good = recorded("25gaussians", "modes"), recorded("25gaussians", "high_quality")
    assert set(modes["relativistic"]) == set(modes["r1"]) == {25}
    assert np.mean(good["relativistic"]) >= 0.94
    assert ttest_rel(good["relativistic"], good["r1"], alternative="greater").pvalue < 0.01


def test_wgan_gp_looks_good_on_the_first_seed_and_falls_apart_on_others():
    found = recorded("25gaussians", "modes")["wgan-gp"]
    assert found[0] == 25
    assert sum(modes < 10 for modes in found) >= 3


def test_without_a_penalty_the_plain_game_ends_with_nothing_in_some_runs():
    found = [modes for toy in VARIANCE for modes in recorded(toy, "modes")["plain"]]
    assert 0 < found.count(0) < len(found) / 2
