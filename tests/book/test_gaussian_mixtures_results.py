"""What the chapter on Gaussian mixtures says of its own run, in numbers."""

import pytest

from tests.book.executed import kept


@pytest.fixture(scope="module")
def said():
    return kept("book/likelihood/gaussian_mixtures")


def test_six_gaussians_keep_to_the_moons_and_one_does_not(said):
    assert said["gmm-far-one"] > 0.2 > 0.05 > said["gmm-far-six"]
    assert said["gmm-first-six"] > said["gmm-first-one"] + 0.5


def test_narrow_components_hesitate_less_and_less(said):
    assert said["gmm-hard-0.01"] > 0.99
    assert said["gmm-hard-0.3"] < said["gmm-hard-0.1"] < said["gmm-hard-0.01"]


def test_no_round_loses_and_the_first_gains_most(said):
    assert said["gmm-gain-least"] > -1e-12
    assert said["gmm-gain-first"] > 100 * said["gmm-gain-last"] > 0


def test_both_ways_to_choose_find_about_ten_components(said):
    assert 8 <= said["gmm-k-bic"] <= 12
    assert 8 <= said["gmm-k-test"] <= 15
    assert 0 <= said["gmm-held-best"] - said["gmm-held-bic"] < 0.5
    assert said["gmm-k-diagonal"] == 30 > said["gmm-k-bic"]  # the most that was tried


def test_components_are_digits(said):
    assert said["gmm-found"] >= 8
    assert said["gmm-named"] > 0.7
    assert said["gmm-kept"] > 0.8


def test_ten_full_components_have_more_numbers_than_there_are_images(said):
    assert said["gmm-image"] > 10
    assert said["gmm-photo"] > 1


def test_a_real_set_can_not_be_told_apart_and_samples_can(said):
    assert said["gmm-apart-real"] == pytest.approx(0.5, abs=0.05)
    assert said["gmm-apart-first"] > 0.8 > said["gmm-apart-last"] > 0.65
    assert said["gmm-apart-best"] > said["gmm-apart-real"] + 0.1


def test_the_training_likelihood_rises_and_the_held_out_one_turns(said):
    fitted = [said[f"gmm-dim-fitted-{place}"] for place in range(11)]
    assert fitted == sorted(fitted)
    assert 8 < said["gmm-dim-at"] < 64
    assert said["gmm-dim-peak"] > said["gmm-dim-last"] + 2
    assert said["gmm-dim-gap-64"] > 4 * said["gmm-dim-gap-16"] > 0


def test_what_fails_are_full_covariances_without_a_floor(said):
    assert said["gmm-dim-last"] < said["gmm-dim-diag"] < said["gmm-dim-floored"]
    assert said["gmm-dim-gap-diag"] < said["gmm-dim-gap-64"] / 5


def test_the_distance_of_two_moments_calls_the_worst_model_nearly_perfect(said):
    assert said["gmm-fooled"] < said["gmm-neighbour"] / 20


def test_starts_differ_in_where_they_end(said):
    assert 1 < said["gmm-starts-top"] < 20
    assert said["gmm-starts-best"] > said["gmm-starts-worst"] + 0.01


def test_outside_log_space_digits_get_nan_and_within_it_none_does(said):
    assert said["gmm-broken"] > 0
    assert said["gmm-finite"] == said["gmm-size-test"]


def test_the_peer_is_the_same_algorithm(said):
    assert said["gmm-sklearn-likelihood"] < 1e-6
    assert said["gmm-sklearn-means"] < 1e-4
