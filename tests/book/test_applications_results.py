"""What the chapter on applications says of its own run, in numbers."""

import itertools
import math

import pytest
from scipy.stats import norm

from gdmcourse.diffusion.replacement import believed
from tests.book.executed import kept


@pytest.fixture(scope="module")
def said():
    return kept("book/judgement/applications")


def test_films_of_the_gan_are_mostly_lawful_and_less_than_those_of_the_law(said):
    assert said["app-film-real-off"] == pytest.approx(1, abs=0.05)
    assert 1.2 < said["app-film-gan-off"] < 0.7 * said["app-film-stirred-off"]
    assert said["app-film-stirred-lawful"] < 0.02
    assert 0.6 < said["app-film-gan-lawful"] < said["app-film-real-lawful"] - 0.05
    assert said["app-film-real-lawful"] > 0.95


def test_shapes_are_furniture_and_some_are_new(said):
    assert said["app-shape-near"] > 0.75
    assert said["app-shape-exact"] > 0.25
    assert 0.02 < said["app-shape-new"] < said["app-shape-third"]
    assert said["app-shape-different"] > 50
    assert said["app-shape-chairs"] > said["app-shape-half"] + 0.05
    assert said["app-shape-legs"] < said["app-shape-near"]


def test_replacement_believes_what_the_formula_says(said):
    for visits in (1, 3):
        assert said[f"app-pair-drawn-{visits}"] == pytest.approx(said[f"app-pair-formula-{visits}"], abs=0.08)
    assert said["app-pair-formula-1"] < said["app-pair-formula-3"] < 0.9
    for rho, visits in itertools.product((0.5, 0.9), (1, 3)):
        share = believed(rho, visits) / rho
        assert said[f"app-pair-dots-{rho}-{visits}"] == pytest.approx(share, abs=0.1)


def test_more_visits_fit_better_and_the_mean_errs_least(said):
    assert said["app-hole-five-read"] > said["app-hole-one-read"]
    assert said["app-hole-five-error"] < said["app-hole-one-error"]
    for way in ("one", "five", "search"):
        assert said["app-hole-gaussian-error"] < said[f"app-hole-{way}-error"]
        assert said["app-hole-gaussian-read"] > said[f"app-hole-{way}-read"]
        assert said["app-hole-gaussian-frechet"] > said[f"app-hole-{way}-frechet"]


def test_enlarging_knows_digits(said):
    for way in ("srgan", "cascade"):
        assert said[f"app-large-{way}-frechet"] < 0.5 * said["app-large-bilinear-frechet"]
        assert said[f"app-large-{way}-read"] > said["app-large-bilinear-read"]


def test_the_model_is_a_little_less_new_than_its_law(said):
    assert said["app-mol-valid"] > 0.7
    assert abs(said["app-mol-aim"] - said["app-mol-held"]) < 0.05
    assert said["app-mol-aim"] - 0.07 < said["app-mol-new"] < said["app-mol-aim"]
    assert 2 < said["app-mol-behind"] < 5
    assert said["app-mol-fair"] - 0.15 < said["app-mol-unique"] < said["app-mol-fair"]
    assert 1 - said["app-mol-fair"] > said["app-mol-fair"] - said["app-mol-unique"]
    assert said["app-mol-strings"] > said["app-mol-new"] + 0.1


def test_a_passed_test_of_distances_proves_little(said):
    assert said["app-member-deviations-20"] > 6
    assert abs(said["app-member-deviations-1"]) < 2
    assert said["app-member-1-density"] > 0.65
    assert said["app-member-1-refit"] > 0.62
    assert said["app-peer-p"] < 0.01
    assert said["app-wrong-deviations"] > 3


def test_the_promise_is_what_its_formulas_give(said):
    for noise in (0.02, 0.05):
        s, e = 0.01 / noise, math.e
        delta = norm.cdf(s / 2 - 1 / s) - e * norm.cdf(-s / 2 - 1 / s)
        assert said[f"app-dp-delta-{noise}"] == pytest.approx(delta, rel=1e-6)
        assert said[f"app-dp-hits-{noise}"] == pytest.approx(norm.cdf(norm.ppf(0.05) + s), rel=1e-6)
    assert said["app-dp-delta-0.05"] < 1e-4 / 200
    assert said["app-dp-delta-0.02"] > 1 / 200


def test_only_the_memoriser_copies(said):
    assert said["app-copy-memoriser-copies"] > 0.9
    assert said["app-copy-memoriser-nearest"] > 0.95
    for sampler in ("ddpm", "dcgan"):
        assert said[f"app-copy-{sampler}-copies"] == said["app-copy-real"] == 0
    assert abs(said["app-copy-ddpm-deviations"]) < 1.6
    assert 1.6 < said["app-copy-dcgan-deviations"] < 4
    assert said["app-copy-memoriser-deviations"] > 10


def test_classes_of_samples_and_their_worst(said):
    assert said["app-bias-dcgan"] > said["app-bias-luck"]
    assert said["app-bias-least"] < 0.1 < said["app-bias-most"]
    assert said["app-bias-worst"] > 0.8


def test_the_mark_is_found_and_unmarked_images_seldom_cry(said):
    assert said["app-mark-median"] < 1e-3
    assert said["app-mark-exact"] <= 0.03
    assert said["app-mark-naive"] > 0.1
    assert said["app-mark-cost-marked"] > said["app-mark-cost-plain"]
    assert said["app-mark-single_found"] > 0.95
    assert said["app-mark-rubbed_found"] < 0.2


def test_blanks_are_left_for_people(said):
    assert (said["app-card-data"], said["app-card-model"]) == (5, 6)
