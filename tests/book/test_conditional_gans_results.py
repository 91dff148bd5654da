"""What the chapter on conditional GANs says of its own run, in numbers."""

import math

import pytest

from tests.book.executed import kept

MODELS = ("cgan", "acgan", "projection")


@pytest.fixture(scope="module")
def said():
    return kept("book/adversarial/conditional_gans")


def test_a_discriminator_that_is_blind_to_labels_does_not_notice_that_they_are_exchanged(said):
    assert said["cgan-swap-blind"] < 1e-9
    assert said["cgan-swap-seen"] > 0.5


def test_the_game_of_the_bells_leaves_the_truth_for_the_law(said):
    assert said["cgan-bells-apart"] < 1e-3
    assert said["cgan-bells-began"] > 0.1
    assert said["cgan-bells-Z"] == pytest.approx(0.5 * math.erfc(-1 / math.sqrt(2)), abs=0.005)  # Φ(1)
    assert said["cgan-bells-wrong-data"] > 0.15
    assert said["cgan-bells-wrong-fake"] < 1e-6
    assert said["cgan-bells-near-fake"] < said["cgan-bells-near-data"]
    assert said["cgan-bells-middle-fake"] > said["cgan-bells-middle-data"] + 0.2
    assert said["cgan-bells-spread-fake"] < 0.8 * said["cgan-bells-spread-data"]


def test_a_classifier_of_real_images_leaves_out_more_the_larger_its_weight(said):
    shares = [said[f"cgan-weight-near-{weight}"] for weight in ("0.3", "1", "3")]
    assert shares == sorted(shares, reverse=True)
    assert said["cgan-weight-near-1"] < said["cgan-bells-near-fake"] - 0.02


def test_wrong_labels_are_left_out_by_an_acgan_and_kept_by_the_critic_of_pairs(said):
    assert said["cgan-noisy-labels"] == pytest.approx(0.73, abs=0.04)
    assert said["cgan-noisy-acgan"] > said["cgan-noisy-labels"] + 0.1
    assert said["cgan-noisy-projection"] < said["cgan-noisy-acgan"] - 0.08


@pytest.mark.parametrize("model", MODELS)
def test_digits_are_read_as_asked_and_no_class_collapsed(said, model):
    assert said[f"cgan-table-{model}-accuracy"] > 0.9
    assert said[f"cgan-table-{model}-relative"] < 5
    assert said[f"cgan-table-{model}-recall"] > 0.3
    assert 0.7 < said[f"cgan-table-{model}-spread"] < 1.5
    assert said[f"cgan-table-{model}-least"] > 0.4


def test_classes_are_farther_from_real_ones_than_the_whole_and_the_acgan_is_the_hardest_to_read(said):
    for model in MODELS:
        assert said[f"cgan-table-{model}-within"] > said[f"cgan-table-{model}-relative"]
    unsure = {model: said[f"cgan-table-{model}-unsure"] for model in MODELS}
    assert unsure["acgan"] > max(unsure["cgan"], unsure["projection"])


def test_truncated_digits_are_more_precise_and_less_various(said):
    assert said["cgan-cut-half-spread"] < said["cgan-cut-one-spread"] < said["cgan-cut-all-spread"]
    assert said["cgan-cut-half-recall"] < said["cgan-cut-all-recall"] - 0.1
    assert said["cgan-cut-half-precision"] > said["cgan-cut-all-precision"]
    assert said["cgan-cut-half-relative"] > said["cgan-cut-one-relative"] > said["cgan-cut-all-relative"]
    assert said["cgan-cut-half-relative"] > 2 * said["cgan-cut-all-relative"]
    assert said["cgan-cut-variance-half"] < said["cgan-cut-variance-one"] < 0.3


def test_a_label_behind_the_noise_drowns_it_and_accuracy_does_not_see_it(said):
    assert said["cgan-loud-accuracy"] > 0.8
    assert said["cgan-loud-recall"] < said["cgan-table-acgan-recall"] - 0.2
    assert said["cgan-loud-spread"] < said["cgan-table-acgan-spread"] - 0.3
    assert said["cgan-loud-spread"] < 0.4
    assert said["cgan-loud-relative"] > 2 * said["cgan-table-acgan-relative"]


def test_few_numbers_of_noise_can_t_carry_a_product_s_label(said):
    told = [said[f"cgan-product-told-{dim}"] for dim in (2, 8, 32, 100)]
    assert told[0] < 0.5
    assert told[0] < told[1] < told[2]
    assert told[3] > 0.99


def test_a_collapsed_class_shows_in_its_own_spread_alone(said):
    assert said["cgan-stuck-accuracy"] > 0.9
    assert said["cgan-stuck-sevens"] == 0
    assert said["cgan-stuck-least"] < 1e-4
    assert said["cgan-stuck-recall"] > said["cgan-table-cgan-recall"] - 0.1
    assert 0.6 < said["cgan-stuck-spread"] < said["cgan-table-cgan-spread"]
