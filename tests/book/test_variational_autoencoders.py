"""What the chapter on variational autoencoders says of its own run, in numbers."""

import math

import pytest

from tests.book.executed import kept


@pytest.fixture(scope="module")
def said():
    return kept("book/likelihood/variational_autoencoders")


def test_most_digits_lie_with_their_equals_and_the_eights_least(said):
    assert said["vae-map-same"] > 0.5
    assert said["vae-map-eights"] < said["vae-map-same"] - 0.1


def test_a_thousand_draws_of_the_prior_are_worse_than_one_of_the_encoder(said):
    assert said["vae-prior-bits"] > said["vae-prior-one"] + 0.1
    assert said["vae-prior-share"] > 0.9


def test_one_gaussian_takes_one_root_and_loses_about_log_two(said):
    assert said["vae-roots-gap"] == pytest.approx(math.log(2), abs=0.03)
    assert said["vae-roots-wide"] > 5 * said["vae-roots-gap"]


def test_half_of_the_latents_carry_everything(said):
    assert 4 <= said["vae-rate-used"] <= 12


def test_the_score_function_gradient_is_noisier_and_agrees_on_average(said):
    assert said["vae-grad-ratio"] > 5
    assert said["vae-grad-apart"] < 4


def test_the_codes_stand_in_the_order_of_the_table(said):
    bits = [said[f"vae-bits-{name}"] for name in ("uniform", "histogram", "map-bound", "digits-bound")]
    assert bits == sorted(bits, reverse=True)
    assert said["vae-bits-train-bound"] < said["vae-bits-digits-bound"] - 0.05


@pytest.mark.parametrize("name", ["digits", "map"])
def test_many_draws_tighten_the_bound_on_digits(said, name):
    assert said[f"vae-linear-{name}-importance"] < said[f"vae-linear-{name}-bound"] - 0.02


def test_the_bounds_of_the_linear_model_stay_below_the_truth_and_the_wrong_ones_pass_it(said):
    assert said["vae-linear-64"] > 0  # that groups of the same draws rise is no news
    assert said["vae-linear-1"] == pytest.approx(said["vae-linear-gap"], rel=0.02)
    assert said["vae-linear-soft"] > 0.3  # and without log k more still, whatever the weights are


def test_a_larger_beta_costs_less_and_errs_more(said):
    rows = [
        {key: said[f"vae-sweep-{name}-{key}"] for key in ("used", "rate", "error", "bound")} for name in NAMES
    ]
    for key in ("used", "rate"):
        values = [row[key] for row in rows]
        assert values == sorted(set(values), reverse=True)
    for key in ("error", "bound"):
        values = [row[key] for row in rows]
        assert values == sorted(set(values))
    assert rows[-1]["used"] == 0
    assert rows[-1]["rate"] < 0.01
    assert rows[-1]["error"] == pytest.approx(said["vae-water-all"], rel=0.05)
    assert rows[-1]["bound"] == pytest.approx(said["vae-bits-histogram"], abs=0.1)


NAMES = ("one", "four", "many")


def test_the_squared_error_keeps_few_directions(said):
    assert said["vae-water-unit"] == 5
    assert 0 < said["vae-water-rate"] < 3
    assert said["vae-water-unit"] < said["vae-water-error"] < said["vae-water-all"]


def test_mean_images_are_blurred_and_samples_are_noisy(said):
    assert said["vae-blur-means"] < said["vae-blur-back"] < 0.8
    assert 0.88 < said["vae-blur-samples"] < 1.12
    assert said["vae-blur-finest"] > 1
    assert said["vae-blur-noise"] > 0.3


def test_the_package_agrees(said):
    assert said["vae-eco-linear"] < 1e-9
    assert said["vae-eco-fits"] < 0.05
    assert said["vae-floor-nats"] == pytest.approx(6.08, abs=0.01)
