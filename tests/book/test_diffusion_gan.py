"""The chapter on Diffusion-GAN: what it says of its numbers, in the direction in which it says it."""

import itertools
import math
from statistics import fmean, stdev

import pytest

from gdmcourse.studies import record
from tests.book.executed import kept


@pytest.fixture(scope="module")
def said():
    return kept("book/hybrid/diffusion_gan")


def test_only_wide_valleys_are_felt_from_afar_and_only_narrow_ones_are_steep_at_the_bottom(said):
    slope = {
        key: said[f"dg-slope-{key}"] for key in ("at0.02-60", "at0.02-500", "at1-1", "at1-60", "at1-500")
    }
    assert slope["at1-500"] > 1e3 * max(slope["at1-1"], slope["at1-60"])
    assert slope["at0.02-60"] > 10 * slope["at0.02-500"]
    assert said["dg-slope-at0.2-1"] == pytest.approx(0, abs=1e-12)
    assert said["dg-slope-at0.2-60"] > said["dg-slope-at0.2-1"]


def test_a_discriminator_sees_more_told_the_time_than_untold_and_most_without_noise(said):
    assert said["dg-told-untold"] + 0.01 < said["dg-told-told"] < said["dg-told-clean"] - 0.01
    assert said["dg-told-clean"] <= math.log(2) + 1e-6


def test_only_without_rescaling_does_T_say_how_much_is_left(said):
    here, scaled = (
        [said[f"dg-kept-a-{name}-{T}"] for T in (25, 100, 250, 500)] for name in ("here", "scaled")
    )
    assert here == sorted(here, reverse=True)
    assert here[0] > 0.85
    assert 0.05 < here[-1] < 0.1
    assert max(scaled) < 0.02  # at the smallest T already
    size = [said[f"dg-kept-size-{T}"] for T in (25, 100, 250, 500)]
    assert size == sorted(size)
    assert 0.6 < size[-1] < 0.65  # the larger part is signal


def test_a_lower_mark_of_sureness_brings_more_noise_and_a_higher_one_lets_it_go_again(said):
    assert said["dg-trace-at0.2-mean"] > 2 * said["dg-trace-at0.6-mean"]
    assert said["dg-trace-at0.2-top"] == 500 > 2 * said["dg-trace-at0.6-top"] > 100
    assert said["dg-trace-at0.6-end"] == 8


def test_the_twins_agree_and_a_ripple_fades(said):
    assert max(said["dg-twins-comb"], said["dg-twins-smooth"]) < 1e-6
    ripple = [said[f"dg-ripple-js-{s}"] for s in ("0", "0.1", "0.2", "0.4")]
    assert all(later < earlier / 2 for earlier, later in itertools.pairwise(ripple))
    assert ripple[0] > 0.005
    assert ripple[-1] < 1e-8


def test_half_of_the_jump_comes_back_with_half_of_clean_examples(said):
    assert said["dg-clean-jump-0"] == pytest.approx(0, abs=1e-6)
    assert said["dg-clean-jump-0.5"] == pytest.approx(math.log(2) / 2, abs=1e-6)


def test_the_games_work(said):
    """On the grid and on digits, as games do: most modes, and digits far from noise and from one image."""
    for game in ("plain", "r1", "noise"):
        assert said[f"dg-grid-{game}-modes"] >= 20
        assert 0.1 < said[f"dg-grid-{game}-quality"] < 0.5 < said[f"dg-grid-rim-{game}"]
    assert said["dg-grid-sure"] < 0.6  # so that T stays at its shortest
    assert said["dg-digits-noise-relative"] < 8
    assert said["dg-digits-noise-precision"] > 0.35
    assert said["dg-digits-noise-recall"] > 0.5


SIZES = (200, 500, 1000, 1442)


def test_ten_seeds_gain_a_tenth_on_average_and_scatter(said):
    for size in SIZES:
        assert 0.05 < said[f"dg-many-{size}-noise-mean"] < 0.15
        assert said[f"dg-many-{size}-noise"] < said[f"dg-many-{size}-plain"]
    assert [said[f"dg-many-{size}-noise-word"] for size in SIZES] == ["open", "better", "better", "open"]
    assert 0 < said["dg-many-1000-noise-low"] < 0.005
    assert said["dg-record-seeds"] == 10


def test_augmentation_gains_nothing_here_and_noise_is_better_beside_it(said):
    assert [said[f"dg-many-{size}-adaptive-word"] for size in SIZES] == ["open", "open", "worse", "open"]
    assert [said[f"dg-many-{size}-beside-word"] for size in SIZES] == ["better"] * 4
    strength = [said[f"dg-many-{size}-strength"] for size in SIZES]
    assert strength == sorted(strength, reverse=True)
    assert strength[-1] > 0.1


@pytest.mark.parametrize("pair", [("plain", "noise"), ("plain", "adaptive"), ("adaptive", "noise")])
@pytest.mark.parametrize("size", SIZES)
def test_verdicts_are_those_of_the_record_worked_out_anew(said, size, pair):
    """With the t interval of ten differences written out."""
    rows = record("diffusion_gan")["rows"]
    over, under = (
        [row["frechet"] for row in rows if (row["way"], row["images"]) == (way, size)] for way in pair
    )
    gains = [math.log(a / b) for a, b in zip(over, under, strict=True)]
    half = 2.2622 * stdev(gains) / math.sqrt(10)  # the 97.5th percentile of t with nine degrees of freedom
    name = f"dg-many-{size}-{'beside' if pair[0] == 'adaptive' else pair[1]}"
    assert said[f"{name}-mean"] == pytest.approx(fmean(gains))
    assert said[f"{name}-low"] == pytest.approx(fmean(gains) - half, abs=1e-4)
    assert said[f"{name}-high"] == pytest.approx(fmean(gains) + half, abs=1e-4)
    beyond = "better" if fmean(gains) > 0 else "worse"
    assert said[f"{name}-word"] == (beyond if abs(fmean(gains)) > half else "open")


@pytest.mark.parametrize(
    ("name", "over", "under"),
    [("adaptive", "none", "adaptive"), ("noise", "none", "noise"), ("beside", "adaptive", "noise")],
)
def test_verdicts_of_the_style_based_generator_are_worked_out_anew(said, name, over, under):
    """With the t interval of six differences written out."""
    rows = record("few_images")["rows"]
    pair = ([row["frechet"] for row in rows if row["way"] == way] for way in (over, under))
    gains = [math.log(a / b) for a, b in zip(*pair, strict=True)]
    assert len(gains) == said["dg-style-seeds"] == 6
    half = 2.5706 * stdev(gains) / math.sqrt(6)  # the 97.5th percentile of t with five degrees of freedom
    assert said[f"dg-style-{name}-mean"] == pytest.approx(fmean(gains))
    assert said[f"dg-style-{name}-high"] == pytest.approx(fmean(gains) + half, abs=1e-4)
    beyond = "better" if fmean(gains) > 0 else "worse"
    assert said[f"dg-style-{name}-word"] == (beyond if abs(fmean(gains)) > half else "open")


def test_both_states_of_the_style_based_games_were_moved(said):
    assert said["dg-style-adaptive-strength"] > 0.1
    assert said["dg-style-noise-T"] > 8


def test_what_it_costs_in_layers_is_little(said):
    assert 0 < said["dg-cost-share"] < 0.05


def test_a_variance_for_a_standard_deviation_makes_the_slope_vanish(said):
    assert said["dg-variance-slope-right"] > 1
    assert said["dg-variance-slope-wrong"] < 1e-6


def test_the_peer_adds_the_same_noise(said):
    assert said["dg-peer-gap"] < 1e-5


@pytest.mark.slip(17)
def test_the_seconds_are_those_of_a_thousand_images():
    """As the whole training's they would be 3 million images a second; a ratio has no unit."""
    images, without, behind = 25_000_000, 8.0, 9.5
    assert images / without > 3e6
    slips = kept("book/back/slips")
    days = [images / 1000 * seconds / 3600 / 24 for seconds in (without, behind)]
    assert slips["slip-17-days"] == pytest.approx(days[0])
    assert slips["slip-17-ratio"] == pytest.approx(days[1] / days[0] - 1)
