"""What the chapter on denoising says of its own run and of the records, in numbers."""

import math

import pytest

from gdmcourse.metrics.comparison import holm
from tests.book.executed import kept


@pytest.fixture(scope="module")
def said():
    return kept("book/diffusion/denoising")


def test_the_bound_comes_near_with_the_forward_variance_and_stays_away_with_the_other(said):
    large, small = ([said[f"den-bound-{kind}-{place}"] for place in range(6)] for kind in ("large", "small"))
    exact = said["den-bound-exact"]
    assert min(large + small) > exact - 0.02
    assert large == sorted(large, reverse=True)
    assert large[-1] - exact < 0.25 * (small[-1] - exact)


def test_the_bound_weighs_the_first_times_most(said):
    assert said["den-weight-first"] > 2 * said["den-weight-middle"]
    assert 2 / 255 < said["den-weight-noise"] < 2 / 16 / 2  # several of 256 levels, less than one of 17


def test_training_starts_at_one_and_its_errors_lie_at_early_times(said):
    assert said["den-first-loss"] == pytest.approx(1, abs=0.1)
    assert said["den-start-loss"] < 0.7
    assert said["den-error-first"] > 5 * said["den-error-last"]
    assert said["den-error-gap"] > 1
    assert said["den-ema-cold"] > 0.5  # most of such a network is random


def test_the_network_beats_a_histogram_where_it_may_round(said):
    bits = {code: said[f"den-bits-{code}-pixel"] for code in ("uniform", "pixels", "fine", "large", "small")}
    assert max(bits["large"], bits["small"]) < bits["pixels"] < bits["fine"] < bits["uniform"]
    assert said["den-noise-1"] < 0.125 / 4
    assert said["den-noise-40"] == pytest.approx(0.125 / 2, abs=0.015)


def test_labels_help(said):
    assert said["den-scores-told-accuracy"] >= 0.98
    assert said["den-scores-told-relative"] <= 1
    assert said["den-scores-untold-relative"] <= 2
    assert min(said["den-scores-told-precision"], said["den-scores-told-recall"]) > 0.8
    assert said["den-scores-told-frechet"] < said["den-scores-untold-frechet"]
    assert said["den-scores-untold-precision"] < said["den-scores-real-precision"]


def test_the_record_of_mnist_is_near_in_distance_and_not_in_precision(said):
    rows = {
        who: {name: said[f"den-mnist-{who}-{name}"] for name in ("frechet", "precision")}
        for who in ("told", "untold", "real")
    }
    assert said["den-mnist-told-accuracy"] > 0.9
    assert rows["told"]["frechet"] < 1.5 * rows["real"]["frechet"] < rows["untold"]["frechet"]
    for who in ("told", "untold"):
        assert rows[who]["precision"] < rows["real"]["precision"] - 0.05


def test_the_learned_variance_has_the_best_bound(said):
    small, large, learned = (said[f"den-ten-{kind}-bound"] for kind in ("small", "large", "learned"))
    assert learned < large - 0.1 < small - 0.2


def test_the_smaller_variance_costs_a_constant_however_many_steps(said):
    limit = 0.5 * (1 + 0.5772156649 - math.log(2))
    short, long = (said[f"den-small-{T}"] - limit for T in (1000, 10000))
    assert 0 < long < short / 4  # it comes down to its limit


def test_few_steps_are_too_few_and_the_share_does_not_rise_with_them(said):
    assert said["den-by-5"] > 1.5 * said["den-by-100"]
    assert max(said[f"den-by-share-{steps}"] for steps in (10, 25, 50, 100)) < said["den-by-share-5"] + 0.03


def test_the_schedule_s_end_decides_and_beyond_it_nothing_is_seen(said):
    read = {name: bounds(said[f"den-T-{name}-points"]) for name in ("100-scaled", "100", "500", "1500")}
    assert read["100"][1] < 0
    p_values = {
        (name, score): said[f"den-T-p-{name}-{score}"] for name in read for score in ("read", "distance")
    }
    adjusted = dict(zip(p_values, holm(list(p_values.values())), strict=True))
    assert adjusted["100", "read"] < 0.05
    assert read["100-scaled"][0] <= 0 <= read["100-scaled"][1]
    assert said["den-scaled-low"] > 0
    for name in ("500", "1500"):
        assert read[name][0] <= 0 <= read[name][1]
        assert said[f"den-T-p-{name}-read"] > 0.05
    for name in read:
        low, high = bounds(said[f"den-T-{name}-times"])
        assert low < 1 < high
        assert said[f"den-T-p-{name}-distance"] > 0.05
    assert 0.5 < said["den-left-size"] < 0.7


def bounds(text):
    """The ends of an interval that the page writes as `low to high`."""
    low, high = text.replace("−", "-").split(" to ")
    return float(low), float(high)


def test_a_time_that_is_never_trained_shows_in_the_samples_and_not_in_the_loss(said):
    assert said["den-times-off-w1"] > 2 * said["den-times-right-w1"] > 4 * said["den-ten-small-w1"]
    assert said["den-times-off-loss"] == pytest.approx(said["den-times-right-loss"], abs=0.15)


def test_a_grain_marks_blank_pixels_and_the_distance_misses_it(said):
    assert said["den-inked-grainy"] > 5 * said["den-inked-good"] > 5 * said["den-inked-real"]
    assert said["den-last-grainy"] < said["den-last-good"]
    assert said["den-last-noise"] == pytest.approx(0.125 / 2, abs=0.02)


def test_a_variance_for_a_standard_deviation_shrinks_the_peaks(said):
    assert said["den-spread-right"] == pytest.approx(0.15, abs=0.03)
    assert said["den-spread-wrong"] < 0.8 * said["den-spread-right"]


def test_the_young_transformer_costs_what_the_u_net_costs_and_lies_far_behind(said):
    unet, dit = (
        {name: said[f"den-young-{network}-{name}"] for name in ("cost", "relative", "accuracy")}
        for network in ("unet", "dit")
    )
    assert number(dit["cost"]) == pytest.approx(number(unet["cost"]), rel=0.01)
    assert dit["relative"] > 1.5 * unet["relative"]
    assert dit["accuracy"] < unet["accuracy"]


def number(text):
    return int(text.replace(",", ""))
