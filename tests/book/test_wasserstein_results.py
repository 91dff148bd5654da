"""What the chapter on Wasserstein distances says of its own run and of its two studies, in numbers."""

import math

import numpy as np
import pytest
from scipy.stats import rankdata

from gdmcourse.studies import record
from tests.book.executed import kept


@pytest.fixture(scope="module")
def said():
    return kept("book/adversarial/wasserstein")


def test_clipped_weights_stand_at_the_bounds(said):
    assert said["wgan-ring-edge"] > 0.3


@pytest.mark.parametrize("game", ["held", "clipped"])
def test_the_circle_is_found_and_hardly_the_places_on_it(said, game):
    """An even circle of radius 1 has 0.076 of its points within 0.03 of eight places."""
    assert said["wgan-ring-bare"] == pytest.approx(0.0764, abs=1e-4)
    assert said[f"wgan-ring-{game}-good"] < 3 * 0.076
    assert said[f"wgan-ring-{game}-circle"] > 0.5


def test_only_the_zero_centred_game_comes_to_rest_at_the_data(said):
    assert said["wgan-dirac-light"] == pytest.approx(1 / math.tanh(math.pi / (2 * math.sqrt(3))), abs=0.05)
    assert said["wgan-dirac-heavy"] == pytest.approx(2, abs=0.05)
    assert said["wgan-dirac-zero"] < 1e-3


def test_a_small_critic_shows_less_a_stuck_one_too_and_none_shows_more(said):
    assert said["wgan-critic-small"] < 0.5
    assert 0.75 < said["wgan-critic-large"] < 1.0001
    assert said["wgan-critic-stuck"] < 0.5
    assert said["wgan-critic-ramp"] > 0.95


def test_batches_of_digits_are_far_from_each_other(said):
    alike = [said[f"wgan-batch-alike-{n}"] for n in (32, 128, 512)]
    other = [said[f"wgan-batch-other-{n}"] for n in (32, 128, 512)]
    assert alike == sorted(alike, reverse=True)
    assert alike[2] > 0.5 * other[2]
    assert other[2] > alike[2]


def test_penalised_samples_are_varied_and_far_from_real_ones_and_clipping_does_worse(said):
    assert said["wgan-digits-penalty-recall"] > 0.5
    assert said["wgan-digits-penalty-relative"] > 2
    assert said["wgan-digits-clipping-relative"] > 1.1 * said["wgan-digits-penalty-relative"]


@pytest.mark.parametrize("game", ["wasserstein", "jensen-shannon"])
def test_training_gets_on_and_the_value_hardly_says_so(said, game):
    assert said[f"wgan-change-{game}-high"] < 0.6
    assert said[f"wgan-value-{game}-plain-low"] < 0.3
    assert said[f"wgan-value-{game}-plain-high"] < 0.7


def test_with_the_step_taken_out_it_says_less_and_with_the_beginning_more(said):
    assert said["wgan-value-wasserstein-held-high"] < said["wgan-value-wasserstein-plain-high"]
    assert said["wgan-value-wasserstein-held-low"] < 0.2
    assert said["wgan-value-wasserstein-all-high"] > said["wgan-value-wasserstein-plain-high"]


def test_the_critic_is_at_times_beaten_by_its_own_negative(said):
    assert said["wgan-change-below"] > 0.03


def test_the_page_has_the_correlations_of_the_record(said):
    """Again, from the residuals of ranks after a regression on the step's rank."""
    ranks = {}
    for row in record("critic_value")["rows"]:
        if row["game"] == "wasserstein":
            ranks.setdefault(row["seed"], []).append((row["value"], row["frechet"], row["step"]))
    held = []
    for run in ranks.values():
        value, distance, step = rankdata(run[2:], axis=0).T
        left = [part - np.polyval(np.polyfit(step, part, 1), step) for part in (value, distance)]
        held.append(np.corrcoef(*left)[0, 1])
    assert said["wgan-value-wasserstein-held-low"] == pytest.approx(min(held), abs=1e-9)
    assert said["wgan-value-wasserstein-held-high"] == pytest.approx(max(held), abs=1e-9)


def test_a_sure_discriminator_starves_one_loss_and_feeds_another(said):
    assert said["wgan-felt-sure"] > 0.9
    assert said["wgan-felt-growth-saturating"] < 0.5
    assert said["wgan-felt-growth-non-saturating"] > 1.2
    assert 0.5 < said["wgan-felt-growth-wasserstein"] < 2
    assert 0.5 < said["wgan-felt-last-wasserstein"] < 2
