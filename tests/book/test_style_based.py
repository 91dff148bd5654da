"""The chapter on style-based generators: a claim that stands on the page, and what it says of its run."""

import math
from statistics import fmean, stdev

import pytest
import torch

from gdmcourse.studies import record
from tests.book.executed import kept


@pytest.fixture(scope="module")
def said():
    return kept("book/adversarial/style_based")


@pytest.mark.equation("eq-style-alias")
@pytest.mark.parametrize(("k", "samples"), [(3, 8), (5, 16), (7, 16), (9, 32)])
@pytest.mark.parametrize("delta", [0.0, 0.013, -0.2])
def test_the_square_of_a_wave_comes_back_as_another_that_moves_the_other_way(k, samples, delta):
    """By the discrete Fourier transform: which frequency the samples show, and its phase."""
    n = torch.arange(samples, dtype=torch.float64) / samples
    squared = (2 * math.pi * k * (n - delta)).cos() ** 2
    found = torch.fft.rfft(squared) / samples
    low = samples - 2 * k
    assert found[0].real.item() == pytest.approx(0.5)
    shown = found.abs()
    assert shown[low].item() == pytest.approx(0.25)
    shown[[0, low]] = 0
    assert shown.max() < 1e-12
    # The claimed wave, cos(2π low (n/M + 2k/low δ)), has this phase.
    wave = torch.exp(torch.tensor(2j * math.pi * low * (2 * k / low) * delta, dtype=torch.complex128)) / 4
    torch.testing.assert_close(found[low], wave)


def test_truncation_gives_up_recall(said):
    recall = [said[f"sty-psi-recall-{psi}"] for psi in ("0", "0.4", "1")]
    assert recall[0] < recall[1] < recall[2] - 0.05
    assert recall[0] < 0.1
    assert said["sty-psi-relative-0.4"] > 2 * said["sty-psi-relative-1"]


def test_the_generator_draws_digits(said):
    """Far from noise, whose relative distance is in the hundreds, and far from one image alone."""
    assert said["sty-train-relative"] < said["sty-psi-relative-0"] / 4
    assert said["sty-train-precision"] > 0.4
    assert said["sty-train-recall"] > 0.4


def test_the_coarse_latent_counts_more_the_later_the_crossover(said):
    coarse = [said[f"sty-mix-coarse-{at}"] for at in (1, 3, 5)]
    fine = [said[f"sty-mix-fine-{at}"] for at in (1, 3, 5)]
    assert coarse[0] < coarse[1] < coarse[2]
    assert fine[0] > fine[1] > fine[2]


def test_a_spike_shrinks_the_rest_as_the_formula_says(said):
    assert said["sty-drop-rest"] == pytest.approx(said["sty-drop-formula"], rel=0.15)
    assert said["sty-drop-rest"] < 0.4


def test_demodulation_holds_for_independent_channels_and_not_for_copies(said):
    assert said["sty-demod-free"] == pytest.approx(1, abs=0.1)
    assert said["sty-demod-copies"] > 2


def test_the_noise_does_the_smaller_part(said):
    assert 0 <= said["sty-noise-share"] < 0.01


def test_the_jacobian_is_not_orthogonal(said):
    assert said["sty-path-best"] > 0.98
    assert said["sty-path-kept"] < said["sty-path-best"]
    assert 1 < said["sty-path-directions"] < 16


def test_the_augmentations_leak_where_the_text_says(said):
    assert said["sty-leak-uniform-1"] == pytest.approx(0, abs=1e-6)
    assert said["sty-leak-quarter-0.5"] == pytest.approx(0, abs=1e-6)
    assert said["sty-leak-flat-0.75"] == pytest.approx(0, abs=1e-6)
    assert said["sty-leak-gentle-1"] == pytest.approx(0, abs=1e-6)
    assert min(said["sty-leak-uniform-0.8"], said["sty-leak-gentle-0.8"]) > 0.15
    apart = [said[f"sty-wrong-apart-{p}"] for p in ("0", "0.8", "1")]
    assert apart == pytest.approx([1, 0.2, 0], abs=1e-6)


def test_the_gain_on_few_digits_is_that_of_the_record(said):
    rows = record("few_images")["rows"]
    pair = ([row["frechet"] for row in rows if row["way"] == way] for way in ("none", "adaptive"))
    gains = [math.log(a / b) for a, b in zip(*pair, strict=True)]
    half = 2.5706 * stdev(gains) / math.sqrt(6)  # the 97.5th percentile of t with five degrees of freedom
    assert said["sty-few-seeds"] == len(gains) == 6
    assert said["sty-few-mean"] == pytest.approx(fmean(gains))
    assert said["sty-few-low"] == pytest.approx(fmean(gains) - half, abs=1e-4)
    assert said["sty-few-low"] < 0 < said["sty-few-high"]


def test_augmentation_brings_the_critic_of_few_digits_nearer_to_what_it_has_not_seen():
    rows = record("few_images")["rows"]
    gap = {
        way: fmean(row["sign_seen"] - row["sign_held_out"] for row in rows if row["way"] == way)
        for way in ("none", "adaptive")
    }
    assert gap["adaptive"] < 0.8 * gap["none"]


def test_filters_leave_nothing_that_moves(said):
    assert said["sty-alias-filtered"] < 1e-6
    assert said["sty-alias-moved"] > 0.05


def test_both_ways_to_demodulate_agree(said):
    assert said["sty-eco-difference"] < 1e-4
