"""What the chapter on the forward process says of its own run, in numbers."""

import math

import pytest

from tests.book.executed import kept


@pytest.fixture(scope="module")
def said():
    return kept("book/diffusion/forward_process")


def test_two_steps_have_the_moments_of_one(said):
    error = math.sqrt(0.28 / 200_000)
    assert said["fwd-two-mean"] == pytest.approx(said["fwd-two-expected"], abs=4 * error)
    assert said["fwd-two-variance"] == pytest.approx(0.28, rel=0.015)


def test_two_data_sets_come_closer(said):
    apart = [said[f"fwd-kl-{t}"] for t in (0, 100, 300, 1000)]
    assert apart == sorted(apart, reverse=True)
    assert apart[-1] < 1e-4 * apart[0]


@pytest.mark.parametrize("T", [100, 500, 1000, 1500])
def test_a_scaled_schedule_ends_in_noise_whatever_its_length(said, T):
    assert said[f"fwd-end-{T}-scaled"] < math.exp(-10.05)
    assert said[f"fwd-end-{T}-scaled-kl"] <= said["fwd-end-1500-scaled-kl"] * 1.001


def test_a_hundred_unscaled_steps_end_far_from_noise(said):
    assert math.sqrt(said["fwd-end-100-plain"]) > 0.5  # more than half of the amplitude, as the quiz says
    assert said["fwd-end-100-plain-kl"] > 1000 * said["fwd-end-100-scaled-kl"]


def test_schedules_lose_the_digits_at_the_same_ratio_and_at_other_times(said):
    assert said["fwd-clean-linear"] > 0.85
    assert said["fwd-lost-linear"] < said["fwd-lost-cosine"] - 100
    assert said["fwd-lost-snr-linear"] == pytest.approx(said["fwd-lost-snr-cosine"], abs=0.3)


def test_a_small_step_back_is_nearly_gaussian_and_a_large_one_has_three_peaks(said):
    assert [said["fwd-back-tops-0"], said["fwd-back-tops-1"]] == [1, 3]
    assert said["fwd-back-gaps-0"] < 0.01 < 0.5 < said["fwd-back-gaps-1"]


def test_the_posterior_s_variance_is_nothing_first_and_that_of_the_step_last(said):
    assert said["fwd-last-variance"] == 0
    assert said["fwd-ratio-2"] < 0.5 < 0.999 < said["fwd-ratio-1000"] < 1


def test_an_error_in_the_noise_is_magnified_and_one_in_the_velocity_is_not(said):
    assert said["fwd-error-noise"] > 50 * said["fwd-error-velocity"]
    assert said["fwd-error-velocity"] <= 0.0101


def test_each_silent_error_fails_its_own_check(said):
    assert said["fwd-root-variance"] < 0.9
    assert said["fwd-bar-variance"] == pytest.approx(1, abs=0.02)
    assert said["fwd-bar-correlation"] > 0.9 > 0.01 > said["fwd-product"]


def test_the_end_of_the_linear_schedule_is_not_noise_for_a_large_image(said):
    assert said["fwd-large-linear"] > 1 > said["fwd-large-cosine"]
